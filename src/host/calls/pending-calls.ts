// Calls under way, and how their answers reach the guest: it waits for one, or has numbered it and asks now and then what is ready.
// Invariant: a call is in here until it is over, and what it holds is charged exactly as long.
import type { Later } from "../../filesystems/tree.ts";
import { Call, type CallHost } from "./call.ts";
import { answerFrame, answerKind } from "./call-frames.ts";
import { costOf } from "./cost.ts";
import { none, type Outcome, Refusal, raise } from "./refusal.ts";
import { WaitingGuest } from "./waiting-guest.ts";

const mostPending = 10_000;
/** Of host memory, for a call under way besides its arguments. */
const callBytes = 512;

export interface PendingOptions extends CallHost {
  readonly valueBytes: number;
  readonly heldBytes: number;
  readonly canWait: boolean;
  /** Of handles in an answer that was kept: it is kept, and taken. */
  keep(handles: readonly number[]): void;
  unkeep(handles: readonly number[]): void;
}

export class PendingCalls {
  readonly ready: WaitingGuest;
  readonly #options: PendingOptions;
  /** By the guest's number. */
  readonly #numbered = new Map<number, Call>();
  /** Those for which the guest waits: a callback of the innermost, the last one, may make another. */
  readonly #waitedFor: Call[] = [];
  #heldBytes = 0;

  constructor(options: PendingOptions) {
    this.#options = options;
    this.ready = new WaitingGuest(options.valueBytes, ({ handles }) => handles && options.unkeep(handles));
  }

  get heldBytes(): number {
    return this.#heldBytes + this.ready.heldBytes;
  }

  frame({ body, kind }: Outcome): Uint8Array {
    return answerFrame(body, kind, this.heldBytes);
  }

  /** Throws Refusal for a number that is in use, and where there is no room for another call with so many bytes. */
  open(name: string, number: number, bytes: number): Call {
    if (number !== 0 && this.#numbered.has(number))
      throw new Refusal("ValueError", "a call of this number is under way");
    if (this.#numbered.size + this.#waitedFor.length >= mostPending)
      throw new Refusal("RuntimeError", `more than ${mostPending} calls of the host are under way`);
    if (this.heldBytes + callBytes + bytes > this.#options.heldBytes) throw noRoom(name);
    const call = new Call(name, number, this.#options);
    if (number === 0) this.#waitedFor.push(call);
    return call;
  }

  /** It has its outcome at once, or never gets one. */
  close(call: Call): void {
    call.isOver = true;
    this.#heldBytes -= call.heldBytes;
    call.heldBytes = 0;
    if (call.number !== 0) {
      if (this.#numbered.get(call.number) === call) this.#numbered.delete(call.number);
    } else if (this.#waitedFor.at(-1) === call) this.#waitedFor.pop();
    else {
      const at = this.#waitedFor.lastIndexOf(call);
      if (at >= 0) this.#waitedFor.splice(at, 1);
    }
  }

  /** What the guest is told when a call was begun. Without an outcome it goes on, and `given` is held meanwhile. */
  begun(call: Call, outcome: Outcome | undefined, given: unknown, bytes: number): Later<Uint8Array> {
    if (outcome !== undefined && call.callbacks === undefined) {
      this.close(call);
      return this.frame(outcome);
    }
    call.outcome = outcome;
    if (outcome === undefined) {
      call.heldBytes = callBytes + costOf(given, bytes);
      this.#heldBytes += call.heldBytes;
    }
    if (call.number === 0) return this.wait(call);
    this.#numbered.set(call.number, call);
    return answerFrame(none, answerKind.started, this.heldBytes);
  }

  /** What comes next for the guest that waits for this call. */
  wait(call: Call): Later<Uint8Array> {
    const callback = call.callbacks?.shift();
    if (callback) return this.frame(callback);
    const { outcome } = call;
    if (outcome) {
      this.close(call);
      return this.frame(outcome);
    }
    if (!this.#options.canWait) {
      call.abort("the sandbox cannot wait for the answer");
      this.close(call);
      return this.frame(cannotWait(call.name));
    }
    return new Promise((resolve) => {
      call.waiter = (late) => resolve(this.frame(late));
    });
  }

  /** The answer to a call that went on. */
  settle(call: Call, outcome: Outcome): void {
    if (call.number === 0) {
      const { waiter } = call;
      call.outcome = outcome;
      if (waiter === undefined) return;
      call.waiter = undefined;
      this.close(call);
      waiter(outcome);
      return;
    }
    this.close(call);
    const hasRoom = this.heldBytes + outcome.body.length <= this.#options.heldBytes;
    if (hasRoom && outcome.handles) this.#options.keep(outcome.handles);
    this.ready.add(call.number, hasRoom ? outcome : noRoomFor(call.name));
  }

  /** The call whose waiting guest does the callbacks of a thing that these calls brought; undefined: its event loop does. */
  routeOf(broughtBy: Call[]): Call | undefined {
    while (broughtBy.at(-1)?.isOver) broughtBy.pop();
    const own = broughtBy.at(-1);
    if (own === undefined) return undefined;
    return this.#waitedFor.findLast((call) => call.waiter !== undefined) ?? own;
  }

  /** Throws RangeError where there is no room. */
  sendCallback(via: Call | undefined, token: number, outcome: Outcome): void {
    if (this.heldBytes + outcome.body.length > this.#options.heldBytes)
      throw new RangeError("more is sent to the guest than may be held for it");
    if (via === undefined) {
      if (outcome.handles) this.#options.keep(outcome.handles);
      this.ready.add(token, outcome);
    } else if (via.waiter) {
      const { waiter } = via;
      via.waiter = undefined;
      waiter(outcome);
    } else {
      via.callbacks ??= [];
      via.callbacks.push(outcome);
    }
  }

  /** The guest does not want it any more. */
  cancel(number: number): Call | undefined {
    const call = this.#numbered.get(number);
    if (call === undefined) {
      this.ready.drop(number);
      return undefined;
    }
    this.close(call);
    call.abort("the guest has cancelled the call");
    call.onCancel?.();
    return call;
  }

  endRun(): void {
    const calls = [...this.#numbered.values(), ...this.#waitedFor];
    this.#numbered.clear();
    this.#waitedFor.length = 0;
    this.#heldBytes = 0;
    this.ready.clear();
    for (const call of calls) {
      call.isOver = true;
      call.isLate = true;
      call.heldBytes = 0;
      call.waiter = undefined;
      call.abort("the run that waits for the answer is over");
    }
  }
}

function cannotWait(name: string): Outcome {
  return raise(
    "RuntimeError",
    `${name}() answers later, and this sandbox cannot wait inside of a synchronous call: use await, or isolation "worker" or "process"`,
  );
}

function noRoom(name: string): Refusal {
  return new Refusal("MemoryError", `${name}(): the host can hold no more for this sandbox`);
}

function noRoomFor(name: string): Outcome {
  const { type, message } = noRoom(name);
  return raise(type, message);
}
