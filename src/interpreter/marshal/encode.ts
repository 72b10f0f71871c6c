// Writes host values in marshal format, for the guest to read: data only. What Python has no faithful copy of is refused
// with the place where it stands, rather than sent as something similar.
import { type ContainerKind, containerKind, isArrayBuffer } from "../../errors/object-kinds.ts";
import { toDigits } from "./integer.ts";
import { PythonFloat } from "./python-values.ts";
import { Listed, recordOf } from "./records.ts";
import { MarshalSink } from "./sink.ts";
import { flagRef, maxDepth, tag } from "./tags.ts";
import { unsoundness } from "./unsound-values.ts";
import { describeValue, UnsupportedValueError, type ValueProblem } from "./unsupported-value-error.ts";
import { PythonComplex, type ValueOptions } from "./values.ts";

export interface EncodeOptions {
  /** Bytes that the result may take; never more than 2^31 - 1, which is as far as the format's counts reach. */
  readonly maxBytes: number;
  /** What paths in errors begin with; "inputs" by default. */
  readonly root?: string;
  /** Several references to one object, and cycles: "refuse" (the default; sharing makes copies) or "keep". */
  readonly references?: ValueOptions["references"];
  /** The fields of a record for a function, or for an object of a class that has no copy; undefined refuses it. */
  readonly lend?: (value: object) => readonly unknown[] | undefined;
}

interface EncodedValue {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether there are records in it (extensions.ts). */
  readonly records: boolean;
}

/**
 * null and undefined become None; a number an int when it is a safe integer (but -0 is a float); bigint int; string str;
 * ArrayBuffer and what views one bytes; Array list, a frozen one tuple; Map, and an object of prototype Object.prototype or null, dict;
 * Set set, a frozen one frozenset; for the rest see records.ts. Containers may nest 200 deep. Map keys and set members that Python finds
 * equal, such as 1, 1n and true, become one, as they would in Python.
 * Throws UnsupportedValueError; and whatever a getter of the value throws.
 */
export function encodeMarshal(value: unknown, options: EncodeOptions): Uint8Array<ArrayBuffer> {
  return new Writer(options).whole(value).bytes;
}

/** The same, with whether there are records in it. */
export function encodeValue(value: unknown, options: EncodeOptions): EncodedValue {
  const atom = encodeAtom(value);
  if (atom !== undefined && atom.length <= options.maxBytes) return { bytes: atom, records: false };
  return new Writer(options).whole(value);
}

/** What most functions answer with takes no writer. */
function encodeAtom(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (value === null || value === undefined) return Uint8Array.of(tag.NONE);
  if (typeof value === "boolean") return Uint8Array.of(value ? tag.TRUE : tag.FALSE);
  if (typeof value !== "number" || (value | 0) !== value || Object.is(value, -0)) return undefined;
  return Uint8Array.of(tag.INT, value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24);
}

/** The name of a property, an index, or a Map's key or Set's member. */
type Segment = string | number | { readonly key: unknown };

/** Names that are remembered: more of them are no names, but data. */
const mostNames = 1024;

class Writer {
  readonly #sink: MarshalSink;
  readonly #path: Segment[];
  readonly #ancestors: object[] = [];
  readonly #lend: EncodeOptions["lend"];
  /** Where references are kept: the number of each object that was written. */
  readonly #numbers: Map<object, number> | undefined;
  /** The number of each name of an object that was written: most come again and again. */
  #names: Map<string, number> | undefined;
  /** How many numbers were given. */
  #numbered = 0;
  #records = false;

  constructor({ maxBytes, root = "inputs", references, lend }: EncodeOptions) {
    this.#path = [root];
    this.#lend = lend;
    this.#numbers = references === "keep" ? new Map() : undefined;
    this.#sink = new MarshalSink(maxBytes, () => this.#refusal("size", `more than ${maxBytes} bytes in all`));
  }

