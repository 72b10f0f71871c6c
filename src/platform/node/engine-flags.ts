// How V8 compiles the interpreter. Flags belong to the embedder's whole process, so only such are here that change how well code is
// optimised and never what it may do (no check of bounds, stack or types is touched), and each is put back as soon as it has had its
// effect: a flag that stays makes V8 reject its own code cache, and every later worker thread starts in 50 ms instead of 25.
// SANDBOA_ENGINE_FLAGS=none leaves the engine alone.
import { setFlagsFromString } from "node:v8";

interface EngineFlag {
  readonly set: string;
  readonly restore: string;
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
 * dozen bytecodes spend the default, so that every process compiled it even for `print(1)`, and the end of the process waits for that.
 * With this one the engine has also seen more of a longer program when it optimises; a greater one costs those more than it gains.
 */
const tieringBudget: readonly EngineFlag[] = [
  { set: "--wasm-tiering-budget=200000000", restore: "--wasm-tiering-budget=1800000", v8: [11] },
  { set: "--wasm-tiering-budget=200000000", restore: "--wasm-tiering-budget=13000000", v8: [12, 13, 14] },
];

/**
 * A function is validated when it is first called, not all 14,000 at once: 12 instead of 30 ms. What was not validated then still is
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

/** Compiles the interpreter's module. Not asynchronous, since V8 would then read the flags after they are back. */
export function compileInterpreter(wasm: Uint8Array): WebAssembly.Module {
  const flags = [inlining, ...tieringBudget, lazyValidation].filter(applies);
  for (const { set } of flags) setFlagsFromString(set);
  try {
    return new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
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
