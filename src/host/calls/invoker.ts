// Calls the embedder's functions and iterators, at most as many at once as each allows, and makes outcomes of what they give or throw.

import { isStream } from "../../capabilities/functions/each-item.ts";
import type { Arguments } from "../../capabilities/functions/function-capability.ts";
import { GuestException } from "../../errors/guest-exception.ts";
import { isPending } from "../../filesystems/later.ts";
import type { Call } from "./call.ts";
import { answerKind } from "./call-frames.ts";
import type { Crossing } from "./crossing.ts";
import type { Embedder } from "./embedder.ts";
import type { FunctionTarget, FunctionUse } from "./function-target.ts";
import type { PendingCalls } from "./pending-calls.ts";
import { none, type Outcome, Refusal, raise } from "./refusal.ts";
import type { StreamTarget } from "./stream-target.ts";
import type { TargetTable } from "./target-table.ts";

const end: Outcome = { kind: answerKind.end, body: none };

export class Invoker {
  readonly #crossing: Crossing;
  readonly #pending: PendingCalls;
  readonly #embedder: Embedder;
  readonly #targets: TargetTable;
  /** Of functions for which calls wait. */
  readonly #queues = new Set<FunctionUse>();

  constructor(crossing: Crossing, pending: PendingCalls, embedder: Embedder, targets: TargetTable) {
    this.#crossing = crossing;
    this.#pending = pending;
    this.#embedder = embedder;
    this.#targets = targets;
  }

  /** Undefined: the outcome comes later, to `pending`. Throws Refusal. */
  invoke(call: Call, target: FunctionTarget, given: Arguments): Outcome | undefined {
    const { use } = target;
    if (use.running < target.capability.limits.concurrency) return this.#start(call, target, given);
    // Each of those in whose callbacks it was made goes on when it has come back.
    if (call.number === 0 && this.#pending.countAround(call) >= use.running)
      throw new Refusal(
        "RuntimeError",
        `${call.name}() would wait for itself: as many calls as may run at once wait for this one`,
      );
    const start = (): void => {
      const outcome = this.#start(call, target, given);
      if (outcome) this.#pending.settle(call, outcome);
    };
    use.queue.set(call, start);
    this.#queues.add(use);
    // Its turn never comes.
    call.onCancel = () => use.queue.delete(call);
    return undefined;
  }

  endRun(): void {
    for (const use of this.#queues) use.queue.clear();
    this.#queues.clear();
  }

  #start(call: Call, target: FunctionTarget, given: Arguments): Outcome | undefined {
    const { use, capability } = target;
    use.running += 1;
    this.#embedder.called(call, given);
    let answer: unknown;
    try {
      answer = capability.invoke(given, call);
      if (isPending(answer)) {
        this.#follow(call, target, answer);
        return undefined;
      }
    } catch (error) {
      this.#leave(target);
      return this.#failed(call, error);
    }
    this.#leave(target);
    return this.#succeeded(call, target, answer);
  }

  #follow(call: Call, target: FunctionTarget, answer: PromiseLike<unknown>): void {
    Promise.resolve(answer).then(
      (value) => {
        this.#leave(target);
        if (call.isOver) this.#late(call, value);
        else this.#pending.settle(call, this.#succeeded(call, target, value));
      },
      (error: unknown) => {
        this.#leave(target);
        if (!call.isOver) this.#pending.settle(call, this.#failed(call, error));
        else if (call.isLate && !isAbort(error)) this.#embedder.late(call, error);
      },
    );
  }

