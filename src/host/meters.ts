// What is measured of a run, inside of a wall, and travels out with its result.
import type { Outcome } from "../interpreter/interpreter.ts";
import type { StopReason } from "../kernel/guest-stop.ts";

export type Overrun = Extract<StopReason, { kind: "limit" }>;

/** What a run has used of time and fuel. */
export interface RunMeters {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Units; undefined where the interpreter is not metered. */
  readonly fuel: number | undefined;
  /** How often the host answered the guest: reads of the host's standard input, granted files that were made, questions to places of code. */
  readonly calls: number;
  /** The limit of which the guest was told. */
  readonly softStop: Overrun | undefined;
}

/** What a run used, and what the sandbox holds after it. */
export interface Meters extends RunMeters {
  readonly memoryBytes: number;
  readonly hostMemoryBytes: number;
  readonly hostMemoryPeakBytes: number;
  readonly outputBytes: number;
  readonly openFiles: number;
  /** Files, directories, links and pipes in scratch places. */
  readonly files: number;
  /** Denials of this lifetime that are not kept one by one. */
  readonly untoldDenials: number;
}

export interface SessionReport {
  readonly outcome: Outcome;
  readonly meters: Meters;
}
