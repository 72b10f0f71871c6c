// The host's side of calls for one lifetime: takes the guest's frames, binds and counts, calls the embedder's functions and answers. Every
// frame is hostile. Invariant: a call is invoked once at most, and its answer reaches the guest that waits for it, in its run, or nobody.

import { GuestException } from "../../errors/guest-exception.ts";
import { isPending } from "../../filesystems/later.ts";
import type { Later } from "../../filesystems/tree.ts";
import { MarshalFormatError } from "../../interpreter/marshal/decode.ts";
import { encodeValue } from "../../interpreter/marshal/encode.ts";
import type { FaultEvent } from "../events.ts";
import {
  answerKind,
  CallFrameError,
  type CallRequest,
  noTimeout,
  operation,
  readRequest,
} from "./call-frames.ts";
import { costOf } from "./cost.ts";
import { Crossing } from "./crossing.ts";
import { describeGrants } from "./descriptions.ts";
import { Embedder, type ObserveCalls } from "./embedder.ts";
import { Invoker } from "./invoker.ts";
import { type Callback, type CallbackWork, LentThings } from "./lent-things.ts";
import { PendingCalls } from "./pending-calls.ts";
import { none, type Outcome, Refusal, raise } from "./refusal.ts";
import type { Capability } from "./target.ts";
import { TargetTable } from "./target-table.ts";

export interface CallServerOptions {
  /** Of one encoded value. */
  readonly valueBytes: number;
  /** Of all that is held for the guest. */
  readonly heldBytes: number;
  /** Whether the guest's thread can wait for a promise. */
  readonly canWait: boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Is told of functions that fail; never throws. */
  readonly onEvent: (event: FaultEvent) => void;
}

const nothing: Outcome = { kind: answerKind.plain, body: none };
/** What a callback is answered with (RETURNED). */
const returned = { value: 0, raised: 1, ended: 2 } as const;

export class CallServer {
  readonly #options: CallServerOptions;
  readonly #crossing: Crossing;
  readonly #targets: TargetTable;
  readonly #pending: PendingCalls;
  readonly #lent: LentThings;
  readonly #embedder: Embedder;
  readonly #invoker: Invoker;
  #description: Outcome | undefined;
  #malformed = 0;

