// What the embedder's side of a wall answers for one lifetime: questions about granted trees, and calls of granted functions.
import type { Later } from "../../filesystems/tree.ts";
import type { TreeServer } from "../trees/tree-server.ts";

export interface CallAnswers {
  /** Never throws or rejects; the bytes that it is given may change after it has returned. */
  answer(frame: Uint8Array): Later<Uint8Array>;
  /** Whether the host works for the guest. If not, time in which the guest waits is its own. */
  readonly isBusy: boolean;
  /** Resolves when there is something for a guest that was told to come again. */
  settled(): Promise<void>;
}

export interface Served {
  readonly trees?: TreeServer | undefined;
  readonly calls?: CallAnswers | undefined;
}
