// An iterator of either kind with code around each of its steps. Whoever ends it ends the one below.
import { isPending, now, run, type Steps } from "../../filesystems/later.ts";

export interface ItemSteps {
  /** Before the next item is asked for; what it throws ends the iterator. */
  readonly before?: () => void;
  /** Rejects when nothing more is to be waited for. */
  readonly until?: Promise<never>;
  readonly item?: (value: unknown) => Steps<unknown>;
  /** Gives what is thrown instead. */
  readonly error?: (error: unknown) => unknown;
  /** Once, when it is at its end or was ended. */
  readonly over?: () => void;
}

/**
 * Whether an answer is gone through rather than copied, even if nobody said so: an async iterable, or an iterator. Arrays, Maps and strings
 * are values, and so is whatever a guest made: a dict with a callable `next` has no symbols.
 */
export function isStream(answer: unknown): answer is object {
  if (typeof answer !== "object" || answer === null) return false;
  if (Symbol.asyncIterator in answer) return true;
  return Symbol.iterator in answer && "next" in answer && typeof answer.next === "function";
}

/** The same value, if it cannot be iterated over. */
export function eachItem(stream: unknown, steps: ItemSteps): unknown {
  if (typeof stream !== "object" || stream === null) return stream;
  if (Symbol.asyncIterator in stream)
    return asyncIterator(new Items((stream as AsyncIterable<unknown>)[Symbol.asyncIterator](), steps));
  if (Symbol.iterator in stream)
    return iterator(new Items((stream as Iterable<unknown>)[Symbol.iterator](), steps));
  return stream;
}

interface Either {
  next(): unknown;
  return?(): unknown;
}

class Items {
  readonly #below: Either;
  readonly #steps: ItemSteps;
  #isOver = false;

  constructor(below: Either, steps: ItemSteps) {
    this.#below = below;
    this.#steps = steps;
  }

  *next(): Steps<unknown> {
    const { before, item, error: shown } = this.#steps;
    if (this.#isOver) return { done: true, value: undefined };
    this.#orEnd(before);
    let result: IteratorResult<unknown>;
    try {
      result = (yield* now(this.#asked())) as IteratorResult<unknown>;
    } catch (error) {
      this.#end();
      throw shown === undefined ? error : shown(error);
    }
    this.#orEnd(before);
    if (result.done === true) {
      this.#over();
      return { done: true, value: undefined };
    }
    if (item === undefined) return result;
    try {
      return { done: false, value: yield* item(result.value) };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  *return(): Steps<unknown> {
    this.#over();
    yield* now(this.#below.return?.() as PromiseLike<unknown> | undefined);
    return { done: true, value: undefined };
  }

  #asked(): PromiseLike<unknown> {
    const asked = this.#below.next() as PromiseLike<unknown>;
    const { until } = this.#steps;
    return until !== undefined && isPending<unknown>(asked) ? Promise.race([asked, until]) : asked;
  }

  #orEnd(before: (() => void) | undefined): void {
    try {
      before?.();
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Not waited for: an async generator ends only when what it is waiting for has come. Why it was ended is told instead of its errors. */
  #end(): void {
    this.#over();
    try {
      const ended = this.#below.return?.();
      if (isPending<unknown>(ended)) ended.then(undefined, () => {});
    } catch {}
  }

  #over(): void {
    if (!this.#isOver) this.#steps.over?.();
    this.#isOver = true;
  }
}

function asyncIterator(items: Items): object {
  return {
    next: async () => run(items.next()),
    return: async () => run(items.return()),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function iterator(items: Items): object {
  return {
    next: () => demandNow(run(items.next())),
    return: () => demandNow(run(items.return())),
    [Symbol.iterator]() {
      return this;
    },
  };
}

function demandNow(result: unknown): unknown {
  if (!isPending(result)) return result;
  result.then(undefined, () => {});
  throw new TypeError("a check that gives a promise needs an async iterator");
}
