// A listing with something of a wrapper's around each of its steps: much of a large one is only asked for when it is iterated, and then
// nothing asks the wrapper any more.
import { listedAtOnce } from "./plain-list.ts";
import type { NamedTreeEntry } from "./tree.ts";

type Item = IteratorResult<NamedTreeEntry, unknown>;

/** Takes the next item with `next`, perhaps several times, and gives one; or ends the listing by throwing. */
export type EntryStep = (next: () => Item) => Item;

/** Whether what a tree has answered is still to be asked for, or more than is told at once. What cannot be iterated is not. */
export function isLongListing(answer: unknown): answer is Iterable<NamedTreeEntry> {
  if (Array.isArray(answer)) return answer.length > listedAtOnce;
  return typeof answer === "object" && answer !== null && Symbol.iterator in answer;
}

/** May be iterated as often as `entries`. `closed` is told when nobody wants what is left. */
export function stepped(
  entries: Iterable<NamedTreeEntry>,
  step: EntryStep,
  closed?: () => void,
): Iterable<NamedTreeEntry> {
  return { [Symbol.iterator]: () => new Stepped(entries[Symbol.iterator](), step, closed) };
}

/** No generator: one that has not begun yet does not learn that it is closed. */
export class Stepped implements Iterator<NamedTreeEntry, unknown> {
  readonly #given: Iterator<NamedTreeEntry, unknown>;
  readonly #step: EntryStep;
  readonly #closed: (() => void) | undefined;
  #isOver = false;

  constructor(given: Iterator<NamedTreeEntry, unknown>, step: EntryStep, closed?: () => void) {
    this.#given = given;
    this.#step = step;
    this.#closed = closed;
  }

  next(): Item {
    if (this.#isOver) return { done: true, value: undefined };
    try {
      const item = this.#step(() => this.#given.next());
      this.#isOver = item.done === true;
      return item;
    } catch (error) {
      this.#isOver = true;
      closeQuietly(this.#given);
      throw error;
    }
  }

  return(): Item {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#closed?.();
      this.#given.return?.();
    }
    return { done: true, value: undefined };
  }
}

/** After an error, which is told instead of what closing throws. */
export function closeQuietly(given: Iterator<unknown>): void {
  try {
    given.return?.();
  } catch {
    // Told already that it failed.
  }
}
