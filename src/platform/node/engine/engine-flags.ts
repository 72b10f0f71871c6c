// How V8 compiles the interpreter. Flags belong to the embedder's whole process, so only such are here that change how well code is
// optimised and never what it may do (no check of bounds, stack or types is touched), and each is put back as soon as it has had its
// effect: a flag that stays makes V8 reject its own code cache, and every later worker thread starts in 50 ms instead of 25.
// SANDBOA_ENGINE_FLAGS=none leaves the engine alone.
import { setFlagsFromString } from "node:v8";
import { machineCode } from "./machine-code.ts";

interface FlagChange {
  readonly set: string;
  readonly restore: string;
}

interface EngineFlag extends FlagChange {
  /** Major versions of V8 to set it in: an unknown flag is complained about on stderr, and `restore` is their default. */
  readonly v8: readonly number[];
}

/**
 * A module keeps what it was compiled with, so that is when to set it. Time of the kernels relative to stock Pyodide's
 * (`npm run bench -- kernels`, medians): Node 20 101.6 % without, 96 % with; Node 22 101.4 and 95.6 %. Node 24 has it.
 */
const inlining: EngineFlag = {
  set: "--experimental-wasm-inlining",
  restore: "--no-experimental-wasm-inlining",
  v8: [11, 12],
};

/**
 * How much a function works before it is optimised. A module keeps it from its compilation. The evaluator is so large that a few
 * dozen bytecodes spend the default, so that every process compiled it (150 ms of a second processor, which the end of the process
 * waits for) even for `print(1)`: 362 ms of processor time without this, 222 ms with it. Programs of a second, Node 20, seven of the
 * kernels as commands: 0.87 of the time; with five times this budget 0.97 to 1.02. Later versions: only seen that `print(1)`
 * optimises the evaluator without it and not with it.
 */
const tieringBudget: readonly EngineFlag[] = [
  { set: "--wasm-tiering-budget=300000000", restore: "--wasm-tiering-budget=1800000", v8: [11] },
  { set: "--wasm-tiering-budget=300000000", restore: "--wasm-tiering-budget=13000000", v8: [12, 13, 14] },
];

/**
 * For a process that keeps the code: all that it calls is optimised. What is in baseline code when the code is taken is compiled anew, at
 * once, by every process that is given it: with V8's default budget that takes 21 to 28 ms, with 30,000 14 to 18, with this one 11 to 13.
 * Programs of half a second are as quick with each.
 */
const eagerBudget: readonly EngineFlag[] = tieringBudget.map((flag) => ({
  ...flag,
  set: "--wasm-tiering-budget=1",
}));

/**
 * A function is validated when it is first called, not all 14,000 at once: 12 instead of 30 ms of compilation, 249 and 222 ms of
 * processor time for `print(1)`. What was not validated then still is
 * before it runs when the flag is back (engine-flags.test.ts): V8 remembers it function by function.
 */
const lazyValidation: EngineFlag = {
  set: "--wasm-lazy-validation",
  restore: "--no-wasm-lazy-validation",
  v8: [11, 12, 13, 14],
};

/**
 * Asked for when a function is optimised. The evaluator is one function of 79 KB, and V8 11 gives it a cheap register allocator;
 * later versions have only the good one. Node 20: 83.5 % with inlining and this. The optimised evaluator is then ready 0.6 to
 * 0.8 s after its first use instead of 0.13 s: for processes that live longer, which is why only a warm-up sets it.
 */
const goodRegisters: EngineFlag = {
  set: "--no-turbo-use-mid-tier-regalloc-for-huge-functions",
  restore: "--turbo-use-mid-tier-regalloc-for-huge-functions",
  v8: [11],
};

// Within the noise or worse, each on top of these: larger inlining budgets (Node 20, 22), no unrolling and peeling of loops, Turboshaft
// on Node 20, no speculative inlining on Node 26, no block splitting (half the speed).

const applies = ({ v8 }: EngineFlag): boolean =>
  v8.includes(Number.parseInt(process.versions.v8, 10)) && process.env.SANDBOA_ENGINE_FLAGS !== "none";

/**
 * Compiles the interpreter's module. With `eager` all that is called gets optimised, and not what long programs call: for a process that
 * keeps the code. Not asynchronous, since V8 would then read the flags after they are back.
 */
export function compileInterpreter(wasm: Uint8Array, eager = false): WebAssembly.Module {
  const flags = [inlining, ...(eager ? eagerBudget : tieringBudget), lazyValidation].filter(applies);
  return underFlags(flags, () => new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>));
}

/**
 * The interpreter's module with what keepableCode gave for these very bytes, in this or an earlier process; undefined when V8 does not
 * take it. `apart`: flags that this process has and that one had not, at V8's defaults.
 */
export function moduleWithCode(
  wasm: Uint8Array,
  code: Uint8Array,
  apart: readonly FlagChange[] = [],
): WebAssembly.Module | undefined {
  for (let attempt = 0; attempt < timesTheSame; attempt++) {
    const module = underFlags([...usual(), ...apart], () => machineCode?.give(code, wasm));
    if (module) return module;
  }
  return undefined;
}

/** What V8 has optimised of the interpreter, for a later process. */
export function keepableCode(module: WebAssembly.Module): Uint8Array | undefined {
  return underFlags(usual(), () => machineCode?.take(module));
}

/** Names those processes that can use what `keepableCode` gives here; undefined where it gives nothing. */
export function keepableCodeTag(): string | undefined {
  const tag = (): string | undefined => underFlags(usual(), () => machineCode?.tag());
  let last = tag();
  for (let same = 1, attempt = 0; same < timesTheSame && attempt < mostAttempts; attempt++) {
    const next = tag();
    same = next === last ? same + 1 : 1;
    last = next;
  }
  return last;
}

/**
 * V8 keeps one hash of all flags for the process, forgets it when a flag is set, and whichever thread needs it next computes it. One
 * that loads its own code meanwhile may have begun before a flag was set here and be done after that: then the hash is of half of
 * the flags until one is set again. One command in thirty found no code for that, and made it anew, in two seconds.
 */
const timesTheSame = 3;
const mostAttempts = 12;

const usual = (): readonly FlagChange[] => [inlining, ...tieringBudget, lazyValidation].filter(applies);

/** V8 takes code only under the flags that it was given away under. */
function underFlags<T>(flags: readonly FlagChange[], work: () => T): T {
  for (const { set } of flags) setFlagsFromString(set);
  try {
    return work();
  } finally {
    for (const { restore } of flags) setFlagsFromString(restore);
  }
}

/** Runs `work`, in which the interpreter gets hot, under the flags of a process that will live long. Not for two at a time. */
export async function whileOptimising<T>(work: () => Promise<T>): Promise<T> {
  if (!applies(goodRegisters)) return work();
  setFlagsFromString(goodRegisters.set);
  try {
    return await work();
  } finally {
    setFlagsFromString(goodRegisters.restore);
  }
}
