// How V8 compiles the interpreter. These flags belong to the whole process of the embedder, so only such are here that change how
// well code is optimised, never what it may do: no check of memory bounds, stack or types is touched. They act on what is compiled
// later, and once they are set they stay. SANDBOA_ENGINE_FLAGS=none leaves the engine as it is.
import { setFlagsFromString } from "node:v8";

/** quick: a process that runs one program and ends. steady: one that runs many. */
export type Pace = "quick" | "steady";

interface EngineFlag {
  readonly flag: string;
  /** Major versions of V8 that know it and do not have it by default; an unknown flag would be complained about on stderr. */
  readonly v8: readonly [from: number, to: number];
  readonly paces: readonly Pace[];
}

/**
 * Measured by `npm run bench -- kernels` with FLAGS, over 8 kernels on Node 20 and 6 on Node 22, relative to stock Pyodide:
 * Node 20 97.4 % without, 93 % with inlining, 83.5 % with both; Node 22 101.4 % without, 95.6 % with inlining. Node 24 and
 * later inline by default. Within the noise, or worse: larger inlining budgets, no unrolling or peeling of loops, Turboshaft
 * on Node 20, speculative inlining switched off on Node 26, no block splitting (half the speed).
 */
const engineFlags: readonly EngineFlag[] = [
  { flag: "--experimental-wasm-inlining", v8: [11, 12], paces: ["quick", "steady"] },
  /**
   * The evaluator is one function of 79 KB: V8 11 gives it a cheap register allocator, later versions have only the good one.
   * Its optimised code is ready 0.7 s after it gets hot instead of 0.15 s, which a process that ends sooner would only lose.
   */
  { flag: "--no-turbo-use-mid-tier-regalloc-for-huge-functions", v8: [11, 11], paces: ["steady"] },
  /** Functions are validated when first called: of 14,000 a program calls a few hundred. Saves 15 to 25 ms of a cold start. */
  { flag: "--wasm-lazy-validation", v8: [11, 15], paces: ["quick"] },
];

let chosen = false;

/** To be called before the first compilation of the interpreter. The first call decides, later ones do nothing. */
export function setEngineFlags(pace: Pace): void {
  if (chosen || process.env.SANDBOA_ENGINE_FLAGS === "none") return;
  chosen = true;
  const major = Number.parseInt(process.versions.v8, 10);
  for (const { flag, v8, paces } of engineFlags) {
    if (paces.includes(pace) && major >= v8[0] && major <= v8[1]) setFlagsFromString(flag);
  }
}
