// A cursor over the bytes of a WebAssembly module. Every read is checked against the end of the given range;
// reading past it, or a number that its LEB128 encoding does not allow, throws ImageFormatError.

import { ImageFormatError } from "./image-format-error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Reads forward through `bytes[offset..end)`. Encodings: WebAssembly core specification, section 5.2. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    if (offset < 0 || offset > end || end > bytes.length) {
      throw new ImageFormatError(`range ${offset}..${end} lies outside a file of ${bytes.length} bytes`);
    }
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  get done(): boolean {
    return this.offset >= this.end;
  }

  byte(what: string): number {
    const value = this.offset < this.end ? this.bytes[this.offset] : undefined;
    if (value === undefined) {
      throw new ImageFormatError(`file ends at byte ${this.end}, where ${what} was expected`);
    }
    this.offset += 1;
    return value;
  }

  /** LEB128, 0..2^32-1, at most five bytes. */
  u32(what: string): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte(what);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.byte(what);
    if (last > 0x0f) throw this.#overlong(what);
    return (value | (last << 28)) >>> 0;
  }

  /** LEB128, -2^31..2^31-1, at most five bytes. */
  s32(what: string): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte(what);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value << (25 - shift)) >> (25 - shift);
    }
    const last = this.byte(what);
    if (last > 0x07 && (last < 0x78 || last > 0x7f)) throw this.#overlong(what);
    return value | (last << 28);
  }

  /** A length-prefixed UTF-8 string. */
  name(what: string): string {
    const bytes = this.slice(this.u32(`length of ${what}`), what);
    try {
      return utf8.decode(bytes);
    } catch {
      throw new ImageFormatError(`${what} before byte ${this.offset} is not UTF-8`);
    }
  }

  /** A view (no copy) of the next `length` bytes. */
  slice(length: number, what: string): Uint8Array {
    const start = this.offset;
    if (length > this.end - start) {
      throw new ImageFormatError(`file ends at byte ${this.end}, within ${what} of ${length} bytes`);
    }
    this.offset = start + length;
    return this.bytes.subarray(start, this.offset);
  }

  /** Reads one byte and insists on its value. */
  expect(value: number, what: string): void {
    const found = this.byte(what);
    if (found !== value) {
      throw new ImageFormatError(`expected ${what} (${value}) at byte ${this.offset - 1}, found ${found}`);
    }
  }

  #overlong(what: string): ImageFormatError {
    return new ImageFormatError(`${what} before byte ${this.offset} does not fit 32 bits`);
  }
}
