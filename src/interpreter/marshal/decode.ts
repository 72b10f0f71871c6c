// Reads a value that the guest wrote in marshal format. The bytes are hostile: whatever is wrong with them is a
// MarshalFormatError, the stack stays shallow, and what the result costs the host, also when walked, is bounded beforehand.
import { extensions } from "./extensions.ts";
import { batchEntries, InsertionTime } from "./insertion-time.ts";
import { maxIntegerDigits, readDigits } from "./integer.ts";
import { flagRef, maxDepth, tag } from "./tags.ts";
import { decodeAscii, decodeText } from "./text.ts";
import { type GuestValue, PythonComplex } from "./values.ts";

/** The bytes are not a value that this room accepts. The message quotes nothing of them but numbers. */
export class MarshalFormatError extends Error {
  override readonly name = "MarshalFormatError";
}

export interface DecodeOptions {
  /** Containers within containers, at most and by default 200. */
  readonly maxDepth?: number;
  /**
   * What the value may cost, 2^21 by default and 2^24 at most. An item is about 64 bytes of host memory: each value
   * costs one, each 64 bytes of text, bytes or integer one more, each dict, set or bytes four more. A reference costs as
   * much as what it refers to, although both are the same object here: whoever walks, prints or clones the result pays
   * for every path to it.
   */
  readonly maxItems?: number;
  /** Milliseconds from an arbitrary origin. With a clock, keys chosen to collide are noticed; without, large dicts are refused. */
  readonly nowMs?: () => number;
}

/** `bytes` is one whole frame, in memory that nobody changes meanwhile. Mapping: see GuestValue. */
export function decodeMarshal(bytes: Uint8Array, options: DecodeOptions = {}): GuestValue {
  return new Reader(bytes, options).whole();
}

const defaultMaxItems = 2 ** 21;
/** V8 throws a RangeError of its own when a Map or Set gets more entries than this; each entry is an item at least. */
const mostItems = 2 ** 24;
/** Extra items: a Map, Set or typed array takes some 200 bytes even when empty. */
const bulkyItems = 4;

