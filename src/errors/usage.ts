// What a sandbox has used, against what it may use: results of runs and errors of runs carry it.

/** Budgets in the units of the figures beside them; Infinity where the embedder said "unlimited". */
export interface UsageLimits {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** null where the interpreter is not metered. */
  readonly fuel: number | null;
  readonly memoryBytes: number;
  readonly hostMemoryBytes: number;
  readonly outputBytes: number;
  readonly openFiles: number;
}

export interface Usage {
  /** From the request to the answer, less the time that it stood still. */
  readonly wallMs: number;
  /** Processor time of the guest's thread. */
  readonly cpuMs: number;
  /** Units of fuel; null where the interpreter is not metered. */
  readonly fuel: number | null;
  /** Linear memory that the interpreter has in use after the run, in whole pages of 64 KiB. It does not shrink within a lifetime, so it is its own peak. */
  readonly memoryBytes: number;
  readonly memoryPeakBytes: number;
  /** What the host holds for the guest after the run, and the most that it held in this lifetime. */
  readonly hostMemoryBytes: number;
  readonly hostMemoryPeakBytes: number;
  readonly outputBytes: number;
  /** Open descriptors after the run, the standard streams included. */
  readonly openFiles: number;
  /** Names in scratch places. */
  readonly files: number;
  /** Calls of functions, items of streams, and questions about places that the host serves and about its standard input. */
  readonly calls: number;
  readonly limits: UsageLimits;
}
