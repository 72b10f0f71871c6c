// One interpreter behind a wall, as the host sees it. There are three walls and they answer alike: what differs is what stands
// between the guest and the embedder, and how a guest is ended that does not end by itself.

import type { RawDenial } from "../denials/raw-denial.ts";
import type { SessionReport } from "../meters.ts";
import type { SandboxPlan } from "../plan.ts";
import type { FilesQuestion, FilesReply } from "../results/results.ts";
import type { TakeOutput } from "../run.ts";
import type { Served } from "./served.ts";

/** Called while a run goes on, and again for a denial that came again. */
export type TakeDenial = (denial: RawDenial) => void;

export interface Wall {
  /** False once the wall has fallen or was killed: nothing can be asked of it any more. */
  readonly stands: boolean;
  /**
   * Gives the pristine interpreter its grants and limits. Later requests may be sent before this has resolved. Rejects with the
   * error of the public API when the interpreter cannot take them. `served` answers what the guest asks. With `isAwaited` false nothing is
   * said of success, which costs each use of a pool a message, and a failure is told by the answer to each run.
   */
  begin(plan: SandboxPlan, served?: Served, isAwaited?: boolean): Promise<void>;
  /** Runs one request under the lifetime's limits. Rejects with the error that ended the wall, if it fell. */
  run(request: Uint8Array, takeOutput: TakeOutput, takeDenial?: TakeDenial): Promise<SessionReport>;
  /** Between the runs of a lifetime: what of the guest's files the host asks about. Rejects when the wall fell. */
  look(question: FilesQuestion): Promise<FilesReply>;
  /** Ends the run under way, if there is one, as cancelled; `failure` is the error of the run if the wall must fall for that. */
  cancel(failure: Error): void;
  /** Ends the lifetime: pristine again, nothing granted. Rejects when the wall fell. */
  reset(): Promise<void>;
  /** Ends everything; a request under way is rejected with `failure`. */
  kill(failure: Error): Promise<void>;
}

/** Called once, when a wall falls that nobody killed. */
export type OnFall = (failure: Error) => void;
