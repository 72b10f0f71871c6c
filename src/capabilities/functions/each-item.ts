// An iterator of either kind with a function around each item, and one around each error. Whoever ends it ends the one below.
import { isPending, now, run, type Steps } from "../../filesystems/later.ts";

export interface ItemSteps {
  /** Before the next item is asked for; what it throws ends the iterator. */
  readonly before?: () => void;
  readonly item?: (value: unknown) => Steps<unknown>;
  /** Gives what is thrown instead. */
  readonly error?: (error: unknown) => unknown;
}

type Either = Partial<Iterator<unknown>> & Partial<AsyncIterator<unknown>>;

/** The same value, unless it can be iterated over. Strings, arrays and the like are values. */
export function eachItem(stream: unknown, steps: ItemSteps): unknown {
  if (typeof stream !== "object" || stream === null) return stream;
  if (Symbol.asyncIterator in stream)
    return around((stream as AsyncIterable<unknown>)[Symbol.asyncIterator](), steps, true);
  if (Symbol.iterator in stream)
    return around((stream as Iterable<unknown>)[Symbol.iterator](), steps, false);
  return stream;
}

function around(
  inner: Iterator<unknown> | AsyncIterator<unknown>,
  steps: ItemSteps,
  isAsync: boolean,
): object {
  const below = inner as Either;
  function* next(): Steps<unknown> {
    try {
      steps.before?.();
    } catch (error) {
      yield* now(below.return?.() as unknown as PromiseLike<unknown> | undefined);
      throw error;
    }
    let result: IteratorResult<unknown>;
    try {
      result = (yield* now(below.next?.() as unknown)) as IteratorResult<unknown>;
    } catch (error) {
      throw steps.error === undefined ? error : steps.error(error);
    }
    if (result.done === true) return { done: true, value: undefined };
    if (steps.item === undefined) return result;
    try {
      return { done: false, value: yield* steps.item(result.value) };
    } catch (error) {
      yield* now(below.return?.() as unknown as PromiseLike<unknown> | undefined);
      throw error;
    }
  }
  function* end(): Steps<unknown> {
    yield* now(below.return?.() as unknown as PromiseLike<unknown> | undefined);
    return { done: true, value: undefined };
  }
  if (isAsync) {
    return {
      next: async () => run(next()),
      return: async () => run(end()),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
  return {
    next: () => demandNow(run(next())),
    return: () => demandNow(run(end())),
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
