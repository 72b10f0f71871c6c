// Checked access to the guest's linear memory. Every address and length is a hostile number: ranges are checked as
// numbers (never with `| 0`), and the views are derived anew when the memory has grown, since growth detaches them.

/** The guest handed over an address range outside of its memory; the kernel turns this into EFAULT. */
export class GuestRangeFault {
  readonly address: number;
  readonly length: number;
  constructor(address: number, length: number) {
    this.address = address;
    this.length = length;
  }
}

/** Where the host notes which pages it lets a guest's calls reach, as the guest's own code does for what it writes. */
export interface Cards {
  /** Address of the byte for the first page. */
  readonly start: number;
  /** How many pages have one. Those behind them hold the table, and belong to nobody while the memory has its first size. */
  readonly pages: number;
  readonly shift: number;
}

export class GuestMemory {
  readonly #memory: { readonly buffer: ArrayBuffer };
  readonly #cards: Cards | undefined;
  #notesHold = true;
  #buffer: ArrayBuffer;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;

  constructor(memory: { readonly buffer: ArrayBuffer }, cards?: Cards) {
    this.#memory = memory;
    this.#cards = cards;
    this.#buffer = memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }

  /** All of linear memory, valid until the guest runs or the memory grows. Who writes there has had the range checked. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#memory.buffer !== this.#buffer) this.#renew();
    return this.#bytes;
  }

  get view(): DataView {
    if (this.#memory.buffer !== this.#buffer) this.#renew();
    return this.#view;
  }

  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  #renew(): void {
    this.#buffer = this.#memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }

  /**
   * Throws GuestRangeFault unless [address, address+length) lies in memory and does not begin at NULL; returns the address as an
   * unsigned number. Where pages are noted it notes the range, since most of those who ask are about to write.
   */
  check(address: number, length: number): number {
    const start = address >>> 0;
    const size = length >>> 0;
    if ((start === 0 && size > 0) || start + size > this.size) throw new GuestRangeFault(start, size);
    if (this.#cards && size > 0) this.#note(this.#cards, start, size);
    return start;
  }

  /** Whether the notes tell of every page that was written since `believeNotes`. */
  get notesHold(): boolean {
    return (
      this.#notesHold && this.#cards !== undefined && this.size === this.#cards.start + this.#cards.pages
    );
  }

  /** From now on somebody writes who notes nothing. */
  doubtNotes(): void {
    this.#notesHold = false;
  }

  /** The memory has been restored as a whole, and the notes with it. */
  believeNotes(): void {
    this.#notesHold = true;
  }

  #note(cards: Cards, start: number, size: number): void {
    const bytes = this.bytes;
    // In a memory that has grown the table means nothing, and is an address like others.
    if (bytes.length !== cards.start + cards.pages) return;
    const last = (start + size - 1) >>> cards.shift;
    if (last >= cards.pages) throw new GuestRangeFault(start, size);
    const first = start >>> cards.shift;
    if (first === last) bytes[cards.start + first] = 1;
    else bytes.fill(1, cards.start + first, cards.start + last + 1);
  }

  /** A view of guest memory. Hostile content: copy before validating anything that could change. */
  slice(address: number, length: number): Uint8Array<ArrayBuffer> {
    const start = this.check(address, length);
    return this.bytes.subarray(start, start + (length >>> 0));
  }

  getU8(address: number): number {
    return this.view.getUint8(this.check(address, 1));
  }
  getU16(address: number): number {
    return this.view.getUint16(this.check(address, 2), true);
  }
  getU32(address: number): number {
    return this.view.getUint32(this.check(address, 4), true);
  }
  getI32(address: number): number {
    return this.view.getInt32(this.check(address, 4), true);
  }
  getI64(address: number): bigint {
    return this.view.getBigInt64(this.check(address, 8), true);
  }
  setU8(address: number, value: number): void {
    this.view.setUint8(this.check(address, 1), value);
  }
  setU16(address: number, value: number): void {
    this.view.setUint16(this.check(address, 2), value, true);
  }
  setU32(address: number, value: number): void {
    this.view.setUint32(this.check(address, 4), value, true);
  }
  setI32(address: number, value: number): void {
    this.view.setInt32(this.check(address, 4), value, true);
  }
  setI64(address: number, value: bigint): void {
    this.view.setBigInt64(this.check(address, 8), BigInt.asIntN(64, value), true);
  }

  /**
   * The NUL-terminated string at `address` as a byte string (one character per byte). Throws GuestRangeFault when no NUL
   * comes before the end of memory; returns undefined when it is longer than `limit` bytes.
   */
  readByteString(address: number, limit: number): string | undefined {
    const start = this.check(address, 1);
    const bytes = this.bytes;
    const stop = Math.min(start + limit + 1, bytes.length);
    const end = bytes.subarray(start, stop).indexOf(0);
    if (end < 0) {
      if (stop === bytes.length) throw new GuestRangeFault(start, stop - start);
      return undefined;
    }
    return latin1(bytes.subarray(start, start + end));
  }
}

const chunk = 4096;

/** Bytes to a byte string: one character of code 0..255 per byte. */
export function latin1(bytes: Uint8Array): string {
  if (bytes.length <= chunk) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = "";
  for (let at = 0; at < bytes.length; at += chunk) text += latin1(bytes.subarray(at, at + chunk));
  return text;
}

/** A byte string back to bytes. Characters above 255 are a programming error of the host. */
export function fromLatin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** A host string as the byte string of its UTF-8 form: how host-chosen names become guest names. */
export function byteString(text: string): string {
  return latin1(encoder.encode(text));
}

/** A byte string for people: UTF-8 where it is, U+FFFD where it is not. */
export function displayString(bytes: string): string {
  return decoder.decode(fromLatin1(bytes));
}
