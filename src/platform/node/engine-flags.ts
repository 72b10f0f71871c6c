// How V8 compiles the interpreter. Flags belong to the embedder's whole process, so only such are here that change how well code is
// optimised and never what it may do (no check of bounds, stack or types is touched), and each is put back as soon as it has had its
// effect: a flag that stays makes V8 reject its own code cache, and every later worker thread starts in 50 ms instead of 25.
// SANDBOA_ENGINE_FLAGS=none leaves the engine alone.
import { setFlagsFromString } from "node:v8";

interface EngineFlag {
  readonly set: string;
  readonly restore: string;
  /** Major versions of V8 that have it and do not set it by themselves: an unknown flag is complained about on stderr. */
  readonly v8: readonly number[];
}

/**
 * A module keeps what it was compiled with, so that is when to set it. Time of the kernels relative to stock Pyodide's
 * (`npm run bench -- kernels`, least times): Node 20 97.4 % without, about 93 % with; Node 22 101.4 and 95.6 %. Node 24 has it.
 */
const inlining: EngineFlag = {
  set: "--experimental-wasm-inlining",
  restore: "--no-experimental-wasm-inlining",
  v8: [11, 12],
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
// on Node 20, no speculative inlining on Node 26, no block splitting (half the speed). --wasm-lazy-validation saves 15 to 25 ms of
// a cold start and costs them again in the start of the worker; and it has to stay set.

const applies = ({ v8 }: EngineFlag): boolean =>
  v8.includes(Number.parseInt(process.versions.v8, 10)) && process.env.SANDBOA_ENGINE_FLAGS !== "none";

/** Compiles the interpreter's module; the flags are back before this returns its promise. */
export function compileInterpreter(wasm: Uint8Array): Promise<WebAssembly.Module> {
  const flag = applies(inlining);
  if (flag) setFlagsFromString(inlining.set);
  try {
    return WebAssembly.compile(wasm as Uint8Array<ArrayBuffer>);
  } finally {
    if (flag) setFlagsFromString(inlining.restore);
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
