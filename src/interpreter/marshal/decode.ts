// Reads a value that the guest wrote in marshal format. The bytes are hostile: whatever is wrong with them is a
// MarshalFormatError, the stack stays shallow, and what the result costs the host, also when walked, is bounded beforehand.
import { isThenable, newBareObject, startsWithDigit, withoutPrototype } from "./bare-object.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { extensions } from "./extensions.ts";
import { batchEntries, InsertionTime } from "./insertion-time.ts";
import { demandJson } from "./json-shape.ts";
import { PythonFloat } from "./python-values.ts";
import { MarshalFormatError, MarshalSource } from "./source.ts";
import { flagRef, maxDepth, tag, unnumbered } from "./tags.ts";
import { type GuestValue, PythonComplex, pythonEllipsis, stopIteration } from "./values.ts";

export { type DecodeOptions, MarshalFormatError };

/** `bytes` is one whole frame, in memory that nobody changes meanwhile. Mapping: see GuestValue. */
export function decodeMarshal(bytes: Uint8Array, options: DecodeOptions = {}): GuestValue {
  return new Reader(bytes, options).whole();
}

/** The same in the shape that is asked for. Throws also NotJsonError, for a value that the shape "json" refuses. */
export function decodeValue(bytes: Uint8Array, options: DecodeOptions): unknown {
  const value = decodeMarshal(bytes, options);
  if (options.shape === "json") demandJson(value);
  return value;
}

const defaultMaxItems = 2 ** 21;
/** V8 throws a RangeError of its own when a Map or Set gets more entries than this; each entry is an item at least. */
const mostItems = 2 ** 24;
/** Extra items: a Map, Set or typed array takes some 200 bytes even when empty. */
const bulkyItems = 4;

/** The records that `borrow` is asked about. */
const borrowed: ReadonlySet<unknown> = new Set(["host", "lent"]);

/** What a reference leads to while the value is being read. */
const incomplete = Symbol("incomplete");

/** What later references need to know of a value that is more than one item. */
interface Extent {
  readonly items: number;
  readonly height: number;
  readonly hashable: boolean;
}
const leaf: Extent = { items: 1, height: 0, hashable: true };

/** Keys that Python tells apart and JavaScript does not: several nan, or a character and its two surrogates. */
const becomeOne = "keys of a dict or members of a set become the same";