/** What later references need to know of a value. */
interface Reference {
  readonly value: GuestValue;
  readonly items: number;
  readonly height: number;
  readonly hashable: boolean;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #maxDepth: number;
  readonly #maxItems: number;
  readonly #insertions: InsertionTime;
  /** By reference number; undefined while the value is being read. */
  readonly #references: (Reference | undefined)[] = [];
  #at = 0;
  #items = 0;
  /** Lists, dicts and sets met so far: a key during which this grows is not hashable. */
  #unhashables = 0;
  /** Containers within the value read last, itself included. References make this more than the depth of reading. */
  #height = 0;

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    // Not `bytes` itself: a Buffer's slice() would be a view of the frame rather than a copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#maxDepth = Math.min(options.maxDepth ?? maxDepth, maxDepth);
    this.#maxItems = Math.min(options.maxItems ?? defaultMaxItems, mostItems);
    this.#insertions = new InsertionTime(options.nowMs);
  }

  whole(): GuestValue {
    const value = this.#value(0);
    if (this.#at !== this.#bytes.length) throw this.#error("bytes follow the value");
    return value;
  }

  /** `depth`: containers around this value. */
  #value(depth: number): GuestValue {
    const code = this.#byte();
    if ((code & flagRef) === 0) return this.#typed(code, depth);
    const type = code & ~flagRef;
    // CPython gives these no number, flagged or not.
    if (type === tag.NONE || type === tag.TRUE || type === tag.FALSE || type === tag.REF)
      return this.#typed(type, depth);
    const number = this.#references.push(undefined) - 1;
    const itemsBefore = this.#items;
    const unhashablesBefore = this.#unhashables;
    const value = this.#typed(type, depth);
    this.#references[number] = {
      value,
      items: this.#items - itemsBefore,
      height: this.#height,
      hashable: this.#unhashables === unhashablesBefore,
    };
    return value;
  }

  #typed(type: number, depth: number): GuestValue {
    this.#spend(1);
    this.#height = 0;
    switch (type) {
      case tag.SHORT_ASCII:
      case tag.SHORT_ASCII_INTERNED:
        return this.#ascii(this.#byte());
      case tag.INT: {
        const at = this.#take(4);
        return this.#view.getInt32(at, true);
      }
      case tag.FLOAT:
        return this.#double();
      case tag.NONE:
        return null;
      case tag.TRUE:
        return true;
      case tag.FALSE:
        return false;
      case tag.REF:
        return this.#reference(depth);
      case tag.LIST:
        return this.#list(depth);
      case tag.DICT:
        return this.#dict(depth);
      case tag.SMALL_TUPLE:
        return this.#tuple(this.#byte(), depth);
      case tag.TUPLE:
        return this.#tuple(this.#size(), depth);
      case tag.SET:
        this.#unhashables += 1;
        return this.#set(depth);
      case tag.FROZENSET:
        return this.#set(depth);
      case tag.ASCII:
      case tag.ASCII_INTERNED:
        return this.#ascii(this.#size());
      case tag.UNICODE:
      case tag.INTERNED:
        return this.#text();
      case tag.BYTES: {
        const size = this.#size();
        this.#spend(bulkyItems + (size >>> 6));
        const at = this.#take(size);
        return this.#bytes.slice(at, at + size);
      }
      case tag.LONG:
        return this.#long();
      case tag.COMPLEX: {
        const real = this.#double();
        return new PythonComplex(real, this.#double());
      }
      default:
        throw this.#error(`type code ${type} is not one of plain data`);
    }
  }

  #list(depth: number): GuestValue[] {
    const count = this.#count(this.#size(), depth);
    this.#unhashables += 1;
    return this.#elements(count, depth);
  }

  #tuple(count: number, depth: number): GuestValue {
    this.#count(count, depth);
    if (count > 0 && ((this.#bytes[this.#at] ?? 0) & ~flagRef) === tag.ELLIPSIS) {
      this.#at += 1;
      return this.#extension(count - 1, depth);
    }
    return Object.freeze(this.#elements(count, depth));
  }

  #extension(count: number, depth: number): GuestValue {
    const name = count > 0 ? this.#value(depth + 1) : undefined;
    const extension = typeof name === "string" ? extensions.get(name) : undefined;
    if (extension?.fieldCount !== count - 1) throw this.#error("unknown kind of record");
    const value = extension.decode(this.#elements(count - 1, depth));
    if (value === undefined) throw this.#error("the fields of a record are of wrong types");
    return value;
  }

  /** The array grows as elements really come: a claimed count allocates nothing. */
  #elements(count: number, depth: number): GuestValue[] {
    const elements: GuestValue[] = [];
    let height = 0;
    for (let index = 0; index < count; index++) {
      elements.push(this.#value(depth + 1));
      if (this.#height > height) height = this.#height;
    }
    this.#height = height + 1;
    return elements;
  }

  #dict(depth: number): Map<GuestValue, GuestValue> {
    this.#count(0, depth);
    this.#spend(bulkyItems);
    this.#unhashables += 1;
    const dict = new Map<GuestValue, GuestValue>();
    let keys: GuestValue[] = [];
    let values: GuestValue[] = [];
    const insert = (): void => {
      for (let index = 0; index < keys.length; index++) dict.set(keys[index], values[index]);
    };
    let height = 0;
    while (((this.#bytes[this.#at] ?? 0) & ~flagRef) !== tag.NULL) {
      keys.push(this.#key(depth + 1));
      if (this.#height > height) height = this.#height;
      values.push(this.#value(depth + 1));
      if (this.#height > height) height = this.#height;
      if (keys.length < batchEntries) continue;
      this.#insert(dict.size, keys.length, insert);
      keys = [];
      values = [];
    }
    this.#insert(dict.size, keys.length, insert);
    this.#at += 1;
    this.#height = height + 1;
    return dict;
  }

  #set(depth: number): Set<GuestValue> {
    const count = this.#count(this.#size(), depth);
    this.#spend(bulkyItems);
    const members = new Set<GuestValue>();
    let batch: GuestValue[] = [];
    const insert = (): void => {
      for (const member of batch) members.add(member);
    };
    let height = 0;
    for (let index = 0; index < count; index++) {
      batch.push(this.#key(depth + 1));
      if (this.#height > height) height = this.#height;
      if (batch.length < batchEntries) continue;
      this.#insert(members.size, batch.length, insert);
      batch = [];
    }
    this.#insert(members.size, batch.length, insert);
    this.#height = height + 1;
    return members;
  }

  #insert(present: number, entries: number, insert: () => void): void {
    if (!this.#insertions.allows(present, entries, insert))
      throw this.#error("the keys of a dict or set take too long");
  }

  #key(depth: number): GuestValue {
    const before = this.#unhashables;
    const key = this.#value(depth);
    if (this.#unhashables !== before) throw this.#error("a dict or set holds a key that Python cannot hash");
    return key;
  }

  #reference(depth: number): GuestValue {
    const at = this.#take(4);
    const reference = this.#references[this.#view.getUint32(at, true)];
    if (reference === undefined) throw this.#error("reference to no value, or to one that is not complete");
    this.#spend(reference.items);
    if (depth + reference.height > this.#maxDepth) throw this.#tooDeep();
    this.#height = reference.height;
    if (!reference.hashable) this.#unhashables += 1;
    return reference.value;
  }

  #ascii(size: number): string {
    this.#spend(size >>> 6);
    const at = this.#take(size);
    const text = decodeAscii(this.#bytes, at, at + size);
    if (text === undefined) throw this.#error("a string marked as ASCII is not");
    return text;
  }

  #text(): string {
    const size = this.#size();
    const at = this.#take(size);
    this.#spend(size >>> 6);
    const text = decodeText(this.#bytes, at, at + size);
    if (text === undefined) throw this.#error("a string is not UTF-8");
    return text;
  }

  #long(): number | bigint {
    const at = this.#take(4);
    const signedCount = this.#view.getInt32(at, true);
    const count = Math.abs(signedCount);
    if (count > maxIntegerDigits) throw this.#error("an integer has too many digits");
    const first = this.#take(count * 2);
    this.#spend(count >>> 5);
    const value = readDigits(this.#view, first, count, signedCount < 0);
    if (value === undefined) throw this.#error("an integer is not normalised");
    return value;
  }

  #double(): number {
    const at = this.#take(8);
    return this.#view.getFloat64(at, true);
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** A count of bytes or elements. */
  #size(): number {
    const at = this.#take(4);
    const size = this.#view.getInt32(at, true);
    if (size < 0) throw this.#error("negative size");
    return size;
  }

  /** Opens a container. Each element takes a byte at least, so a count beyond what is left is a lie. */
  #count(count: number, depth: number): number {
    // Negated, here and in #spend, so that a limit of NaN admits nothing rather than everything.
    if (!(depth < this.#maxDepth)) throw this.#tooDeep();
    if (count > this.#bytes.length - this.#at) throw this.#error("the value ends early");
    return count;
  }

  /** Moves past `size` bytes, and says where they begin. */
  #take(size: number): number {
    const at = this.#at;
    if (size > this.#bytes.length - at) throw this.#error("the value ends early");
    this.#at = at + size;
    return at;
  }

  #spend(items: number): void {
    this.#items += items;
    if (!(this.#items <= this.#maxItems))
      throw this.#error(`the value costs more than ${this.#maxItems} items`);
  }

  #tooDeep(): MarshalFormatError {
    return this.#error(`the value is nested deeper than ${this.#maxDepth}`);
  }

  #error(what: string): MarshalFormatError {
    return new MarshalFormatError(`${what} (at byte ${this.#at} of ${this.#bytes.length})`);
  }
}
