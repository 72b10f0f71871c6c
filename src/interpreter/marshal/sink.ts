// A growing buffer that takes marshal's primitive forms and refuses to outgrow its limit.
import { tag } from "./tags.ts";
import { textBytes, writeAscii, writeText } from "./text.ts";

const formatLimitBytes = 2 ** 31 - 1;
/** Lent to one sink at a time, so that small values need no buffer of their own. */
const sharedBytes = new Uint8Array(1 << 14);
const sharedView = new DataView(sharedBytes.buffer);
let isLent = false;

export class MarshalSink {
  readonly #maxBytes: number;
  readonly #refusal: () => Error;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;
  /** Whether it has borrowed the shared buffer. */
  #borrows: boolean;

  /** `refusal` makes the error for a value that does not fit `maxBytes`. */
  constructor(maxBytes: number, refusal: () => Error) {
    this.#maxBytes = Math.min(maxBytes, formatLimitBytes);
    this.#refusal = refusal;
    this.#borrows = !isLent;
    isLent = true;
    this.#bytes = this.#borrows ? sharedBytes : new Uint8Array(512);
    this.#view = this.#borrows ? sharedView : new DataView(this.#bytes.buffer);
  }

  /** To be called once, whether the value was written or not. */
  release(): void {
    if (this.#borrows) isLent = false;
    this.#borrows = false;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  byte(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  /** A type code and the 32-bit number that belongs to it. */
  sized(type: number, value: number): void {
    const at = this.#reserve(5);
    this.#bytes[at] = type;
    this.#view.setInt32(at + 1, value, true);
  }

  double(type: number | undefined, value: number): void {
    if (type !== undefined) this.byte(type);
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value, true);
  }

  /** The 15-bit digits of an integer. */
  digits(digits: readonly number[]): void {
    let at = this.#reserve(digits.length * 2);
    for (const digit of digits) {
      this.#view.setUint16(at, digit, true);
      at += 2;
    }
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(5 + value.length);
    this.#bytes[at] = tag.BYTES;
    this.#view.setInt32(at + 1, value.length, true);
    this.#bytes.set(value, at + 5);
  }

  /** `flag`: of the type code. */
  text(value: string, interned: boolean, flag = 0): void {
    const short = value.length < 256;
    const before = this.#length;
    const at = this.#reserve((short ? 2 : 5) + value.length);
    if (writeAscii(value, this.#bytes, at + (short ? 2 : 5))) {
      if (short) {
        this.#bytes[at] = (interned ? tag.SHORT_ASCII_INTERNED : tag.SHORT_ASCII) | flag;
        this.#bytes[at + 1] = value.length;
      } else {
        this.#bytes[at] = (interned ? tag.ASCII_INTERNED : tag.ASCII) | flag;
        this.#view.setInt32(at + 1, value.length, true);
      }
      return;
    }
    this.#length = before;
    const size = textBytes(value);
    this.sized((interned ? tag.INTERNED : tag.UNICODE) | flag, size);
    // Reserving may replace the buffer, so it comes first.
    const start = this.#reserve(size);
    writeText(value, this.#bytes, start);
  }

  /** Makes room for `size` more bytes and says where they begin. */
  #reserve(size: number): number {
    const at = this.#length;
    const end = at + size;
    // Negated so that a limit of NaN admits nothing.
    if (!(end <= this.#maxBytes)) throw this.#refusal();
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(Math.max(end, this.#bytes.length * 2), this.#maxBytes));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return at;
  }
}