  whole(value: unknown): EncodedValue {
    try {
      this.#value(value);
      return { bytes: this.#sink.finish(), records: this.#records };
    } finally {
      this.#sink.release();
    }
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.#sink.text(value, false);
        return;
      case "number":
        this.#number(value);
        return;
      case "boolean":
        this.#sink.byte(value ? tag.TRUE : tag.FALSE);
        return;
      case "undefined":
        this.#sink.byte(tag.NONE);
        return;
      case "bigint":
        this.#bigint(value);
        return;
      case "object":
        if (value === null) this.#sink.byte(tag.NONE);
        else this.#object(value);
        return;
      default:
        if (typeof value !== "function" || !this.#lent(value))
          throw this.#refusal("type", describeValue(value));
    }
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#sink.double(tag.FLOAT, value);
    else if ((value | 0) === value) this.#sink.sized(tag.INT, value);
    else this.#bigint(BigInt(value));
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(32, value) === value) {
      this.#sink.sized(tag.INT, Number(value));
      return;
    }
    const digits = toDigits(value < 0n ? -value : value);
    this.#sink.sized(tag.LONG, value < 0n ? -digits.length : digits.length);
    this.#sink.digits(digits);
  }

  #object(value: object): void {
    const kind = containerKind(value);
    if (kind !== undefined) {
      // A capability may be a plain object, and what stands behind one any container.
      if (!this.#lent(value)) this.#nested(value, kind);
    } else if (ArrayBuffer.isView(value)) {
      this.#viewOf(value.buffer);
      this.#sink.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    } else if (isArrayBuffer(value)) this.#sink.bytes(this.#viewOf(value));
    else if (value instanceof PythonComplex) {
      this.#demandSound(value);
      this.#sink.double(tag.COMPLEX, value.real);
      this.#sink.double(undefined, value.imag);
    } else if (value instanceof PythonFloat) {
      this.#demandSound(value);
      this.#sink.double(tag.FLOAT, value.value);
    } else if (!this.#lent(value)) this.#recordOf(value);
  }

  /** As a container, or as the record of these fields. */
  #nested(value: object, as: ContainerKind | readonly unknown[]): void {
    if (this.#numbers) {
      const number = this.#numbers.get(value);
      if (number !== undefined) {
        if (!canHoldItself(as) && this.#ancestors.includes(value))
          throw this.#refusal(
            "cycle",
            "a value that contains itself, which only lists, tuples and dicts can",
          );
        this.#sink.sized(tag.REF, number);
        return;
      }
    } else if (this.#ancestors.includes(value)) throw this.#refusal("cycle", "a value that contains itself");
    if (this.#ancestors.length >= maxDepth) throw this.#refusal("depth", `nested deeper than ${maxDepth}`);
    this.#ancestors.push(value);
    if (typeof as === "string") this.#container(value, as);
    else this.#record(as, value);
    this.#ancestors.pop();
  }

  /** The type code of a container; where references are kept, with a number for those that follow. */
  #code(code: number, container: object): number {
    if (this.#numbers === undefined) return code;
    this.#numbers.set(container, this.#numbered++);
    return code | flagRef;
  }

  /** Whether it is lent: then it is written. */
  #lent(value: object): boolean {
    const fields = this.#lend?.(value);
    if (fields === undefined) return false;
    this.#record(fields);
    return true;
  }

  #demandSound(value: object): void {
    const fault = unsoundness(value);
    if (fault !== undefined) throw this.#refusal("type", fault);
  }

  #recordOf(value: object): void {
    this.#demandSound(value);
    const fields = recordOf(value);
    if (fields === undefined) throw this.#refusal("type", describeValue(value));
    this.#nested(value, fields);
  }

