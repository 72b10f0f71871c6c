// A listing that a tree has answered, made plain part by part: to look at a hundred thousand names takes seconds, and between two parts
// the guest's deadline is looked at and everybody else has a turn.
import { FileError } from "../errors/file-error.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import type { NamedTreeEntry } from "./tree.ts";
import { FaultyAnswer, plainEntry, refuse } from "./tree-answers.ts";
import { isTreeName } from "./tree-path.ts";

/** More entries than these are no listing. */
export const maxListedEntries = 100_000;
/** Entries of one part: some milliseconds where the host's system is asked about each. */
export const listedAtOnce = 500;

export class PlainList {
  readonly #given: Iterator<unknown>;
  readonly #report: (fault: unknown) => void;
  readonly #names = new Set<string>();
  #hasReported = false;
  #seen = 0;

  /** `report` is told of the first entry that is left out. Throws FaultyAnswer, and what the tree throws. */
  constructor(given: unknown, report: (fault: unknown) => void) {
    if (typeof given !== "object" || given === null || !(Symbol.iterator in given))
      refuse("with a list that cannot be iterated");
    this.#given = (given as Iterable<unknown>)[Symbol.iterator]();
    this.#report = report;
  }

  /** How many entries the tree has given. */
  get seen(): number {
    return this.#seen;
  }

  /** The next part, without entries that are none or come twice. Throws FaultyAnswer, and what the tree throws. */
  next(): { readonly entries: readonly NamedTreeEntry[]; readonly isLast: boolean } {
    const entries: NamedTreeEntry[] = [];
    for (let left = listedAtOnce; left > 0; left--) {
      const item = this.#next();
      if (item.done === true) return { entries, isLast: true };
      this.#seen += 1;
      if (this.#seen > maxListedEntries) refuse(`with more than ${maxListedEntries} entries`);
      const entry = this.#plain(item.value);
      if (entry) entries.push(entry);
    }
    return { entries, isLast: false };
  }

  /** Before the last part: no other one is asked for. */
  close(): void {
    try {
      this.#given.return?.();
    } catch (error) {
      this.#report(error);
    }
  }

  /** What is gone in the middle is an error: a guest's libc takes ENOENT for the end of what it was told so far. */
  #next(): IteratorResult<unknown> {
    try {
      return this.#given.next();
    } catch (error) {
      throw this.#seen > 0 && isGone(error) ? new KernelError("EIO") : error;
    }
  }

  #plain(item: unknown): NamedTreeEntry | undefined {
    try {
      const name = (item as { name?: unknown } | null | undefined)?.name;
      if (!isTreeName(name)) refuse(`with a name that is none: ${JSON.stringify(name)?.slice(0, 100)}`);
      if (this.#names.has(name)) refuse(`with the name ${JSON.stringify(name)} twice`);
      const entry = { name, ...plainEntry(item) };
      this.#names.add(name);
      return entry;
    } catch (error) {
      if (!(error instanceof FaultyAnswer)) throw error;
      if (!this.#hasReported) this.#report(error);
      this.#hasReported = true;
      return undefined;
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof KernelError
    ? error.name === "ENOENT"
    : error instanceof FileError && error.code === "ENOENT";
}
