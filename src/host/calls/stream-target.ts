// An iterator of the embedder's that the guest goes through, item by item. It lives at most as long as the run that asked for it.
import type { Call } from "./call.ts";
import type { FunctionTarget } from "./function-target.ts";

interface AnyIterator {
  next(): unknown;
  return?(): unknown;
}

export class StreamTarget {
  readonly kind = "stream";
  readonly number: number;
  readonly original: object;
  readonly producer: FunctionTarget;
  /** Its signal is that of the stream, too. */
  readonly call: Call;
  /** Of Python: what an item is. */
  readonly annotation: string;
  readonly #iterator: AnyIterator;
  /** What was asked for by a call which the guest has cancelled since. */
  #unclaimed: { readonly item: unknown } | undefined;
  isEnded = false;
  /** An item was asked for, and the guest has neither got nor cancelled it: there is never more than one that nobody has. */
  isAsked = false;

  constructor(number: number, original: object, producer: FunctionTarget, call: Call) {
    this.number = number;
    this.original = original;
    this.producer = producer;
    this.call = call;
    const { streams, returns } = producer.capability.signature;
    this.annotation = streams ? returns : "object";
    this.#iterator = iteratorOf(original);
  }

  /** An iterator's result, or a promise of it. Throws whatever the embedder's iterator throws. */
  next(): unknown {
    const unclaimed = this.#unclaimed;
    this.#unclaimed = undefined;
    return unclaimed ? unclaimed.item : this.#iterator.next();
  }

  /** The next who asks gets it: an item that is not waited for any more is not lost. */
  unclaim(item: unknown): void {
    this.#unclaimed = { item };
  }

  /** Gives what its end has to say. Throws whatever the embedder's iterator throws. */
  close(reason: string): unknown {
    if (this.isEnded) return undefined;
    this.isEnded = true;
    this.call.abort(reason);
    return this.#iterator.return?.();
  }
}

/** Whether a function that streams can have given it. */
export function isIterable(value: unknown): value is object {
  return (
    typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}

function iteratorOf(value: object): AnyIterator {
  const iterable = value as { [Symbol.asyncIterator]?(): AnyIterator; [Symbol.iterator]?(): AnyIterator };
  const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.();
  if (typeof iterator?.next !== "function")
    throw new TypeError("what a stream was to be made of is no iterator");
  return iterator;
}
