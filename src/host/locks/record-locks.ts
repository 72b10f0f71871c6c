// The record locks of one file, as fcntl(2) has them: ranges of bytes, each of one owner, for reading or writing. Invariants: the ranges
// of one owner do not overlap, and no two that touch are of the same kind; ranges of two owners overlap only where both are for reading.
import type { LockIdentity } from "../../filesystems/lock-identity.ts";
import type { HeldLock } from "../../kernel/filesystem.ts";

/** Whoever holds locks: known by identity. */
export type LockOwner = object;

export class RecordLocks {
  readonly identity: LockIdentity;
  /** By owner, each in ascending order; owners that hold nothing are not here. */
  readonly #held = new Map<LockOwner, readonly HeldLock[]>();

  constructor(identity: LockIdentity) {
    this.identity = identity;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** How many ranges the owner holds. */
  count(owner: LockOwner): number {
    return this.#held.get(owner)?.length ?? 0;
  }

  /** The lock of another owner that is in the way of this one; of several, the first in the file. */
  conflict(owner: LockOwner, { kind, first, last }: HeldLock): HeldLock | undefined {
    let found: HeldLock | undefined;
    for (const [other, ranges] of this.#held) {
      if (other === owner) continue;
      for (const range of ranges) {
        if (range.first > last) break;
        if (range.last < first || (kind === "read" && range.kind === "read")) continue;
        if (found === undefined || range.first < found.first) found = range;
        break;
      }
    }
    return found;
  }

  /**
   * What the owner would hold with `wanted` in place of what it holds there; "none" is nothing. Whether others are in the way is not
   * looked at: `put` is what makes it so.
   */
  with(
    owner: LockOwner,
    wanted: Omit<HeldLock, "kind"> & { readonly kind: HeldLock["kind"] | "none" },
  ): readonly HeldLock[] {
    let { first, last } = wanted;
    const { kind } = wanted;
    const before: HeldLock[] = [];
    const after: HeldLock[] = [];
    for (const range of this.#held.get(owner) ?? []) {
      const isSame = range.kind === kind;
      // Ranges of the same kind that only touch become one.
      const reach = isSame ? 1n : 0n;
      if (range.last + reach < first) before.push(range);
      else if (range.first > last + reach) after.push(range);
      else if (isSame) {
        if (range.first < first) first = range.first;
        if (range.last > last) last = range.last;
      } else {
        if (range.first < first) before.push({ ...range, last: first - 1n });
        if (range.last > last) after.push({ ...range, first: last + 1n });
      }
    }
    return kind === "none" ? [...before, ...after] : [...before, { kind, first, last }, ...after];
  }

  put(owner: LockOwner, ranges: readonly HeldLock[]): void {
    if (ranges.length === 0) this.#held.delete(owner);
    else this.#held.set(owner, ranges);
  }
}
