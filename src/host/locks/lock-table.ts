// Which file has which locks. Files that nobody has locked have no entry.
import type { LockIdentity } from "../../filesystems/lock-identity.ts";
import { RecordLocks } from "./record-locks.ts";

export class LockTable {
  readonly #words = new Map<string, RecordLocks>();
  #objects = new WeakMap<object, RecordLocks>();
  readonly #within = new WeakMap<object, Map<string, RecordLocks>>();

  find(identity: LockIdentity): RecordLocks | undefined {
    if (typeof identity === "string") return this.#words.get(identity);
    if (!isWithin(identity)) return this.#objects.get(identity);
    return this.#within.get(identity.within)?.get(identity.word);
  }

  /** Makes an entry; whoever leaves it empty has to `forget` it at once. */
  of(identity: LockIdentity): RecordLocks {
    const found = this.find(identity);
    if (found !== undefined) return found;
    const made = new RecordLocks(identity);
    if (typeof identity === "string") this.#words.set(identity, made);
    else if (!isWithin(identity)) this.#objects.set(identity, made);
    else {
      const words = this.#within.get(identity.within) ?? new Map<string, RecordLocks>();
      words.set(identity.word, made);
      this.#within.set(identity.within, words);
    }
    return made;
  }

  forget(identity: LockIdentity): void {
    if (typeof identity === "string") this.#words.delete(identity);
    else if (!isWithin(identity)) this.#objects.delete(identity);
    else this.#within.get(identity.within)?.delete(identity.word);
  }
}

function isWithin(identity: object): identity is { within: object; word: string } {
  return "within" in identity && "word" in identity;
}

/** One for the process: a file of the host is the same file for all of its sandboxes, whoever granted it. */
export const processLocks = new LockTable();
