// What a sandbox tells its embedder besides results, at the moment it happens.
import { hearFailure } from "./callbacks.ts";
import type { Denial } from "./denials/denials.ts";

/**
 * What stands behind a place has failed: code of the embedder's, of which the guest was told EIO and no more, or the host's system behind a
 * granted folder (a full disk, a right that was taken away, the folder itself removed), of which it was told the errno.
 */
export interface FaultEvent {
  readonly type: "fault";
  /** The guest path. Bytes that are not UTF-8 stand as lone surrogates. */
  readonly path: string;
  /** The call of the place that failed, such as "read". */
  readonly operation: string;
  /** What it threw, or why its answer was none. Of the system: Node's error, with a code where it did not cross from a thread. */
  readonly error: unknown;
}

/** The guest was refused something that a grant would allow; told once for each in a lifetime, while the run goes on. */
export interface DenialEvent {
  readonly type: "denial";
  readonly denial: Denial;
}

/** What `onEvent` is told; `type` tells which it is. */
export type SandboxEvent = FaultEvent | DenialEvent;

/** Called in the embedder's thread; what it throws or rejects with does the sandbox no harm, and is shown as a warning of the process. */
export type OnEvent = (event: SandboxEvent) => void;

export type OnFault = (fault: FaultEvent) => void;

/** A guest can make its places fail as often as it likes: the embedder is warned often enough to see what is wrong. */
const mostWarnings = 3;

/** Never throws, and loses nothing silently: without a listener the first events are warnings, and so are a listener's own failures. */
export function eventSink(
  onEvent: OnEvent | undefined,
  warn: (text: string, cause: unknown) => void,
): OnEvent {
  let warnings = 0;
  const warnSometimes: typeof warn = (text, cause) => {
    warnings += 1;
    if (warnings <= mostWarnings) warn(text, cause);
  };
  const failed = (error: unknown): void => warnSometimes("onEvent of a sandbox failed", error);
  return (event) => {
    if (onEvent === undefined) {
      // What the guest may not do is no fault of anybody's, and sandbox.denials() tells it.
      if (event.type !== "fault") return;
      warnSometimes(`${JSON.stringify(event.path)} of a sandbox failed in ${event.operation}`, event.error);
      return;
    }
    try {
      hearFailure(onEvent(event), failed);
    } catch (error) {
      failed(error);
    }
  };
}
