// Messages through a byte stream: a length (4 bytes, little-endian) and a body. A body is a JSON head, its own length before it, and
// raw bytes behind. The reader trusts nothing: whoever stands at the other end may be a guest that broke out of its engine.

const lengthBytes = 4;

export interface Frame {
  readonly head: unknown;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The bytes of one frame, in pieces that are to be written one after the other. */
export function encodeFrame(head: unknown, bytes: Uint8Array = new Uint8Array(0)): readonly Uint8Array[] {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const start = new Uint8Array(2 * lengthBytes + text.length);
  const view = new DataView(start.buffer);
  view.setUint32(0, lengthBytes + text.length + bytes.length, true);
  view.setUint32(lengthBytes, text.length, true);
  start.set(text, 2 * lengthBytes);
  return [start, bytes];
}

/** A body without its length. Throws RangeError or SyntaxError when it is none. */
export function decodeBody(body: Uint8Array): Frame {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const textBytes = view.getUint32(0, true);
  if (textBytes > body.length - lengthBytes) throw new RangeError("a frame's head is longer than the frame");
  const text = new TextDecoder().decode(body.subarray(lengthBytes, lengthBytes + textBytes));
  return { head: JSON.parse(text), bytes: body.slice(lengthBytes + textBytes) as Uint8Array<ArrayBuffer> };
}

/** Collects chunks of a stream until a body is whole. */
export class FrameReader {
  readonly #maxBodyBytes: () => number;
  #chunks: Uint8Array[] = [];
  #heldBytes = 0;

  /** `maxBodyBytes` is asked for each frame: a longer one is refused before it is held. */
  constructor(maxBodyBytes: () => number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** The bodies that are whole by now. Throws RangeError for a frame that is too long. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    for (;;) {
      const start = this.#peek(lengthBytes);
      if (start === undefined) return;
      const bodyBytes = new DataView(start.buffer, start.byteOffset).getUint32(0, true);
      if (bodyBytes < lengthBytes || bodyBytes > this.#maxBodyBytes())
        throw new RangeError(`a frame of ${bodyBytes} bytes`);
      if (this.#heldBytes < lengthBytes + bodyBytes) return;
      const all = this.#joined();
      this.#chunks = [all.subarray(lengthBytes + bodyBytes)];
      this.#heldBytes = all.length - lengthBytes - bodyBytes;
      yield all.subarray(lengthBytes, lengthBytes + bodyBytes);
    }
  }

  #peek(bytes: number): Uint8Array | undefined {
    if (this.#heldBytes < bytes) return undefined;
    const [first] = this.#chunks;
    return first !== undefined && first.length >= bytes ? first : this.#joined();
  }

  #joined(): Uint8Array {
    if (this.#chunks.length !== 1) {
      const all = new Uint8Array(this.#heldBytes);
      let at = 0;
      for (const chunk of this.#chunks) {
        all.set(chunk, at);
        at += chunk.length;
      }
      this.#chunks = [all];
    }
    return this.#chunks[0] ?? new Uint8Array(0);
  }
}
