// Functions whose every call is told to a listener of the embedder's, when it is over. The listener changes nothing.
import { GuestException } from "../../errors/guest-exception.ts";
import { now, run, type Steps } from "../../filesystems/later.ts";
import { type Callable, changedEach, changedFunction } from "./around-function.ts";
import type { Arguments } from "./function-capability.ts";

/** A call that is over. */
export interface CallUse {
  /** As the guest calls it. */
  readonly name: string;
  /** As the guest gave them: hostile. */
  readonly arguments: Arguments;
  /** When it was called: milliseconds since the epoch, by the host's clock. */
  readonly startMs: number;
  /** When it was answered, or failed: likewise. */
  readonly endMs: number;
  /** What was thrown; absent when there was an answer, or the first of a stream. */
  readonly error?: unknown;
  /** Whether the guest is told why: the error is a GuestException. */
  readonly isShown?: boolean;
}

/** What a listener throws changes nothing for the guest, and is an event of type "fault". */
export function observedFunction<C extends Callable>(inner: C, listener: (use: CallUse) => unknown): C {
  return changedEach(inner, (each) =>
    changedFunction(each, {
      invoke: (given, call) => {
        const { name } = call;
        const fault = (error: unknown): void => call.fault?.(error);
        const tell = (use: CallUse): void => {
          try {
            Promise.resolve(listener(use)).catch(fault);
          } catch (error) {
            fault(error);
          }
        };
        const startMs = call.nowMs();
        const use = (): CallUse => ({ name, arguments: given, startMs, endMs: call.nowMs() });
        function* steps(): Steps<unknown> {
          try {
            const answer = yield* now(each.invoke(given, call));
            tell(use());
            return answer;
          } catch (error) {
            tell({ ...use(), error, isShown: error instanceof GuestException });
            throw error;
          }
        }
        return run(steps());
      },
    }),
  );
}
