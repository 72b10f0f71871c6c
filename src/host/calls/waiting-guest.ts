// What is ready for a guest that does not wait for one call alone: answers to its numbered calls, and callbacks for its event loop. It is
// given them when it asks what there is. Invariant: what waits here is charged, and is given once.

import { encodeValue } from "../../interpreter/marshal/encode.ts";
import { answerKind } from "./call-frames.ts";
import type { Outcome } from "./refusal.ts";

interface Ready {
  /** Of a call, or the token of a callback. */
  readonly number: number;
  readonly outcome: Outcome;
}

/** Besides the body: the objects around it. */
const eventBytes = 400;
const longestTimerMs = 2 ** 31 - 1;

export class WaitingGuest {
  readonly #mostBytes: number;
  readonly #taken: (outcome: Outcome, isGiven: boolean) => void;
  /** In the order in which it came. The numbers of calls and the tokens of callbacks are told apart: see keyOf. */
  readonly #ready = new Map<number, Ready>();
  #heldBytes = 0;
  #wake: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #settled: PromiseWithResolvers<void> | undefined;

  /** `mostBytes`: of one answer, if there is more than one event. `taken` is told of each that is given, or lost. */
  constructor(mostBytes: number, taken: (outcome: Outcome, isGiven: boolean) => void) {
    this.#mostBytes = mostBytes;
    this.#taken = taken;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }
  get isEmpty(): boolean {
    return this.#ready.size === 0;
  }

  /** Whether the answer to a call of this number waits to be taken. */
  has(number: number): boolean {
    return this.#ready.has(number);
  }

  /** Of a call whose answer waits here already there is none. */
  add(number: number, outcome: Outcome): void {
    this.#ready.set(keyOf(number, outcome), { number, outcome });
    this.#heldBytes += outcome.body.length + eventBytes;
    this.#wake?.();
    this.#settled?.resolve();
    this.#settled = undefined;
  }

  /** The guest has cancelled it. */
  drop(number: number): void {
    const ready = this.#ready.get(number);
    if (ready === undefined) return;
    this.#ready.delete(number);
    this.#let(ready, false);
  }

  /** The run is over: whoever waited is not there any more, and gets no answer. */
  clear(): void {
    const lost = [...this.#ready.values()];
    this.#ready.clear();
    for (const ready of lost) this.#let(ready, false);
    clearTimeout(this.#timer);
    this.#wake = undefined;
  }

  /** All there is, as far as it fits: (number, kind, body) each. */
  take(): Uint8Array {
    let bytes = 0;
    const given: Ready[] = [];
    for (const [key, ready] of this.#ready) {
      bytes += ready.outcome.body.length + eventBytes;
      if (given.length > 0 && bytes > this.#mostBytes) break;
      given.push(ready);
      this.#ready.delete(key);
    }
    for (const ready of given) this.#let(ready, true);
    const events = given.map(({ number, outcome }) => [number, outcome.kind, outcome.body]);
    return encodeValue(events, { maxBytes: Number.MAX_SAFE_INTEGER }).bytes;
  }

  /** Resolves when there is something, the time is over, or the guest asks anew. Undefined: as long as it takes. */
  wait(timeoutMs: number | undefined, frame: (events: Uint8Array) => Uint8Array): Promise<Uint8Array> {
    this.#wake?.();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(this.#timer);
        const events = this.take();
        resolve(frame(events));
      };
      if (timeoutMs !== undefined)
        this.#timer = setTimeout(() => this.#wake?.(), Math.min(timeoutMs, longestTimerMs));
    });
  }

  settled(): Promise<void> {
    if (!this.isEmpty) return Promise.resolve();
    // One at a time waits. Were it one promise for all, a guest that comes again and again would leave something at it each time.
    this.#settled?.resolve();
    this.#settled = withResolvers();
    return this.#settled.promise;
  }

  #let({ outcome }: Ready, isGiven: boolean): void {
    this.#heldBytes -= outcome.body.length + eventBytes;
    this.#taken(outcome, isGiven);
  }
}

/** Calls have numbers from 1, callbacks tokens from 1. */
function keyOf(number: number, { kind }: Outcome): number {
  return kind === answerKind.callback ? -number : number;
}

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers(): PromiseWithResolvers<void> {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve, reject: () => {} } as PromiseWithResolvers<void>;
}
