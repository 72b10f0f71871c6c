// Calls whose use can end while they are under way: what was not given until then is not given any more, and what is called below
// learns of it by its signal.
import { isPending } from "../../filesystems/later.ts";
import { eachItem, isStream } from "./each-item.ts";
import type { FunctionCall } from "./function-capability.ts";

/** Tells whether the use has ended: gives the error to throw, or undefined. */
type Ended = (call: FunctionCall) => Error | undefined;

/** The calls of one capability, in all sandboxes that have it. */
export class EndingCalls {
  readonly #ended: Ended;
  readonly #underWay = new Set<() => void>();

  constructor(ended: Ended) {
    this.#ended = ended;
  }

  /** Ends what is under way, if the use has ended. */
  sweep(): void {
    for (const end of [...this.#underWay]) end();
  }

  /** `streams`: what is given is iterated over. */
  ask(call: FunctionCall, streams: boolean, ask: (call: FunctionCall) => unknown): unknown {
    this.#demand(call);
    const use = this.#begin(call);
    let answer: unknown;
    try {
      answer = ask({ name: call.name, signal: use.signal, nowMs: () => call.nowMs() });
    } catch (error) {
      use.over();
      throw error;
    }
    const give = (value: unknown): unknown => {
      const goesOn = streams || isStream(value);
      if (!goesOn) use.over();
      this.#demand(call);
      const before = (): void => this.#demand(call);
      return goesOn ? eachItem(value, { before, until: use.ended, over: use.over }) : value;
    };
    if (!isPending(answer)) return give(answer);
    const given = answer.then(give, (error: unknown) => {
      use.over();
      throw error;
    });
    return Promise.race([given, use.ended]);
  }

  #begin(call: FunctionCall): Use {
    const ending = new AbortController();
    const { promise, reject } = rejection();
    const end = (): void => {
      const error = this.#ended(call);
      if (error === undefined) return;
      reject(error);
      ending.abort(error);
    };
    this.#underWay.add(end);
    // Nobody waits any more: of a stream that was left behind nothing is to remain here.
    const abort = (): void => {
      this.#underWay.delete(end);
      ending.abort(call.signal.reason);
    };
    if (call.signal.aborted) abort();
    else call.signal.addEventListener("abort", abort, { once: true });
    const over = (): void => {
      this.#underWay.delete(end);
      call.signal.removeEventListener("abort", abort);
    };
    return { signal: ending.signal, ended: promise, over };
  }

  #demand(call: FunctionCall): void {
    const error = this.#ended(call);
    if (error !== undefined) throw error;
  }
}

interface Use {
  readonly signal: AbortSignal;
  /** Rejects when the use ends. */
  readonly ended: Promise<never>;
  /** Nothing is under way any more. */
  readonly over: () => void;
}

function rejection(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  // Who is not waiting for an answer is told by the next call.
  promise.catch(() => {});
  return { promise, reject };
}
