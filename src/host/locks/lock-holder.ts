// What one lifetime of a sandbox holds of record locks, over all of its files: counted, and let go of at its end, however it ended.
import type { LockIdentity } from "../../filesystems/lock-identity.ts";
import type { HeldLock, LockRequest } from "../../kernel/filesystem.ts";
import { fail } from "../../kernel/kernel-error.ts";
import type { LockTable } from "./lock-table.ts";
import type { RecordLocks } from "./record-locks.ts";

/** Ranges of one lifetime: each is held in the embedder's memory, and looked at by whoever locks the same file. */
export const mostHeldLocks = 1024;

export class LockHolder {
  readonly #table: LockTable;
  /** Those of which something is held. */
  readonly #files = new Set<RecordLocks>();
  #held = 0;
  #ended = false;

  constructor(table: LockTable) {
    this.#table = table;
  }

  /** How many ranges are held. */
  get held(): number {
    return this.#held;
  }

  /** See FileHandle.lock. */
  lock(identity: LockIdentity, { act, kind, first, last }: Omit<LockRequest, "waits">): HeldLock | undefined {
    // The embedder's code may have been asked which file it is, and have answered when the lifetime was over.
    if (this.#ended) fail("EIO");
    const present = this.#table.find(identity);
    const conflict = kind === "none" ? undefined : present?.conflict(this, { kind, first, last });
    if (conflict !== undefined || act === "test") return conflict;
    const file = present ?? this.#table.of(identity);
    const ranges = file.with(this, { kind, first, last });
    const isTooMany = this.#held - file.count(this) + ranges.length > mostHeldLocks;
    this.#put(file, isTooMany ? undefined : ranges);
    return isTooMany ? fail("ENOLCK") : undefined;
  }

  unlock(identity: LockIdentity): void {
    const file = this.#table.find(identity);
    if (file) this.#put(file, []);
  }

  end(): void {
    this.#ended = true;
    for (const file of this.#files) this.#put(file, []);
  }

  /** Undefined: they stay as they are. */
  #put(file: RecordLocks, ranges: readonly HeldLock[] | undefined): void {
    if (ranges !== undefined) {
      this.#held += ranges.length - file.count(this);
      file.put(this, ranges);
    }
    if (file.count(this) > 0) this.#files.add(file);
    else this.#files.delete(file);
    if (file.isEmpty) this.#table.forget(file.identity);
  }
}
