// What host and worker say to each other. The worker's TypeScript is trusted; only `answer` bytes and output are the guest's.
import type { Outcome } from "../interpreter/interpreter.ts";
import type { LoadedImage } from "./image-cache.ts";
import type { SandboxPlan } from "./plan.ts";

export interface WorkerStart {
  readonly image: LoadedImage;
  readonly plan: SandboxPlan;
  readonly ring: SharedArrayBuffer;
}

export type ToWorker =
  | { readonly type: "start"; readonly start: WorkerStart }
  | { readonly type: "run"; readonly id: number; readonly request: Uint8Array }
  | { readonly type: "reset"; readonly id: number };

export type FromWorker =
  | { readonly type: "ready" }
  /** The interpreter could not even be set up. */
  | { readonly type: "failed"; readonly outcome: Outcome }
  /** There is output in the ring. */
  | { readonly type: "output" }
  | { readonly type: "done"; readonly id: number; readonly outcome: Outcome; readonly memoryBytes: number }
  | { readonly type: "reset"; readonly id: number };