  /** Who is called next may be done at once, and come here again: ten thousand of them in one another would overflow the stack. */
  #leave({ use, capability }: FunctionTarget): void {
    use.running -= 1;
    if (use.isFilling) return;
    use.isFilling = true;
    for (const [call, start] of use.queue) {
      if (use.running >= capability.limits.concurrency) break;
      use.queue.delete(call);
      start();
    }
    use.isFilling = false;
    if (use.queue.size === 0) this.#queues.delete(use);
  }

  #succeeded(call: Call, target: FunctionTarget, value: unknown): Outcome {
    this.#embedder.answered(call, { value });
    try {
      if (target.capability.signature.streams) return this.#crossing.encodeStream(target, value, call);
      return this.#crossing.encode(target, value, call);
    } catch (error) {
      this.#discard(call, value);
      return this.#outcomeOf(call, error);
    }
  }

  #failed(call: Call, error: unknown): Outcome {
    this.#embedder.answered(call, { error });
    return this.#outcomeOf(call, error);
  }

  /** The next item; undefined: the outcome comes later, to `pending`. */
  next(call: Call, stream: StreamTarget): Outcome | undefined {
    try {
      const item = stream.next();
      if (!isPending(item)) return this.#item(call, stream, item);
      const taken = (): void => {
        stream.isAsked = false;
      };
      call.onCancel = () => {
        taken();
        stream.unclaim(item);
      };
      Promise.resolve(item).then(
        (result) =>
          call.isOver || this.#pending.settle(call, { ...this.#item(call, stream, result), onTaken: taken }),
        (error: unknown) =>
          call.isOver || this.#pending.settle(call, this.#streamFailed(call, stream, error)),
      );
      stream.isAsked = true;
      return undefined;
    } catch (error) {
      return this.#streamFailed(call, stream, error);
    }
  }

  #item(call: Call, stream: StreamTarget, result: unknown): Outcome {
    try {
      if (!isObject(result)) throw new TypeError("an iterator gave a result that is no object");
      const { done, value } = result as { done?: unknown; value?: unknown };
      if (done) {
        this.#forget(stream);
        return end;
      }
      const outcome = this.#crossing.encode(stream.producer, value, stream.call);
      return { ...outcome, onDrop: () => stream.unclaim(result) };
    } catch (error) {
      // What follows might be taken for the item that was lost.
      this.close(stream, "an item could not be passed on");
      return this.#streamFailed(call, stream, error);
    }
  }

  #streamFailed(call: Call, stream: StreamTarget, error: unknown): Outcome {
    this.#forget(stream);
    return this.#outcomeOf(call, error);
  }

  #forget(stream: StreamTarget): void {
    stream.isEnded = true;
    this.#targets.release(stream.number, true);
  }

  /** Nobody goes on with it. */
  close(stream: StreamTarget, reason: string): void {
    this.#targets.release(stream.number, true);
    this.#ignore(stream.call, () => stream.close(reason));
  }

  #late(call: Call, value: unknown): void {
    this.#discard(call, value);
    if (call.isLate) this.#embedder.late(call);
  }

  /** An answer that nobody takes: if it is an iterator, it is ended. */
  #discard(call: Call, value: unknown): void {
    this.#ignore(call, () => {
      if (!isStream(value)) return undefined;
      const { return: close } = value as { return?: unknown };
      return typeof close === "function" ? close.call(value) : undefined;
    });
  }

  /** Of what is closed nobody waits for the end; that it fails is told. */
  #ignore(call: Call, close: () => unknown): void {
    const tell = (error: unknown): void => this.#embedder.fault(call.name, "close", error);
    try {
      Promise.resolve(close()).catch(tell);
    } catch (error) {
      tell(error);
    }
  }

  #outcomeOf(call: Call, error: unknown): Outcome {
    const shown = shownOf(error);
    if (shown) return shown;
    this.#embedder.fault(call.name, "call", error);
    return raise("host.HostError", `${call.name}() failed`);
  }
}

/** Embedders may throw anything, a proxy that throws in its turn as well. */
function shownOf(error: unknown): Outcome | undefined {
  try {
    if (error instanceof GuestException) return raise(error.qualifiedType, error.message);
    if (error instanceof Refusal) return raise(error.type, error.message);
  } catch {}
  return undefined;
}

function isAbort(error: unknown): boolean {
  try {
    return error instanceof Error && error.name === "AbortError";
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
