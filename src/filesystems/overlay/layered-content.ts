// The content of a file that was changed over one that was not: chunks of our own, and the lower file's where there are none. A chunk
// is copied when it is first written to, so that a large file costs what was changed of it. Invariants: the store's size is the
// file's; a chunk shows the lower bytes if it begins below `lowerBytes` and is not our own; copied chunks are remembered by checksum.
import { fail } from "../../kernel/kernel-error.ts";
import { ByteStore, chunkBytes, granuleBytes } from "../byte-store.ts";
import { crc32 } from "../crc32.ts";
import { now, type Steps } from "../later.ts";
import { chunkOverheadBytes, type Quota } from "../quota.ts";
import type { TreeFile } from "../tree.ts";

/** Opens the lower file, as it was when it was looked at. */
type LowerFile = () => Steps<TreeFile>;

export class LayeredContent {
  readonly #store: ByteStore;
  readonly #quota: Quota;
  /** How much of the lower file's beginning can still show. */
  #lowerBytes: number;
  /** Our own chunks below `lowerBytes`, with what they began as; undefined when nothing was copied. */
  readonly #own = new Map<number, { readonly sum: number; readonly length: number } | undefined>();

  constructor(quota: Quota, lowerBytes: number) {
    this.#quota = quota;
    this.#store = new ByteStore(quota);
    this.#store.truncate(lowerBytes);
    this.#lowerBytes = lowerBytes;
  }

  get sizeBytes(): number {
    return this.#store.sizeBytes;
  }

  /** Whether the lower file's bytes are still needed somewhere. */
  get needsLower(): boolean {
    return this.#own.size * chunkBytes < this.#lowerBytes;
  }

  /** Whether bytes of the lower file were copied. */
  get copied(): boolean {
    for (const copy of this.#own.values()) if (copy !== undefined) return true;
    return false;
  }

  *read(position: number, length: number, lower: LowerFile): Steps<Uint8Array> {
    const target = new Uint8Array(Math.max(0, Math.min(length, this.sizeBytes - position)));
    this.#store.read(target, position);
    const end = Math.min(position + target.length, this.#lowerBytes);
    for (let at = position; at < end; ) {
      let until = at;
      while (until < end && !this.#own.has(Math.floor(until / chunkBytes))) until = chunkEnd(until);
      until = Math.min(until, end);
      if (until > at) target.set(yield* readFully(yield* lower(), at, until - at), at - position);
      at = until > at ? until : chunkEnd(at);
    }
    return target;
  }

  /** Writes what fits and returns how much. The bytes are read now or later. Throws ENOSPC, EFBIG. */
  *write(position: number, bytes: Uint8Array, lower: LowerFile): Steps<number> {
    const source = this.#loads(position, bytes.length) ? bytes.slice() : bytes;
    let done = 0;
    while (done < source.length) {
      const at = position + done;
      const wanted = Math.min(chunkEnd(at) - at, source.length - done);
      try {
        yield* this.#makeOwn(at, wanted, lower);
        const count = this.#store.write(source.subarray(done, done + wanted), at);
        done += count;
        if (count < wanted) break;
      } catch (error) {
        if (done === 0) throw error;
        break;
      }
    }
    return done;
  }

  truncate(size: number): void {
    this.#store.truncate(size);
    if (size >= this.#lowerBytes) return;
    this.#lowerBytes = size;
    for (const index of this.#own.keys()) if (index * chunkBytes >= size) this.#own.delete(index);
  }

  /** Whether the lower file still holds what was copied from it. */
  *matches(lower: LowerFile): Steps<boolean> {
    for (const [index, copied] of this.#own) {
      if (copied === undefined) continue;
      const bytes = yield* readFully(yield* lower(), index * chunkBytes, copied.length);
      if (crc32(bytes) !== copied.sum) return false;
    }
    return true;
  }

  /** Whether writing there begins with reading the lower file. */
  #loads(position: number, length: number): boolean {
    const first = Math.floor(position / chunkBytes);
    for (let index = first; index * chunkBytes < Math.min(position + length, this.#lowerBytes); index++)
      if (!this.#own.has(index)) return true;
    return false;
  }

  /** Makes the chunk at `at` our own before `length` bytes of it are written. */
  *#makeOwn(at: number, length: number, lower: LowerFile): Steps<void> {
    const index = Math.floor(at / chunkBytes);
    const start = index * chunkBytes;
    const shown = Math.min(chunkBytes, this.#lowerBytes - start);
    if (shown <= 0 || this.#own.has(index)) return;
    const needBytes = Math.ceil(Math.max(shown, at - start + length) / granuleBytes) * granuleBytes;
    if (this.#quota.freeBytes < needBytes + chunkOverheadBytes) fail("ENOSPC");
    if (at === start && length >= shown) this.#own.set(index, undefined);
    else {
      const bytes = yield* readFully(yield* lower(), start, shown);
      this.#store.write(bytes, start);
      this.#own.set(index, { sum: crc32(bytes), length: shown });
    }
  }
}

function chunkEnd(position: number): number {
  return (Math.floor(position / chunkBytes) + 1) * chunkBytes;
}

/** Exactly that many bytes; EIO when the file has become shorter than it was. */
function* readFully(file: TreeFile, position: number, length: number): Steps<Uint8Array> {
  if (file.read === undefined) fail("EACCES");
  const first = yield* now(file.read(position, length));
  if (first.length >= length) return first.subarray(0, length);
  const bytes = new Uint8Array(length);
  bytes.set(first);
  for (let done = first.length; done < length; ) {
    const part = yield* now(file.read(position + done, length - done));
    if (part.length === 0) fail("EIO");
    bytes.set(part.subarray(0, length - done), done);
    done += part.length;
  }
  return bytes;
}
