// Watches how long the keys of a hostile dict take to go into a Map. V8 hashes numbers and bigints without a seed, and a bigint by
// its lowest 64 bits only (Object::GetSimpleHash, BigInt::Hash): keys that all meet in one chain make an hour out of a megabyte.
// Which keys those are differs between versions of V8, so this looks at the time itself.

/** Entries that are put in between two looks at the clock; so many cost nothing worth speaking of, whatever their hashes. */
export const batchEntries = 256;
/** Without a clock no dict or set may have more entries. */
const mostUntimedEntries = 1 << 14;

/** What all insertions of a value may take: far more than they do on a slow machine, a blink for the embedder's thread. */
const freeMs = 250;
const msPerEntry = 0.001;
/** Of a batch no more is counted: a thread that was not scheduled for a while has not met a hostile key. */
const longestBatchMs = 50;

export class InsertionTime {
  readonly #nowMs: (() => number) | undefined;
  #entries = 0;
  #spentMs = 0;

  constructor(nowMs: (() => number) | undefined) {
    this.#nowMs = nowMs;
  }

  /** Runs `insert`, which puts `entries` more into a container that has `present`. False when the value must be refused. */
  allows(present: number, entries: number, insert: () => void): boolean {
    if (present + entries <= batchEntries) {
      insert();
      return true;
    }
    if (this.#nowMs === undefined) {
      insert();
      return present + entries <= mostUntimedEntries;
    }
    const start = this.#nowMs();
    insert();
    this.#spentMs += Math.min(this.#nowMs() - start, longestBatchMs);
    this.#entries += entries;
    return this.#spentMs <= freeMs + this.#entries * msPerEntry;
  }
}
