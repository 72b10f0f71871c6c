// The content of one file: chunks of at most 64 KiB in a map, none where nothing was written (a hole), short where little
// was. Invariants: bytes of a chunk beyond the file's size are zero; no chunk begins at or beyond the size; `heldBytes`
// and the chunk count are what the quota was charged.
import { fail } from "../kernel/kernel-error.ts";
import { chunkOverheadBytes, type Quota } from "./quota.ts";

export const chunkBytes = 65_536;
/** The largest size of a file, 8 TiB: chunk numbers stay small integers. */
export const maxFileBytes = 2 ** 43;
/** Chunks are as long as needed, in steps of this many bytes. */
export const granuleBytes = 64;

export class ByteStore {
  readonly #quota: Quota;
  readonly #chunks = new Map<number, Uint8Array>();
  #sizeBytes = 0;
  #heldBytes = 0;

  constructor(quota: Quota) {
    this.#quota = quota;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }
  /** Bytes of all chunks, without their overhead. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  read(target: Uint8Array, position: number): number {
    checkOffset(position);
    const total = Math.min(target.length, this.#sizeBytes - position);
    if (total <= 0) return 0;
    for (let done = 0; done < total; ) {
      const index = Math.floor((position + done) / chunkBytes);
      const offset = position + done - index * chunkBytes;
      const wanted = Math.min(chunkBytes - offset, total - done);
      const chunk = this.#chunks.get(index);
      const held = chunk === undefined ? 0 : Math.max(0, Math.min(wanted, chunk.length - offset));
      if (chunk !== undefined && held > 0) target.set(chunk.subarray(offset, offset + held), done);
      if (held < wanted) target.fill(0, done + held, done + wanted);
      done += wanted;
    }
    return total;
  }

  /** Writes what fits and returns how much; throws EFBIG or ENOSPC when nothing does. */
  write(source: Uint8Array, position: number): number {
    checkOffset(position);
    if (source.length === 0) return 0;
    if (position >= maxFileBytes) fail("EFBIG");
    const total = Math.min(source.length, maxFileBytes - position);
    let done = 0;
    while (done < total) {
      const index = Math.floor((position + done) / chunkBytes);
      const offset = position + done - index * chunkBytes;
      const wanted = Math.min(chunkBytes - offset, total - done);
      const chunk = this.#reach(index, offset, offset + wanted);
      if (chunk === undefined) break;
      const fits = Math.min(wanted, chunk.length - offset);
      chunk.set(source.subarray(done, done + fits), offset);
      done += fits;
    }
    if (done === 0) fail("ENOSPC");
    this.#sizeBytes = Math.max(this.#sizeBytes, position + done);
    return done;
  }

  truncate(sizeBytes: number): void {
    checkOffset(sizeBytes);
    if (sizeBytes > maxFileBytes) fail("EFBIG");
    const before = this.#sizeBytes;
    this.#sizeBytes = sizeBytes;
    if (sizeBytes >= before) return;
    this.#dropFrom(Math.ceil(sizeBytes / chunkBytes), Math.ceil(before / chunkBytes));
    const index = Math.floor(sizeBytes / chunkBytes);
    const chunk = this.#chunks.get(index);
    if (chunk !== undefined) this.#cut(index, chunk, sizeBytes - index * chunkBytes);
  }

  /** Holds every byte of [0, sizeBytes), so that no write there needs the quota; all or nothing. */
  allocate(sizeBytes: number): void {
    checkOffset(sizeBytes);
    if (sizeBytes > maxFileBytes) fail("EFBIG");
    // Also what bounds the loops below: they never run over more chunks than the quota could hold.
    if (sizeBytes - this.#heldBytes > this.#quota.freeBytes) fail("ENOSPC");
    let needBytes = 0;
    const missing: { index: number; lengthBytes: number }[] = [];
    for (let index = 0; index * chunkBytes < sizeBytes; index++) {
      const lengthBytes = granules(Math.min(chunkBytes, sizeBytes - index * chunkBytes));
      const chunk = this.#chunks.get(index);
      if (chunk !== undefined && chunk.length >= lengthBytes) continue;
      needBytes += lengthBytes - (chunk === undefined ? -chunkOverheadBytes : chunk.length);
      missing.push({ index, lengthBytes });
    }
    if (needBytes > this.#quota.freeBytes) fail("ENOSPC");
    for (const { index, lengthBytes } of missing) this.#grow(index, lengthBytes);
    this.#sizeBytes = Math.max(this.#sizeBytes, sizeBytes);
  }

  /** The chunk, grown to hold `end` or as much beyond `start` as the quota allows; undefined when not even one byte. */
  #reach(index: number, start: number, end: number): Uint8Array | undefined {
    const chunk = this.#chunks.get(index);
    const held = chunk?.length ?? 0;
    if (held >= end) return chunk;
    const affordable = held + this.#quota.freeBytes - (chunk === undefined ? chunkOverheadBytes : 0);
    const exact = granules(end);
    // Doubling keeps appends of single bytes linear; a first write gets just what it needs.
    const doubled = Math.min(chunkBytes, Math.max(exact, held * 2));
    const length = doubled <= affordable ? doubled : Math.min(exact, affordable);
    if (length > start && length > held) return this.#grow(index, length);
    return held > start ? chunk : undefined;
  }

  #grow(index: number, lengthBytes: number): Uint8Array {
    const chunk = this.#chunks.get(index);
    const held = chunk?.length ?? 0;
    this.#quota.take(lengthBytes - held + (chunk === undefined ? chunkOverheadBytes : 0));
    this.#heldBytes += lengthBytes - held;
    const grown = new Uint8Array(lengthBytes);
    if (chunk !== undefined) grown.set(chunk);
    this.#chunks.set(index, grown);
    return grown;
  }

  /** Leaves `keep` bytes of a chunk, in less memory where that is worth a copy. */
  #cut(index: number, chunk: Uint8Array, keep: number): void {
    if (keep >= chunk.length) return;
    const length = granules(keep);
    if (length > chunk.length / 2) {
      chunk.fill(0, keep);
      return;
    }
    const shorter = new Uint8Array(length);
    shorter.set(chunk.subarray(0, keep));
    this.#chunks.set(index, shorter);
    this.#heldBytes -= chunk.length - length;
    this.#quota.give(chunk.length - length);
  }

  /** Lets go of chunks first..end-1, walking whichever is shorter: the range (may be sparse) or the map. */
  #dropFrom(first: number, end: number): void {
    if (end - first <= this.#chunks.size) {
      for (let index = first; index < end; index++) this.#drop(index);
    } else {
      for (const index of this.#chunks.keys()) if (index >= first) this.#drop(index);
    }
  }

  #drop(index: number): void {
    const chunk = this.#chunks.get(index);
    if (chunk === undefined) return;
    this.#chunks.delete(index);
    this.#heldBytes -= chunk.length;
    this.#quota.give(chunk.length + chunkOverheadBytes);
  }
}

function granules(bytes: number): number {
  return Math.ceil(bytes / granuleBytes) * granuleBytes;
}

function checkOffset(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0) fail("EINVAL");
}
