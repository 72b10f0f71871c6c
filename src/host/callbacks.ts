// Callbacks of the embedder's may be async functions. Nobody waits for what they give, but a rejection that nobody hears would end the
// embedder's process.
import { isPending } from "../filesystems/later.ts";

/** Calls `failed` when `returned` is a promise and rejects. */
export function hearFailure(returned: unknown, failed: (error: unknown) => void): void {
  if (isPending(returned)) Promise.resolve(returned).catch(failed);
}
