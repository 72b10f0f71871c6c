// A guest's value as JSON, for `--json`. What JSON lacks becomes an object with one key that begins with "$" (docs/results-and-denials.md).
import {
  type GuestValue,
  OpaqueValue,
  PythonComplex,
  PythonDate,
  PythonDateTime,
  PythonDecimal,
  PythonFloat,
  PythonInstance,
  PythonTime,
  PythonTimeDelta,
  PythonUuid,
} from "../../index.ts";

/** Of Python's own (sys.int_info.default_max_str_digits). */
const mostDigits = 4300;
const longInteger = 10n ** BigInt(mostDigits);
/** Digits in all of integers that are longer than 128 bits. */
const mostDigitsOfLong = 1_000_000;

export function jsonValue(value: GuestValue): unknown {
  return new Writer().value(value);
}

class Writer {
  #digits = 0;

  value(value: GuestValue): unknown {
    if (value === undefined || value === null) return null;
    if (typeof value === "bigint") return { $int: this.#integer(value) };
    if (typeof value === "number") return Number.isFinite(value) ? value : { $float: String(value) };
    if (typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (value instanceof Map) return this.#map(value);
    if (value instanceof Set) return { $set: [...value].map((item) => this.value(item)) };
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
    return this.#instance(value);
  }

  #instance(value: object): unknown {
    if (value instanceof PythonFloat) return this.value(value.value);
    if (value instanceof PythonComplex) return { $complex: [this.value(value.real), this.value(value.imag)] };
    if (value instanceof PythonDecimal) return { $decimal: value.text };
    if (value instanceof PythonUuid) return { $uuid: value.text };
    if (value instanceof PythonDate) return { $date: value.toString() };
    if (value instanceof PythonTime) return { $time: value.toString() };
    if (value instanceof PythonDateTime) return { $datetime: value.toString() };
    if (value instanceof PythonTimeDelta) {
      const { days, seconds, microseconds } = value;
      return { $timedelta: { days, seconds, microseconds } };
    }
    if (value instanceof PythonInstance)
      return { [`$${value.kind}`]: value.type, fields: this.#map(value.fields) };
    if (value instanceof OpaqueValue) return { $object: value.type, repr: value.repr };
    // A kind that is newer than this list: told, rather than no report at all.
    return { $object: value.constructor?.name ?? "object", repr: String(value) };
  }

  #map(map: ReadonlyMap<GuestValue, GuestValue>): unknown {
    const keys = [...map.keys()];
    if (!keys.every((key) => typeof key === "string" && !key.startsWith("$"))) {
      return { $map: [...map].map(([key, item]) => [this.value(key), this.value(item)]) };
    }
    // Without a prototype, "__proto__" is a key like any other.
    const object: Record<string, unknown> = Object.create(null);
    for (const [key, item] of map) object[key as string] = this.value(item);
    return object;
  }

  /**
   * Exact in either form, and `int(text, 0)` of Python reads both. The time that decimal text takes grows with the square of its
   * length, for hexadecimal text with the length.
   */
  #integer(value: bigint): string {
    if (BigInt.asIntN(128, value) === value) return String(value);
    const isLong = value >= longInteger || value <= -longInteger;
    if (isLong || this.#digits > mostDigitsOfLong)
      return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
    const text = String(value);
    this.#digits += text.length;
    return text;
  }
}
