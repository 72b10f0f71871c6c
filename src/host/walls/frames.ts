// Messages through a byte stream: a length (4 bytes, little-endian) and a body. A body is a JSON head, its own length before it, and
// raw bytes behind. The reader trusts nothing: whoever stands at the other end may be a guest that broke out of its engine.

const lengthBytes = 4;
/** A head is a few numbers and words; parsed, a longer one could take many times its length. */
export const maxHeadBytes = 1 << 16;

interface Frame {
  readonly head: unknown;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Up to so many bytes are copied to be written with their head: a write for each would wake the reader twice. */
const together = 1 << 16;

/** The bytes of one frame, in pieces that are to be written one after the other. */
export function encodeFrame(head: unknown, bytes: Uint8Array = new Uint8Array(0)): readonly Uint8Array[] {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const isTogether = bytes.length <= together;
  const start = new Uint8Array(2 * lengthBytes + text.length + (isTogether ? bytes.length : 0));
  const view = new DataView(start.buffer);
  view.setUint32(0, lengthBytes + text.length + bytes.length, true);
  view.setUint32(lengthBytes, text.length, true);
  start.set(text, 2 * lengthBytes);
  if (!isTogether) return [start, bytes];
  start.set(bytes, 2 * lengthBytes + text.length);
  return [start];
}

/** A body without its length. Throws RangeError or SyntaxError when it is none. */
export function decodeBody(body: Uint8Array): Frame {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const textBytes = view.getUint32(0, true);
  if (textBytes > maxHeadBytes) throw new RangeError(`a head of ${textBytes} bytes`);
  if (textBytes > body.length - lengthBytes) throw new RangeError("a frame's head is longer than the frame");
  const text = new TextDecoder().decode(body.subarray(lengthBytes, lengthBytes + textBytes));
  return { head: JSON.parse(text), bytes: body.slice(lengthBytes + textBytes) as Uint8Array<ArrayBuffer> };
}

/** Collects chunks of a stream until a body is whole. Holds one body at most, however small the chunks are. */
export class FrameReader {
  readonly #maxBodyBytes: () => number;
  readonly #length = new Uint8Array(lengthBytes);
  #lengthAt = 0;
  #body: Uint8Array | undefined;
  #bodyAt = 0;

  /** `maxBodyBytes` is asked for each frame: a longer one is refused before it is held. */
  constructor(maxBodyBytes: () => number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** The bodies that are whole by now. Throws RangeError for a frame that is too long or too short; then it is of no more use. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#body === undefined) {
        const part = chunk.subarray(at, at + lengthBytes - this.#lengthAt);
        this.#length.set(part, this.#lengthAt);
        this.#lengthAt += part.length;
        at += part.length;
        if (this.#lengthAt === lengthBytes) this.#open();
        continue;
      }
      const part = chunk.subarray(at, at + this.#body.length - this.#bodyAt);
      this.#body.set(part, this.#bodyAt);
      this.#bodyAt += part.length;
      at += part.length;
      if (this.#bodyAt < this.#body.length) continue;
      const whole = this.#body;
      this.#body = undefined;
      this.#lengthAt = 0;
      yield whole;
    }
  }

  #open(): void {
    const bodyBytes = new DataView(this.#length.buffer).getUint32(0, true);
    if (bodyBytes < lengthBytes || bodyBytes > this.#maxBodyBytes())
      throw new RangeError(`a frame of ${bodyBytes} bytes`);
    this.#body = new Uint8Array(bodyBytes);
    this.#bodyAt = 0;
  }
}