  /** By full name, such as "billing.invoice". */
  constructor(grants: ReadonlyMap<string, Capability>, options: CallServerOptions) {
    const { valueBytes, nowMs } = options;
    this.#options = options;
    const embedder = new Embedder(nowMs, options.onEvent);
    this.#embedder = embedder;
    const fault = (name: string, error: unknown): void => embedder.fault(name, "observe", error);
    this.#crossing = new Crossing(valueBytes, { nowMs, fault });
    const targets = new TargetTable(grants, this.#crossing.values, (bytes) => this.#pending.hasRoom(bytes));
    this.#targets = targets;
    this.#pending = new PendingCalls({
      ...options,
      fault,
      awaitsGuest: () => this.#lent.isUsed,
      keep: (handles) => targets.keep(handles),
      unkeep: (handles) => targets.unkeep(handles),
      give: (handles) => targets.give(handles),
      lose: (handles) => this.#lose(handles),
      handleBytes: () => targets.heldBytes,
      lastingBytes: () => targets.lastingBytes,
    });
    this.#lent = new LentThings(
      (callback, work, given) => this.#sendCallback(callback, work, given),
      ({ broughtBy }) => this.#pending.routeOf(broughtBy),
    );
    this.#crossing.targets = targets;
    this.#crossing.lent = this.#lent;
    this.#crossing.lose = (handles) => this.#lose(handles);
    this.#invoker = new Invoker(this.#crossing, this.#pending, this.#embedder, targets);
  }

  /** Frames that no guest of ours sends. */
  get malformedFrames(): number {
    return this.#malformed;
  }
  get heldBytes(): number {
    return this.#pending.heldBytes;
  }

  beginRun(observe?: ObserveCalls): void {
    this.#embedder.observe = observe;
  }

  /** Aborts and forgets what is under way. Streams and what was lent end with their run; handles stay. */
  endRun(): void {
    // First: who is told that a call is aborted may use what was lent, and that must not wait for the next run.
    this.#lent.end();
    this.#pending.endRun();
    this.#invoker.endRun();
    for (const stream of this.#targets.streams()) this.#invoker.close(stream, "the run is over");
    this.#embedder.observe = undefined;
  }

  end(): void {
    this.endRun();
    this.#targets.clear();
    this.#description = undefined;
  }

  /** Whether the embedder's code works for the guest: not if there is nothing to do, or if it waits for the guest's callback. */
  get isBusy(): boolean {
    return this.#pending.isBusy;
  }

  /** Resolves when there is something for a guest that was told to come again. */
  settled(): Promise<void> {
    return this.#pending.ready.settled();
  }

  /** Never throws or rejects. The frame is read now: it may change when this has returned. */
  answer(frame: Uint8Array): Later<Uint8Array> {
    try {
      return this.#answer(readRequest(frame));
    } catch (error) {
      return this.#pending.frame(this.#refusal(error));
    }
  }

  #answer(request: CallRequest): Later<Uint8Array> {
    switch (request.operation) {
      case operation.call:
        return this.#call(request);
      case operation.next:
        return this.#next(request);
      case operation.returned:
        return this.#returned(request);
      case operation.wait:
        return this.#wait(request.number);
      case operation.release: {
        const target = this.#targets.release(request.number);
        if (target?.kind === "stream") this.#invoker.close(target, "the guest has closed the stream");
        return this.#pending.frame(nothing);
      }
      case operation.cancel:
        this.#pending.cancel(request.call);
        return this.#pending.frame(nothing);
      case operation.describe:
        return this.#pending.frame(this.#describe());
      default:
        throw new CallFrameError("no such request");
    }
  }

  #call({ number, call: callNumber, body, records }: CallRequest): Later<Uint8Array> {
    const target = this.#targets.function(number);
    const call = this.#pending.open(target.name, callNumber, body.length);
    try {
      target.countBytes(body.length);
      const values = this.#crossing.decodeArguments(target, body, records, call);
      const { passedBack } = this.#crossing;
      const given = target.bind(values, passedBack);
      target.countCall();
      const outcome = this.#invoker.invoke(call, target, given);
      const argumentBytes = outcome === undefined ? costOf(given, body.length, passedBack) : 0;
      return this.#pending.begun(call, outcome, argumentBytes);
    } catch (error) {
      this.#pending.close(call);
      throw error;
    }
  }

  #next({ number, call: callNumber }: CallRequest): Later<Uint8Array> {
    const stream = this.#targets.stream(number);
    if (stream.isAsked)
      throw new Refusal("RuntimeError", "the next item of this stream is being waited for already");
    const call = this.#pending.open(stream.producer.name, callNumber, 0);
    return this.#pending.begun(call, this.#invoker.next(call, stream), 0);
  }

  #wait(timeoutMs: number): Later<Uint8Array> {
    const { ready } = this.#pending;
    if (!ready.isEmpty || timeoutMs === 0) {
      const body = ready.take();
      return this.#pending.frame({ kind: answerKind.plain, body });
    }
    if (!this.#options.canWait) return this.#pending.frame({ kind: answerKind.later, body: none });
    const { who } = this.#pending;
    return ready.wait(timeoutMs === noTimeout ? undefined : timeoutMs, (body) =>
      this.#pending.frame({ kind: answerKind.plain, body }, who),
    );
  }

  /** The guest has done a callback. */
  #returned({ call: token, number, body, records }: CallRequest): Later<Uint8Array> {
    const callback = this.#lent.take(token);
    if (callback === undefined || number > returned.ended) throw new CallFrameError("nobody waits for that");
    try {
      this.#settleCallback(callback, number, () =>
        this.#crossing.decode(callback.lent.target, body, records, callback.via),
      );
    } catch (error) {
      callback.reject(error instanceof Refusal ? new GuestException(error.type, error.message) : error);
    }
    const { via } = callback;
    return via === undefined || via.isOver ? this.#pending.frame(nothing) : this.#pending.wait(via);
  }

  #settleCallback({ lent, resolve, reject }: Callback, number: number, decode: () => unknown): void {
    const isIterator = lent.kind === "iterate";
    const value = number === returned.ended ? undefined : decode();
    if (number === returned.value) lent.target.demandShape(value, "callback");
    if (number === returned.raised) reject(exceptionOf(value));
    // It would be taken for a promise, which only the guest could keep.
    else if (isPending(value))
      throw new Refusal("TypeError", "a value with a method `then` cannot be returned to the host");
    else resolve(isIterator ? { done: number === returned.ended, value } : value);
  }

  /** Throws what keeps it from being sent. */
  #sendCallback({ token, lent, via }: Callback, work: CallbackWork, given: readonly unknown[]): void {
    const outcome = this.#crossing.encode(lent.target, [token, lent.id, work, given], undefined);
    this.#pending.sendCallback(via, token, { ...outcome, kind: answerKind.callback });
  }

  #lose(handles: readonly number[]): void {
    for (const target of this.#targets.lose(handles))
      if (target.kind === "stream") this.#invoker.close(target, "the answer was lost");
  }

  #describe(): Outcome {
    this.#description ??= {
      kind: answerKind.plain,
      body: encodeValue(describeGrants(this.#targets.granted), { maxBytes: Number.MAX_SAFE_INTEGER }).bytes,
    };
    return this.#description;
  }

  #refusal(error: unknown): Outcome {
    if (error instanceof Refusal) return raise(error.type, error.message);
    if (error instanceof CallFrameError || error instanceof MarshalFormatError) {
      this.#malformed += 1;
      return raise("ValueError", `the host cannot read this: ${error.message}`);
    }
    this.#embedder.fault("", "call", error);
    return raise("host.HostError", "the call failed");
  }
}

/** What a callback raised, for the embedder; and for the guest again, if it is not caught. The texts are the guest's. */
function exceptionOf(value: unknown): Error {
  const [type, message]: readonly unknown[] = Array.isArray(value) ? value : [];
  if (typeof type !== "string" || typeof message !== "string")
    throw new Refusal("ValueError", "no exception");
  try {
    return new GuestException(type.slice(type.lastIndexOf(".") + 1), message);
  } catch {
    return new GuestException("RuntimeError", `${type.slice(0, 200)}: ${message}`);
  }
}
