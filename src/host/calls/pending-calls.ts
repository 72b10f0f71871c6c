// Calls under way, and how their answers reach the guest: it waits for one, or has numbered it and asks now and then what is ready.
// Invariant: a call is in here until it is over, and what it holds is charged exactly as long.
import type { Later } from "../../filesystems/tree.ts";
import { Call, type CallHost } from "./call.ts";
import { answerFrame, answerKind, waitedFor } from "./call-frames.ts";
import { none, noRoom, type Outcome, Refusal, raise } from "./refusal.ts";
import { WaitingGuest } from "./waiting-guest.ts";

const mostPending = 10_000;
/** Of host memory, for a call under way besides its arguments. */
const callBytes = 512;

export interface PendingOptions extends CallHost {
  readonly valueBytes: number;
  readonly heldBytes: number;
  readonly canWait: boolean;
  /** Whether the host waits for the guest to do a callback. */
  awaitsGuest(): boolean;
  /** Of handles in an answer: it is kept, is kept no longer, the guest gets it, and it is lost. */
  keep(handles: readonly number[]): void;
  unkeep(handles: readonly number[]): void;
  give(handles: readonly number[]): void;
  lose(handles: readonly number[]): void;
  /** What is held for handles, and what of that stays when the run is over. */
  handleBytes(): number;
  lastingBytes(): number;
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
    this.ready = new WaitingGuest(options.valueBytes, (outcome, isGiven) => {
      if (outcome.handles) options.unkeep(outcome.handles);
      if (isGiven) this.#given(outcome);
      else this.#lost(outcome);
    });
  }

  get heldBytes(): number {
    return this.#heldBytes + this.ready.heldBytes + this.#options.handleBytes();
  }

  hasRoom(bytes: number): boolean {
    return this.heldBytes + bytes <= this.#options.heldBytes;
  }

  /** Whether the embedder's code works for the guest, and does not wait for it. */
  get isBusy(): boolean {
    return this.#numbered.size + this.#waitedFor.length > 0 && !this.#options.awaitsGuest();
  }

  /** Whatever is made a frame is given to the guest. */
  frame(outcome: Outcome, who?: number): Uint8Array {
    this.#given(outcome);
    return this.#answer(outcome.body, outcome.kind, who);
  }

  /** Who is waited for from now on. */
  get who(): number {
    return this.isBusy ? waitedFor.host : waitedFor.guest;
  }

  /** Throws Refusal for a number that is in use, and where there is no room for another call with so many bytes. */
  open(name: string, number: number, bytes: number): Call {
    if (number !== 0 && (this.#numbered.has(number) || this.ready.has(number)))
      throw new Refusal("ValueError", "a call of this number is under way");
    if (this.#numbered.size + this.#waitedFor.length >= mostPending)
      throw new Refusal("RuntimeError", `more than ${mostPending} calls of the host are under way`);
    if (!this.hasRoom(callBytes + bytes)) throw noRoom(name);
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

  /** What the guest is told when a call was begun. Without an outcome it goes on, and its arguments are held meanwhile. */
  begun(call: Call, outcome: Outcome | undefined, argumentBytes: number): Later<Uint8Array> {
    if (outcome !== undefined && call.callbacks === undefined) {
      this.close(call);
      return this.frame(outcome);
    }
    if (outcome === undefined) this.#hold(call, callBytes + argumentBytes);
    else this.#keepOutcome(call, outcome);
    if (call.number === 0) return this.wait(call);
    this.#numbered.set(call.number, call);
    return this.#answer(none, answerKind.started);
  }

  /** What comes next for the guest that waits for this call. */
  wait(call: Call): Later<Uint8Array> {
    const callback = call.callbacks?.shift();
    if (callback) return this.frame(this.#unkept(call, callback));
    const { outcome } = call;
    if (outcome) {
      call.outcome = undefined;
      this.#unkept(call, outcome);
      this.close(call);
      return this.frame(outcome);
    }
    if (!this.#options.canWait) {
      call.abort("the sandbox cannot wait for the answer");
      this.close(call);
      return this.frame(cannotWait(call.name));
    }
    const { who } = this;
    return new Promise((resolve) => {
      call.waiter = (late) => resolve(this.frame(late, who));
    });
  }

  /** The answer to a call that went on. */
  settle(call: Call, outcome: Outcome): void {
    if (call.number === 0) {
      const { waiter } = call;
      if (waiter === undefined) {
        this.#keepOutcome(call, outcome);
        return;
      }
      call.waiter = undefined;
      this.close(call);
      waiter(outcome);
      return;
    }
    this.close(call);
    const kept = this.#hasRoomFor(outcome) ? outcome : noRoomFor(call.name);
    if (kept !== outcome) this.#lost(outcome);
    else if (kept.handles) this.#options.keep(kept.handles);
    this.ready.add(call.number, kept);
  }

  /** The call whose waiting guest does the callbacks of a thing that these calls brought; undefined: its event loop does. */
  routeOf(broughtBy: Call[]): Call | undefined {
    while (broughtBy.at(-1)?.isOver) broughtBy.pop();
    const own = broughtBy.at(-1);
    if (own === undefined) return undefined;
    return this.#waitedFor.findLast((call) => call.waiter !== undefined) ?? own;
  }

  /** How many calls of the same function the guest waits for, in whose callbacks it has made this one. */
  countAround(call: Call): number {
    return this.#waitedFor.filter((other) => other !== call && other.name === call.name).length;
  }

  /** Throws RangeError where there is no room. */
  sendCallback(via: Call | undefined, token: number, outcome: Outcome): void {
    if (!this.#hasRoomFor(outcome)) {
      this.#lost(outcome);
      throw new RangeError("more is sent to the guest than may be held for it");
    }
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
      this.#keep(via, outcome);
    }
  }

  /** The guest does not want it any more. */
  cancel(number: number): void {
    const call = this.#numbered.get(number);
    if (call === undefined) {
      this.ready.drop(number);
      return;
    }
    this.close(call);
    call.abort("the guest has cancelled the call");
    call.onCancel?.();
  }

  endRun(): void {
    const calls = [...this.#numbered.values(), ...this.#waitedFor];
    this.#numbered.clear();
    this.#waitedFor.length = 0;
    this.ready.clear();
    for (const call of calls) {
      call.isOver = true;
      call.isLate = true;
      call.waiter = undefined;
      const kept = [...(call.callbacks ?? []), ...(call.outcome ? [call.outcome] : [])];
      for (const outcome of kept) this.#lost(this.#unkept(call, outcome));
      call.callbacks = call.outcome = undefined;
      call.heldBytes = 0;
    }
    this.#heldBytes = 0;
    for (const call of calls) call.abort("the run that waits for the answer is over");
  }

  #answer(body: Uint8Array, kind: number, who?: number): Uint8Array {
    return answerFrame(body, kind, this.heldBytes, this.#options.lastingBytes(), who);
  }

  #hold(call: Call, bytes: number): void {
    call.heldBytes += bytes;
    this.#heldBytes += bytes;
  }

  #hasRoomFor({ body }: Outcome): boolean {
    return this.hasRoom(body.length);
  }

  /** Until the guest is back from a callback. */
  #keepOutcome(call: Call, outcome: Outcome): void {
    const kept = this.#hasRoomFor(outcome) ? outcome : noRoomFor(call.name);
    if (kept !== outcome) this.#lost(outcome);
    call.outcome = kept;
    this.#keep(call, kept);
  }

  #keep(call: Call, { body, handles }: Outcome): void {
    this.#hold(call, callBytes + body.length);
    if (handles) this.#options.keep(handles);
  }

  #unkept(call: Call, outcome: Outcome): Outcome {
    this.#hold(call, -(callBytes + outcome.body.length));
    if (outcome.handles) this.#options.unkeep(outcome.handles);
    return outcome;
  }

  #given({ handles, onTaken }: Outcome): void {
    if (handles) this.#options.give(handles);
    onTaken?.();
  }

  #lost({ handles, onDrop, onTaken }: Outcome): void {
    onDrop?.();
    onTaken?.();
    if (handles) this.#options.lose(handles);
  }
}

function cannotWait(name: string): Outcome {
  return raise(
    "RuntimeError",
    `${name}() answers later, and this sandbox cannot wait inside of a synchronous call: use await, or isolation "worker" or "process"`,
  );
}

function noRoomFor(name: string): Outcome {
  const { type, message } = noRoom(name);
  return raise(type, message);
}