  /** Lists among the fields stand for tuples. `original` is what the record is of, where it may be referred to. */
  #record(fields: readonly unknown[], original?: object): void {
    this.#records = true;
    this.#sink.byte(original ? this.#code(tag.SMALL_TUPLE, original) : tag.SMALL_TUPLE);
    this.#sink.byte(fields.length + 1);
    this.#sink.byte(tag.ELLIPSIS);
    for (const field of fields) this.#field(field);
  }

  #field(field: unknown): void {
    if (field instanceof Listed || !Array.isArray(field) || Object.isFrozen(field)) {
      this.#value(field instanceof Listed ? field.items : field);
      return;
    }
    this.#sink.sized(tag.TUPLE, field.length);
    for (const item of field) this.#field(item);
  }

  /** Node 20 has no ArrayBuffer.detached; a detached buffer's content is gone, and b"" would not be a copy of it. */
  #viewOf(buffer: ArrayBufferLike): Uint8Array {
    try {
      return new Uint8Array(buffer);
    } catch {
      throw this.#refusal("type", "bytes whose buffer was transferred away");
    }
  }

  #container(value: object, kind: ContainerKind): void {
    if (kind === "list") {
      const list = value as readonly unknown[];
      const { length } = list;
      this.#sink.sized(this.#code(Object.isFrozen(value) ? tag.TUPLE : tag.LIST, value), length);
      for (let index = 0; index < length; index++) this.#at(index, list[index]);
    } else if (kind === "map") {
      this.#sink.byte(this.#code(tag.DICT, value));
      for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
        this.#key(key);
        this.#at({ key }, item);
      }
      this.#sink.byte(tag.NULL);
    } else if (kind === "set") {
      // Copied first: the count comes before the members, and a getter may change the set meanwhile.
      const members = [...(value as ReadonlySet<unknown>)];
      this.#sink.sized(this.#code(Object.isFrozen(value) ? tag.FROZENSET : tag.SET, value), members.length);
      for (const member of members) this.#key(member);
    } else {
      this.#sink.byte(this.#code(tag.DICT, value));
      for (const key of Object.keys(value)) {
        this.#name(key);
        this.#at(key, (value as Record<string, unknown>)[key]);
      }
      this.#sink.byte(tag.NULL);
    }
  }

  /** Written once, and interned, so that many objects of one shape share their keys in the guest. */
  #name(name: string): void {
    this.#names ??= new Map();
    const number = this.#names.get(name);
    if (number !== undefined) this.#sink.sized(tag.REF, number);
    else if (this.#names.size === mostNames) this.#sink.text(name, true);
    else {
      this.#names.set(name, this.#numbered++);
      this.#sink.text(name, true, flagRef);
    }
  }

  #at(segment: Segment, value: unknown): void {
    // Leaves, too, need their place in the path: any of them can be refused.
    this.#path.push(segment);
    this.#value(value);
    this.#path.pop();
  }

  #key(value: unknown): void {
    this.#path.push({ key: value });
    if (typeof value === "object" && value !== null && !isHashable(value)) {
      throw this.#refusal("unhashable", `as a dict key or set member: ${describeValue(value)}`);
    }
    if (typeof value === "string") this.#name(value);
    else this.#value(value);
    this.#path.pop();
  }

  #refusal(problem: ValueProblem, what: string): UnsupportedValueError {
    return new UnsupportedValueError(this.#path.map(showSegment).join(""), problem, what);
  }
}

/** Whether Python can make it before what it holds. */
function canHoldItself(as: ContainerKind | readonly unknown[]): boolean {
  return typeof as === "string" && as !== "set";
}

/** Whether Python can hash what it becomes, as far as that shows without looking inside. */
function isHashable(value: object): boolean {
  const kind = containerKind(value);
  if (kind === undefined) return true;
  return Object.isFrozen(value) && (kind === "list" || kind === "set");
}

function showSegment(segment: Segment, position: number): string {
  if (typeof segment === "number") return `[${segment}]`;
  if (typeof segment === "object") return `[${describeValue(segment.key)}]`;
  if (position === 0) return segment;
  if (/^[A-Za-z_$][\w$]{0,80}$/.test(segment)) return `.${segment}`;
  return `[${describeValue(segment)}]`;
}
