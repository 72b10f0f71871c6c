// The bytes of a hostile value, read forward: each piece is checked against the end before it is looked at, and what it costs the host is
// counted before it is made.
import { maxIntegerDigits, readDigits } from "./integer.ts";
import { decodeAscii, decodeText, decodeWithSurrogates } from "./text.ts";

/** The bytes are not a value that this room accepts. The message quotes nothing of them but numbers. */
export class MarshalFormatError extends Error {
  override readonly name = "MarshalFormatError";
}

export class MarshalSource {
  protected readonly bytes: Uint8Array;
  protected readonly view: DataView;
  protected at = 0;
  /** Spent so far, and the most that may be. */
  protected items = 0;
  readonly #maxItems: number;
  /** Whether a text had any: then two texts of the guest's may be one here. */
  protected hasSurrogates = false;

  constructor(bytes: Uint8Array, maxItems: number) {
    // Not a Buffer: its slice() would be a view of the frame rather than a copy.
    this.bytes =
      Object.getPrototypeOf(bytes) === Uint8Array.prototype
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#maxItems = maxItems;
  }

  protected ascii(size: number): string {
    this.spend(size >>> 6);
    const at = this.take(size);
    const text = decodeAscii(this.bytes, at, at + size);
    if (text === undefined) throw this.error("a string marked as ASCII is not");
    return text;
  }

  protected text(): string {
    const size = this.size();
    const at = this.take(size);
    this.spend(size >>> 6);
    const text = decodeText(this.bytes, at, at + size);
    return text ?? this.#textWithSurrogates(at, at + size);
  }

  #textWithSurrogates(start: number, end: number): string {
    this.hasSurrogates = true;
    const text = decodeWithSurrogates(this.bytes.subarray(start, end));
    if (text === undefined) throw this.error("a string is not UTF-8");
    return text;
  }

  protected long(): number | bigint {
    const at = this.take(4);
    const signedCount = this.view.getInt32(at, true);
    const count = Math.abs(signedCount);
    if (count > maxIntegerDigits) throw this.error("an integer has too many digits");
    const first = this.take(count * 2);
    this.spend(count >>> 5);
    const value = readDigits(this.view, first, count, signedCount < 0);
    if (value === undefined) throw this.error("an integer is not normalised");
    return value;
  }

  protected double(): number {
    const at = this.take(8);
    return this.view.getFloat64(at, true);
  }

  protected byte(): number {
    return this.view.getUint8(this.take(1));
  }

  /** A count of bytes or elements. */
  protected size(): number {
    const at = this.take(4);
    const size = this.view.getInt32(at, true);
    if (size < 0) throw this.error("negative size");
    return size;
  }

  /** Moves past `size` bytes, and says where they begin. */
  protected take(size: number): number {
    const at = this.at;
    if (size > this.bytes.length - at) throw this.error("the value ends early");
    this.at = at + size;
    return at;
  }

  protected spend(items: number): void {
    this.items += items;
    if (!(this.items <= this.#maxItems))
      throw this.error(`the value costs more than ${this.#maxItems} items`);
  }

  protected error(what: string): MarshalFormatError {
    return new MarshalFormatError(`${what} (at byte ${this.at} of ${this.bytes.length})`);
  }
}
