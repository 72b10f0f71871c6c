// What a sandbox has used, against what it may use: results of runs and errors of runs carry it.

/** Budgets in the units of the figures beside them; Infinity where the embedder said "unlimited". */
export interface UsageLimits {
  /** Of each run. */
  readonly wallMs: number;
  /** Of each run. */
  readonly cpuMs: number;
  /** Of each run, in units; null where the interpreter is not metered. */
  readonly fuel: number | null;
  readonly memoryBytes: number;
  readonly hostMemoryBytes: number;
  /** Of each run, stdout and stderr together. */
  readonly outputBytes: number;
  readonly openFiles: number;
}

/** What a run, or the sandbox after it, has used. */
export interface Usage {
  /** From the request to the answer, less the time that it stood still; in milliseconds. */
  readonly wallMs: number;
  /** Processor time of the guest's thread, in milliseconds. */
  readonly cpuMs: number;
  /** Units of fuel; null where the interpreter is not metered. */
  readonly fuel: number | null;
  /** Linear memory that the interpreter has in use after the run, in whole pages of 64 KiB. It does not shrink within a lifetime, so it is its own peak. */
  readonly memoryBytes: number;
  /** As `memoryBytes`. */
  readonly memoryPeakBytes: number;
  /** What the host holds for the guest after the run. */
  readonly hostMemoryBytes: number;
  /** The most that it held in this lifetime. */
  readonly hostMemoryPeakBytes: number;
  /** Written by the run to stdout and stderr together. */
  readonly outputBytes: number;
  /** Open descriptors after the run, the standard streams included. */
  readonly openFiles: number;
  /** Names in scratch places. */
  readonly files: number;
  /** Calls of functions, items of streams, and questions about places that the host serves and about its standard input. */
  readonly calls: number;
  readonly limits: UsageLimits;
}
