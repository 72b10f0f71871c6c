// What a run is asked with and what it gives back.

import type { GivenValueOptions } from "../capabilities/functions/function-capability.ts";
import type { LimitName } from "../errors/run-errors.ts";
import type { Usage } from "../errors/usage.ts";
import type { GuestValue } from "../interpreter/marshal/values.ts";
import type { ObserveCalls } from "./calls/embedder.ts";

/** Given what the guest writes, piece by piece. */
export type TakeOutput = (stream: "stdout" | "stderr", bytes: Uint8Array<ArrayBuffer>) => void;

/** What a run is asked with, besides its source. */
export interface RunOptions {
  /** Variables to set before the source runs, by name: at most 64 MiB when encoded, with the source. */
  readonly inputs?: Readonly<Record<string, unknown>> | undefined;
  /** How inputs and the result cross; by default dicts become Maps, and what contains itself is refused. */
  readonly values?: GivenValueOptions | undefined;
  /** The name that tracebacks show, and the program finds as `__file__`. Default: "<run N>", and no `__file__`. */
  readonly filename?: string | undefined;
  /**
   * Stops the run at once, as RunError; the sandbox is lost until reset(). Aborted before, its reason is thrown and nothing runs. Inline,
   * that is when it calls `onOutput`, or while it waits at a top-level `await` of a function of the host.
   */
  readonly signal?: AbortSignal | undefined;
  /** Whether the value of a last expression is wanted. Default true. With false nothing is copied: `value` is null. */
  readonly value?: boolean | undefined;
  /** Treats the source as a whole program: at its end atexit handlers run, files are closed and all variables go. Default false. */
  readonly finalize?: boolean | undefined;
  /**
   * Called with output as it comes. Bytes are the guest's: escape them before a person reads them. What it throws ends the run and is
   * thrown by it; look at `sandbox.state`, which may then be "lost".
   */
  readonly onOutput?: TakeOutput | undefined;
  /** Called when the guest calls a function of the host, and when that has answered; what it throws is a warning of the process. */
  readonly onCall?: ObserveCalls | undefined;
}

/** What came of a run that did not fail. */
export interface Run {
  /**
   * Value of the last expression statement; null when the source does not end in one, or `value` was false; undefined when it ended in
   * SystemExit. docs/values.md has the mapping.
   */
  readonly value: GuestValue;
  /** All that was written, as text: U+FFFD stands for what is not UTF-8. The guest's: escape it before a person reads it. */
  readonly stdout: string;
  /** Likewise. */
  readonly stderr: string;
  /** What SystemExit carried; 0 when the source ran to its end. */
  readonly exitCode: number;
  /** The limit that the guest was told of and then ended by itself within its grace time (`limits.soft`); absent where none was spent. */
  readonly softStop?: LimitName;
  /** What it used, and of what. */
  readonly usage: Usage;
}
