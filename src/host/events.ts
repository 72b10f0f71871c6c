// What a sandbox tells its embedder besides results, at the moment it happens.

/** Code of the embedder's that stands behind a place has failed; the guest was told EIO and no more. */
export interface FaultEvent {
  readonly type: "fault";
  /** The guest path. Bytes that are not UTF-8 stand as lone surrogates. */
  readonly path: string;
  /** The call of the place that failed, such as "read". */
  readonly operation: string;
  /** What it threw, or why its answer was none. */
  readonly error: unknown;
}

export type SandboxEvent = FaultEvent;

/** Called in the embedder's thread; what it throws is shown as a warning of the process. */
export type OnEvent = (event: SandboxEvent) => void;

/** Faults that nobody listens for, in a sandbox, of which the embedder is warned: enough to see what is wrong. */
const mostWarnings = 3;

/** Never throws, and loses nothing silently: without a listener the first faults are warnings. */
export function eventSink(
  onEvent: OnEvent | undefined,
  warn: (text: string, cause: unknown) => void,
): OnEvent {
  let warnings = 0;
  return (event) => {
    if (onEvent === undefined) {
      warnings += 1;
      if (warnings <= mostWarnings)
        warn(`${JSON.stringify(event.path)} of a sandbox failed in ${event.operation}`, event.error);
      return;
    }
    try {
      onEvent(event);
    } catch (error) {
      warn("onEvent of a sandbox failed", error);
    }
  };
}