class Reader extends MarshalSource {
  readonly #maxDepth: number;
  readonly #nowMs: DecodeOptions["nowMs"];
  #insertions: InsertionTime | undefined;
  /** Values by reference number: many, and most of them leaves. */
  readonly #references: (GuestValue | typeof incomplete)[] = [];
  #extents: Map<number, Extent> | undefined;
  readonly #records: boolean;
  readonly #makesObjects: boolean;
  readonly #keepsCycles: boolean;
  readonly #exactFloats: boolean;
  readonly #borrow: DecodeOptions["borrow"];
  /** The reference number of the container that is about to be made; -1 for none. */
  #reserved = -1;
  /** Lists, dicts and sets met so far: a key during which this grows is not hashable. */
  #unhashables = 0;
  /** Containers within the value read last, itself included. References make this more than the depth of reading. */
  #height = 0;

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    super(bytes, Math.min(options.maxItems ?? defaultMaxItems, mostItems));
    this.#maxDepth = Math.min(options.maxDepth ?? maxDepth, maxDepth);
    this.#nowMs = options.nowMs;
    this.#records = options.records ?? true;
    this.#makesObjects = options.shape === "objects" || options.shape === "json";
    // JSON has none.
    this.#keepsCycles = options.references === "keep" && options.shape !== "json";
    this.#exactFloats = options.exactFloats === true;
    this.#borrow = options.borrow;
  }

  whole(): GuestValue {
    const value = this.#value(0);
    if (this.at !== this.bytes.length) throw this.error("bytes follow the value");
    return value;
  }

  /** `depth`: containers around this value. */
  #value(depth: number): GuestValue {
    const code = this.byte();
    if ((code & flagRef) === 0) return this.#typed(code, depth);
    const type = code & ~flagRef;
    // CPython gives these no number, flagged or not.
    if (unnumbered.has(type)) return this.#typed(type, depth);
    const number = this.#references.push(incomplete) - 1;
    const itemsBefore = this.items;
    const unhashablesBefore = this.#unhashables;
    this.#reserved = number;
    const value = this.#typed(type, depth);
    this.#reserved = -1;
    this.#references[number] = value;
    const items = this.items - itemsBefore;
    const hashable = this.#unhashables === unhashablesBefore;
    if (items > 1 || this.#height > 0 || !hashable)
      this.#extend(number, { items, height: this.#height, hashable });
    return value;
  }

  #extend(number: number, extent: Extent): void {
    this.#extents ??= new Map();
    this.#extents.set(number, extent);
  }

  /** A container that may be referred to from within itself. */
  #made<T extends GuestValue>(container: T): T {
    if (this.#keepsCycles && this.#reserved >= 0) {
      this.#references[this.#reserved] = container;
      this.#extend(this.#reserved, { items: 1, height: 0, hashable: false });
    }
    this.#reserved = -1;
    return container;
  }

  #typed(type: number, depth: number): GuestValue {
    this.spend(1);
    this.#height = 0;
    switch (type) {
      case tag.SHORT_ASCII:
      case tag.SHORT_ASCII_INTERNED:
        return this.ascii(this.byte());
      case tag.INT: {
        const at = this.take(4);
        return this.view.getInt32(at, true);
      }
      case tag.FLOAT:
        return this.#float();
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
        return this.#tuple(this.byte(), depth);
      case tag.TUPLE:
        return this.#tuple(this.size(), depth);
      case tag.SET:
        this.#unhashables += 1;
        return this.#set(depth);
      case tag.FROZENSET:
        return Object.freeze(this.#set(depth));
      case tag.ASCII:
      case tag.ASCII_INTERNED:
        return this.ascii(this.size());
      case tag.UNICODE:
      case tag.INTERNED:
        return this.text();
      case tag.ELLIPSIS:
        // Among records it has a record of its own.
        if (this.#records) throw this.error("an Ellipsis that is no record");
        return pythonEllipsis;
      case tag.STOP_ITERATION:
        return stopIteration;
      case tag.BYTES: {
        const size = this.size();
        this.spend(bulkyItems + (size >>> 6));
        const at = this.take(size);
        return this.bytes.slice(at, at + size);
      }
      case tag.LONG:
        return this.long();
      case tag.COMPLEX: {
        const real = this.double();
        return new PythonComplex(real, this.double());
      }
      case tag.CODE:
        throw this.error("a code object is no plain data");
      default:
        throw this.error(`type code ${type} is not one of plain data`);
    }
  }

  #list(depth: number): GuestValue[] {
    const count = this.#count(this.size(), depth);
    this.#unhashables += 1;
    return this.#elements(count, depth, this.#made([]));
  }

  #tuple(count: number, depth: number): GuestValue {
    this.#count(count, depth);
    if (this.#records && count > 0 && ((this.bytes[this.at] ?? 0) & ~flagRef) === tag.ELLIPSIS) {
      this.at += 1;
      return this.#extension(count - 1, depth);
    }
    return Object.freeze(this.#elements(count, depth, this.#made([])));
  }

  #extension(count: number, depth: number): GuestValue {
    this.#reserved = -1;
    const name = count > 0 ? this.#value(depth + 1) : undefined;
    if (borrowed.has(name)) {
      const value = this.#borrow?.([name, ...this.#elements(count - 1, depth, [])]);
      if (value === undefined) throw this.error("a thing that nobody has lent");
      return value as GuestValue;
    }
    const extension = typeof name === "string" ? extensions.get(name) : undefined;
    if (extension?.fieldCount !== count - 1) throw this.error("unknown kind of record");
    const value = extension.decode(this.#elements(count - 1, depth, []), (map, keys, values) =>
      this.#insertBatches(map, keys, values),
    );
    if (value === undefined) throw this.error("the fields of a record are of wrong types");
    return value;
  }

  /** The array grows as elements really come: a claimed count allocates nothing. */
  #elements(count: number, depth: number, elements: GuestValue[]): GuestValue[] {
    let height = 0;
    for (let index = 0; index < count; index++) {
      elements.push(this.#value(depth + 1));
      if (this.#height > height) height = this.#height;
    }
    this.#height = height + 1;
    return elements;
  }

  #dict(depth: number): GuestValue {
    this.#count(0, depth);
    this.spend(bulkyItems);
    this.#unhashables += 1;
    if (this.#makesObjects) {
      this.#reserved = -1;
      return this.#object(depth);
    }
    const map = this.#made(new Map<GuestValue, GuestValue>());
    let height = 0;
    let keys: GuestValue[] | undefined;
    let values: GuestValue[] = [];
    let count = 0;
    while (((this.bytes[this.at] ?? 0) & ~flagRef) !== tag.NULL) {
      const key = this.#key(depth + 1);
      if (this.#height > height) height = this.#height;
      const value = this.#value(depth + 1);
      if (this.#height > height) height = this.#height;
      count += 1;
      if (map.size < batchEntries) {
        map.set(key, value);
        continue;
      }
      keys ??= [];
      keys.push(key);
      values.push(value);
      if (keys.length < batchEntries) continue;
      this.#insertAll(map, keys, values);
      keys = undefined;
      values = [];
    }
    if (keys) this.#insertAll(map, keys, values);
    if (map.size !== count) throw this.error(becomeOne);
    this.at += 1;
    this.#height = height + 1;
    return map;
  }

  #insertAll(
    map: Map<GuestValue, GuestValue>,
    keys: readonly GuestValue[],
    values: readonly GuestValue[],
  ): void {
    this.#insert(map.size, keys.length, () => {
      for (let index = 0; index < keys.length; index++) map.set(keys[index], values[index]);
    });
  }

  #insertBatches(
    map: Map<GuestValue, GuestValue>,
    keys: readonly GuestValue[],
    values: readonly GuestValue[],
  ): void {
    for (let from = 0; from < keys.length; from += batchEntries)
      this.#insertAll(map, keys.slice(from, from + batchEntries), values.slice(from, from + batchEntries));
  }

  /** What is no object after all becomes a Map, in the order in which the guest had it. */
  #object(depth: number): GuestValue {
    const object: Record<string, GuestValue> = newBareObject();
    let pairs: [GuestValue, GuestValue][] | undefined;
    let isObject = true;
    let height = 0;
    let count = 0;
    while (((this.bytes[this.at] ?? 0) & ~flagRef) !== tag.NULL) {
      const key = this.#key(depth + 1);
      if (this.#height > height) height = this.#height;
      const value = this.#value(depth + 1);
      if (this.#height > height) height = this.#height;
      count += 1;
      const isName = typeof key === "string" && key !== "__proto__" && !isThenable(key, value);
      if (!isName) isObject = false;
      // Objects put names that are numbers first.
      if (pairs === undefined && !(isName && !startsWithDigit(key))) pairs = Object.entries(object);
      if (pairs === undefined) object[key as string] = value;
      else pairs.push([key, value]);
    }
    this.at += 1;
    this.#height = height + 1;
    if (!isObject) {
      const map = new Map<GuestValue, GuestValue>();
      this.#insertBatches(map, pairs?.map(([key]) => key) ?? [], pairs?.map(([, value]) => value) ?? []);
      if (map.size !== pairs?.length) throw this.error(becomeOne);
      return map;
    }
    const made = pairs === undefined ? object : (Object.fromEntries(pairs) as typeof object);
    if (this.hasSurrogates && Object.keys(made).length !== count) throw this.error(becomeOne);
    return withoutPrototype(made);
  }

  #set(depth: number): Set<GuestValue> {
    const count = this.#count(this.size(), depth);
    this.spend(bulkyItems);
    this.#reserved = -1;
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
    if (members.size !== count) throw this.error(becomeOne);
    this.#height = height + 1;
    return members;
  }

  #insert(present: number, entries: number, insert: () => void): void {
    this.#insertions ??= new InsertionTime(this.#nowMs);
    if (!this.#insertions.allows(present, entries, insert))
      throw this.error("the keys of a dict or set take too long");
  }

  #key(depth: number): GuestValue {
    const before = this.#unhashables;
    const key = this.#value(depth);
    if (this.#unhashables !== before) throw this.error("a dict or set holds a key that Python cannot hash");
    return key;
  }

  #reference(depth: number): GuestValue {
    const number = this.view.getUint32(this.take(4), true);
    const value = number < this.#references.length ? this.#references[number] : incomplete;
    if (value === incomplete) {
      const isKnown = number < this.#references.length;
      throw this.error(isKnown ? "the value contains itself" : "reference to no value");
    }
    const { items, height, hashable } = this.#extents?.get(number) ?? leaf;
    this.spend(items);
    if (depth + height > this.#maxDepth) throw this.#tooDeep();
    this.#height = height;
    if (!hashable) this.#unhashables += 1;
    return value;
  }

  #float(): number | PythonFloat {
    const value = this.double();
    return this.#exactFloats && Number.isSafeInteger(value) && !Object.is(value, -0)
      ? new PythonFloat(value)
      : value;
  }

  /** Opens a container. Each element takes a byte at least, so a count beyond what is left is a lie. */
  #count(count: number, depth: number): number {
    // Negated, here and in spend, so that a limit of NaN admits nothing rather than everything.
    if (!(depth < this.#maxDepth)) throw this.#tooDeep();
    if (count > this.bytes.length - this.at) throw this.error("the value ends early");
    return count;
  }

  #tooDeep(): MarshalFormatError {
    return this.error(`the value is nested deeper than ${this.#maxDepth}`);
  }
}
