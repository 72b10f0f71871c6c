// What a filter shows of a listing. To ask it about a hundred thousand names takes seconds, so a filter that answers at once is asked part by
// part, as the listing is iterated; iterating cannot wait, so for one that answers later all is gathered before.
import { closeQuietly, type EntryStep, Stepped, stepped } from "../../filesystems/entry-steps.ts";
import { isPending, now, type Steps } from "../../filesystems/later.ts";
import { listedAtOnce } from "../../filesystems/plain-list.ts";
import type { Later, NamedTreeEntry } from "../../filesystems/tree.ts";

/** What is known of a filter. */
export interface FilterPace {
  /** It has answered with a promise. */
  isWaitedFor: boolean;
}

type IsShown = (entry: NamedTreeEntry) => Later<boolean>;

export function* filteredList(
  entries: Iterable<NamedTreeEntry>,
  isShown: IsShown,
  pace: FilterPace,
): Steps<Iterable<NamedTreeEntry>> {
  const given = entries[Symbol.iterator]();
  const shown: NamedTreeEntry[] = [];
  try {
    for (let seen = 0; seen < listedAtOnce || pace.isWaitedFor; seen++) {
      const item = given.next();
      if (item.done) return shown;
      const answer = isShown(item.value);
      pace.isWaitedFor ||= isPending(answer);
      if (yield* now(answer)) shown.push(item.value);
    }
  } catch (error) {
    closeQuietly(given);
    throw error;
  }
  return goingOn(shown, given, stepped(entries, filterStep(isShown, pace)), filterStep(isShown, pace));
}

/** The first time from where `given` is; then all `again`. */
function goingOn(
  shown: readonly NamedTreeEntry[],
  given: Iterator<NamedTreeEntry>,
  again: Iterable<NamedTreeEntry>,
  filter: EntryStep,
): Iterable<NamedTreeEntry> {
  let isBegun = false;
  const first = (): Iterator<NamedTreeEntry, unknown> => {
    isBegun = true;
    const before = shown.values();
    return new Stepped(given, (next) => {
      const item = before.next();
      return item.done ? filter(next) : item;
    });
  };
  return { [Symbol.iterator]: () => (isBegun ? again[Symbol.iterator]() : first()) };
}

function filterStep(isShown: IsShown, pace: FilterPace): EntryStep {
  return (next) => {
    for (;;) {
      const item = next();
      if (item.done) return item;
      const answer = isShown(item.value);
      if (isPending(answer)) {
        pace.isWaitedFor = true;
        answer.then(undefined, () => {});
        throw new TypeError("the filter answered with a promise after it had answered at once");
      }
      if (answer) return item;
    }
  };
}
