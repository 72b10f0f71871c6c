// The guest's output on its way from the worker to the host: a ring in shared memory, so that what was written is there even
// when the worker is killed in the next instant. One writer, one reader; a full ring makes the writer wait.

/** Frame: stream (1 byte), length (4 bytes), content. */
const headerBytes = 5;
const streams = ["stdout", "stderr"] as const;
/** Where a guest writes to. */
export type OutputStream = (typeof streams)[number];

const capacityBytes = 1 << 18;
const control = { written: 0, read: 1, announced: 2, length: 3 } as const;
const contentStart = control.length * 4;

export function makeOutputRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(contentStart + capacityBytes);
}

export class OutputWriter {
  readonly #control: Int32Array;
  readonly #content: Uint8Array;
  readonly #announce: () => void;

  /** `announce` wakes the reader; it is called only when the reader has not been told yet. */
  constructor(ring: SharedArrayBuffer, announce: () => void) {
    this.#control = new Int32Array(ring, 0, control.length);
    this.#content = new Uint8Array(ring, contentStart);
    this.#announce = announce;
  }

  write(stream: OutputStream, bytes: Uint8Array): void {
    const largest = capacityBytes / 2;
    for (let at = 0; at < bytes.length; at += largest) this.#frame(stream, bytes.subarray(at, at + largest));
  }

  #frame(stream: OutputStream, bytes: Uint8Array): void {
    const header = new Uint8Array(headerBytes);
    header[0] = streams.indexOf(stream);
    new DataView(header.buffer).setUint32(1, bytes.length, true);
    const written = Atomics.load(this.#control, control.written);
    for (;;) {
      // Positions are counters modulo 2^32; the capacity divides that.
      const read = Atomics.load(this.#control, control.read);
      const used = (written - read) >>> 0;
      if (capacityBytes - used >= headerBytes + bytes.length) break;
      this.#wake();
      Atomics.wait(this.#control, control.read, read);
    }
    this.#put(written >>> 0, header);
    this.#put((written >>> 0) + headerBytes, bytes);
    Atomics.store(this.#control, control.written, (written + headerBytes + bytes.length) | 0);
    this.#wake();
  }

  #put(position: number, bytes: Uint8Array): void {
    const from = position % capacityBytes;
    const first = Math.min(bytes.length, capacityBytes - from);
    this.#content.set(bytes.subarray(0, first), from);
    this.#content.set(bytes.subarray(first), 0);
  }

  #wake(): void {
    if (Atomics.exchange(this.#control, control.announced, 1) === 0) this.#announce();
  }
}

export class OutputReader {
  readonly #control: Int32Array;
  readonly #content: Uint8Array;

  constructor(ring: SharedArrayBuffer) {
    this.#control = new Int32Array(ring, 0, control.length);
    this.#content = new Uint8Array(ring, contentStart);
  }

  /**
   * Takes everything that was complete when this was called: a writer that goes on meanwhile announces that anew, and must not keep
   * the reader's thread here. Chunks are copies.
   */
  drain(take: (stream: OutputStream, bytes: Uint8Array<ArrayBuffer>) => void): void {
    Atomics.store(this.#control, control.announced, 0);
    const written = Atomics.load(this.#control, control.written);
    for (;;) {
      const read = Atomics.load(this.#control, control.read);
      if (read === written) return;
      const header = this.#get(read >>> 0, headerBytes);
      const length = new DataView(header.buffer).getUint32(1, true);
      take(streams[header[0] ?? 0] ?? "stdout", this.#get((read >>> 0) + headerBytes, length));
      Atomics.store(this.#control, control.read, (read + headerBytes + length) | 0);
      Atomics.notify(this.#control, control.read);
    }
  }

  #get(position: number, length: number): Uint8Array<ArrayBuffer> {
    const from = position % capacityBytes;
    const bytes = new Uint8Array(length);
    const first = Math.min(length, capacityBytes - from);
    bytes.set(this.#content.subarray(from, from + first));
    bytes.set(this.#content.subarray(0, length - first), first);
    return bytes;
  }
}
