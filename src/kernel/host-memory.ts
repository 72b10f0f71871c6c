// The account of all host memory outside of linear memory that one guest makes the host hold: descriptors, pipes, listings,
// and through `account` of a memory file system also files and names. Every byte is taken before it is allocated and given
// back when it is let go. Invariant: an idle process has used exactly 0.
//
// What one system call allocates and drops again is not charged, because it is bounded by the call: two paths of 4 KiB, 16,384
// components of a walk, 1024 vectors (as views), 128 KiB while a content chunk grows; everything else is copied in place.
import { fail } from "./kernel-error.ts";

/** What file content must leave for the rest: a guest whose files fill the account can still open, list and remove them. */
const shareBeyondContent = 1 / 16;

export class HostMemory {
  readonly limitBytes: number;
  /** How much of the limit file content can get. */
  readonly contentLimitBytes: number;
  #usedBytes = 0;
  #peakBytes = 0;

  constructor(limitBytes: number) {
    if (!Number.isSafeInteger(limitBytes) || limitBytes < 0) throw new RangeError(`a limit of ${limitBytes}`);
    this.limitBytes = limitBytes;
    this.contentLimitBytes = limitBytes - Math.ceil(limitBytes * shareBeyondContent);
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
  /** The most that was ever used at once. */
  get peakBytes(): number {
    return this.#peakBytes;
  }
  get freeBytes(): number {
    return this.limitBytes - this.#usedBytes;
  }

  /** What file content can still get. */
  get freeContentBytes(): number {
    return Math.max(0, this.contentLimitBytes - this.#usedBytes);
  }

  /** All or nothing. ENOSPC is for file content, with its names and inodes, ENOMEM for everything else. */
  take(bytes: number, refusal: "ENOMEM" | "ENOSPC" = "ENOMEM"): void {
    if (!(bytes >= 0)) throw new RangeError(`taking ${bytes} bytes`);
    if (bytes > (refusal === "ENOSPC" ? this.freeContentBytes : this.freeBytes)) fail(refusal);
    this.#usedBytes += bytes;
    if (this.#usedBytes > this.#peakBytes) this.#peakBytes = this.#usedBytes;
  }

  /** Throws RangeError for more than is used: a fault of ours, which must not turn into room for the guest. */
  give(bytes: number): void {
    if (!(bytes >= 0 && bytes <= this.#usedBytes))
      throw new RangeError(`giving ${bytes} of ${this.#usedBytes}`);
    this.#usedBytes -= bytes;
  }
}
