// The account of one memory file system: every byte that the host holds for the guest is taken here before it is
// allocated and given back when it is let go; where the sandbox has one account for everything, each byte is charged there
// as well. Invariant: an empty file system has used exactly nothing.
import type { HostMemory } from "../kernel/host-memory.ts";
import { fail } from "../kernel/kernel-error.ts";

// Measured in V8 (Node 20.20, heap after collection, just after a hash table has doubled; src/kernel/host-memory-real.test.ts
// looks at it again): a file takes 556 bytes with its entry, a directory 604, with times of their own 620 and 670; a link 308,
// a pipe 390; a chunk 166 to 250 besides its bytes, and the allocator's share; an entry 155 when three of four were removed.
/** Charged for each file, directory, link and pipe: our objects, their times and maps. */
export const inodeBytes = 640;
/** Charged for each directory entry besides the bytes of its name. */
export const entryBytes = 96;
/** Charged for each content chunk besides its bytes: the typed array, its buffer and its place in the map. */
export const chunkOverheadBytes = 512;

export class Quota {
  readonly limitBytes: number;
  readonly limitInodes: number;
  readonly #account: HostMemory | undefined;
  #usedBytes = 0;
  #usedInodes = 0;

  constructor(limitBytes: number, limitInodes: number, account?: HostMemory) {
    this.limitBytes = Math.min(limitBytes, account?.contentLimitBytes ?? limitBytes);
    this.limitInodes = limitInodes;
    this.#account = account;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
  get usedInodes(): number {
    return this.#usedInodes;
  }
  /** The smaller of the two rooms: its own, and the account's. */
  get freeBytes(): number {
    const own = this.limitBytes - this.#usedBytes;
    return this.#account === undefined ? own : Math.min(own, this.#account.freeContentBytes);
  }
  get freeInodes(): number {
    return this.limitInodes - this.#usedInodes;
  }

  /** All or nothing; throws ENOSPC. */
  take(bytes: number, inodes = 0): void {
    if (inodes > this.freeInodes) fail("ENOSPC", "files");
    if (bytes > this.freeBytes) fail("ENOSPC");
    this.#account?.take(bytes, "ENOSPC");
    this.#usedBytes += bytes;
    this.#usedInodes += inodes;
  }

  give(bytes: number, inodes = 0): void {
    this.#account?.give(bytes);
    this.#usedBytes -= bytes;
    this.#usedInodes -= inodes;
  }
}
