// A growable byte buffer for WebAssembly output. It doubles when full, so that writing n bytes costs O(n);
// `number[]` would cost eight bytes and a bounds check for each byte of a nine-megabyte image.

const utf8 = new TextEncoder();

/** Appends bytes and LEB128 numbers. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacityBytes = 1024) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(values: Uint8Array | readonly number[]): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** LEB128 in the fewest bytes. `value` is an integer in 0..2^32-1; anything else throws RangeError. */
  u32(value: number): void {
    if (value >>> 0 !== value) throw new RangeError(`${value} is not an unsigned 32-bit integer`);
    let rest = value;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** LEB128 in the fewest bytes. `value` is an integer in -2^31..2^31-1; anything else throws RangeError. */
  s32(value: number): void {
    if ((value | 0) !== value) throw new RangeError(`${value} is not a signed 32-bit integer`);
    let rest = value;
    while (rest < -0x40 || rest > 0x3f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** A length-prefixed UTF-8 string. */
  name(value: string): void {
    this.sized(utf8.encode(value));
  }

  /** The number of bytes, then the bytes. */
  sized(values: Uint8Array): void {
    this.u32(values.length);
    this.bytes(values);
  }

  /** What was written, without a copy: write no more afterwards. Its buffer is no larger if the capacity was exact. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** The number of bytes that `ByteWriter.u32` writes for `value`. */
export function u32Bytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}
