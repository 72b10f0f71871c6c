// The account of one memory file system: every byte that the host holds for the guest is taken here before it is
// allocated and given back when it is let go. Invariant: an empty file system has used exactly nothing.
import { fail } from "../kernel/kernel-error.ts";

/** Charged for each file, directory, link and pipe: our objects, their times and maps (measured in V8, rounded up). */
export const inodeBytes = 640;
/** Charged for each directory entry besides the bytes of its name. */
export const entryBytes = 96;
/** Charged for each content chunk besides its bytes: the typed array, its buffer and its place in the map. */
export const chunkOverheadBytes = 512;

export class Quota {
  readonly limitBytes: number;
  readonly limitInodes: number;
  #usedBytes = 0;
  #usedInodes = 0;

  constructor(limitBytes: number, limitInodes: number) {
    this.limitBytes = limitBytes;
    this.limitInodes = limitInodes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
  get usedInodes(): number {
    return this.#usedInodes;
  }
  get freeBytes(): number {
    return this.limitBytes - this.#usedBytes;
  }
  get freeInodes(): number {
    return this.limitInodes - this.#usedInodes;
  }

  /** All or nothing; throws ENOSPC. */
  take(bytes: number, inodes = 0): void {
    if (bytes > this.freeBytes || inodes > this.freeInodes) fail("ENOSPC");
    this.#usedBytes += bytes;
    this.#usedInodes += inodes;
  }

  give(bytes: number, inodes = 0): void {
    this.#usedBytes -= bytes;
    this.#usedInodes -= inodes;
  }
}
