// One call under way, as the embedder's function sees it and as the server follows it: the guest waits for it, or has given it a number.
import type { FunctionCall } from "../../capabilities/functions/function-capability.ts";
import type { Outcome } from "./refusal.ts";

/** What calls have of the server. */
export interface CallHost {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Of code around the function of that name. */
  fault(name: string, error: unknown): void;
}

export class Call implements FunctionCall {
  readonly name: string;
  /** The guest's own; 0: the guest waits. */
  readonly number: number;
  readonly #host: CallHost;
  #controller: AbortController | undefined;
  #aborted: Error | undefined;
  /** Nobody wants its answer any more, or has it. */
  isOver = false;
  /** Its run ended before it did. */
  isLate = false;
  /** Charged to the guest while it is under way. */
  heldBytes = 0;
  /** Takes the next answer to the guest that waits; undefined while the guest works. */
  waiter: ((outcome: Outcome) => void) | undefined;
  /** Its own, for when the guest is back from a callback. */
  outcome: Outcome | undefined;
  /** For the guest to do before it gets the answer. */
  callbacks: Outcome[] | undefined;
  /** How it was told of to whoever observes the run. */
  observed: { readonly id: number; readonly startMs: number } | undefined;
  /** Called when the guest cancels it. */
  onCancel: (() => void) | undefined;

  constructor(name: string, number: number, host: CallHost) {
    this.name = name;
    this.number = number;
    this.#host = host;
  }

  nowMs(): number {
    return this.#host.nowMs();
  }

  fault(error: unknown): void {
    this.#host.fault(this.name, error);
  }

  /** Most functions never look at it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  abort(reason: string): void {
    if (this.#aborted) return;
    this.#aborted = new DOMException(reason, "AbortError");
    this.#controller?.abort(this.#aborted);
  }

  get isAborted(): boolean {
    return this.#aborted !== undefined;
  }
}
