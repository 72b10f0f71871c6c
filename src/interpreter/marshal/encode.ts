// Writes host values in marshal format, for the guest to read: data only. What Python has no faithful copy of is refused
// with the place where it stands, rather than sent as something similar.
import { toDigits } from "./integer.ts";
import { MarshalSink } from "./sink.ts";
import { maxDepth, tag } from "./tags.ts";
import { describeValue, UnsupportedValueError, type ValueProblem } from "./unsupported-value-error.ts";
import { OpaqueValue, PythonComplex } from "./values.ts";

export interface EncodeOptions {
  /** Bytes that the result may take; never more than 2^31 - 1, which is as far as the format's counts reach. */
  readonly maxBytes: number;
  /** What paths in errors begin with; "inputs" by default. */
  readonly root?: string;
}

/**
 * null and undefined become None; a number an int when it is a safe integer (but -0 is a float); bigint int; string str;
 * Uint8Array and ArrayBuffer bytes; Array list; Map, and an object of prototype Object.prototype or null, dict; Set set.
 * Containers may nest 200 deep. An object that stands in several places becomes several. Map keys and set members that
 * Python finds equal, such as 1, 1n and true, become one, as they would in Python.
 * Throws UnsupportedValueError; and whatever a getter of the value throws.
 */
export function encodeMarshal(value: unknown, options: EncodeOptions): Uint8Array<ArrayBuffer> {
  return new Writer(options).whole(value);
}

/** The name of a property, an index, or a Map's key or Set's member. */
type Segment = string | number | { readonly key: unknown };

class Writer {
  readonly #sink: MarshalSink;
  readonly #path: Segment[];
  readonly #ancestors: object[] = [];

  constructor({ maxBytes, root = "inputs" }: EncodeOptions) {
    this.#path = [root];
    this.#sink = new MarshalSink(maxBytes, () => this.#refusal("size", `more than ${maxBytes} bytes in all`));
  }

  whole(value: unknown): Uint8Array<ArrayBuffer> {
    this.#value(value);
    return this.#sink.finish();
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
    if (value instanceof Uint8Array) {
      this.#viewOf(value.buffer);
      this.#sink.bytes(value);
    } else if (value instanceof ArrayBuffer) this.#sink.bytes(this.#viewOf(value));
    else if (value instanceof PythonComplex) {
      this.#sink.double(tag.COMPLEX, value.real);
      this.#sink.double(undefined, value.imag);
    } else if (value instanceof OpaqueValue) this.#opaque(value);
    else {
      if (this.#ancestors.includes(value)) throw this.#refusal("cycle", "a value that contains itself");
      if (this.#ancestors.length >= maxDepth) throw this.#refusal("depth", `nested deeper than ${maxDepth}`);
      this.#ancestors.push(value);
      this.#container(value);
      this.#ancestors.pop();
    }
  }

  /** Node 20 has no ArrayBuffer.detached; a detached buffer's content is gone, and b"" would not be a copy of it. */
  #viewOf(buffer: ArrayBufferLike): Uint8Array {
    try {
      return new Uint8Array(buffer);
    } catch {
      throw this.#refusal("type", "bytes whose buffer was transferred away");
    }
  }

  #container(value: object): void {
    if (Array.isArray(value)) {
      const { length } = value;
      this.#sink.sized(tag.LIST, length);
      for (let index = 0; index < length; index++) this.#at(index, value[index]);
    } else if (value instanceof Map) {
      this.#sink.byte(tag.DICT);
      for (const [key, item] of value) {
        this.#key(key);
        this.#at({ key }, item);
      }
      this.#sink.byte(tag.NULL);
    } else if (value instanceof Set) {
      // Copied first: the count comes before the members, and a getter may change the set meanwhile.
      const members = [...value];
      this.#sink.sized(tag.SET, members.length);
      for (const member of members) this.#key(member);
    } else {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype !== null && prototype !== Object.prototype)
        throw this.#refusal("type", describeValue(value));
      this.#sink.byte(tag.DICT);
      for (const key of Object.keys(value)) {
        // Interned, so that many objects of one shape share their keys in the guest.
        this.#sink.text(key, true);
        this.#at(key, (value as Record<string, unknown>)[key]);
      }
      this.#sink.byte(tag.NULL);
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
    this.#value(value);
    this.#path.pop();
  }

  /** A record; see extensions.ts. */
  #opaque(value: OpaqueValue): void {
    const isEllipsis = value.type === "ellipsis";
    const fields = isEllipsis ? ["ellipsis"] : ["object", value.type, value.repr];
    this.#sink.byte(tag.SMALL_TUPLE);
    this.#sink.byte(fields.length + 1);
    this.#sink.byte(tag.ELLIPSIS);
    for (const field of fields) this.#sink.text(field, false);
  }

  #refusal(problem: ValueProblem, what: string): UnsupportedValueError {
    return new UnsupportedValueError(this.#path.map(showSegment).join(""), problem, what);
  }
}

function isHashable(value: object): boolean {
  return (
    value instanceof Uint8Array ||
    value instanceof ArrayBuffer ||
    value instanceof PythonComplex ||
    value instanceof OpaqueValue
  );
}

function showSegment(segment: Segment, position: number): string {
  if (typeof segment === "number") return `[${segment}]`;
  if (typeof segment === "object") return `[${describeValue(segment.key)}]`;
  if (position === 0) return segment;
  if (/^[A-Za-z_$][\w$]{0,80}$/.test(segment)) return `.${segment}`;
  return `[${describeValue(segment)}]`;
}
