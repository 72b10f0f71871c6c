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

export function jsonValue(value: GuestValue): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return { $int: value.toString() };
  if (typeof value === "number") return Number.isFinite(value) ? value : { $float: String(value) };
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value instanceof Map) return jsonMap(value);
  if (value instanceof Set) return { $set: [...value].map(jsonValue) };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  return jsonInstance(value);
}

function jsonInstance(value: object): unknown {
  if (value instanceof PythonFloat) return jsonValue(value.value);
  if (value instanceof PythonComplex) return { $complex: [jsonValue(value.real), jsonValue(value.imag)] };
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
    return { [`$${value.kind}`]: value.type, fields: jsonMap(value.fields) };
  if (value instanceof OpaqueValue) return { $object: value.type, repr: value.repr };
  // A kind that is newer than this list: told, rather than no report at all.
  return { $object: value.constructor?.name ?? "object", repr: String(value) };
}

function jsonMap(map: ReadonlyMap<GuestValue, GuestValue>): unknown {
  const keys = [...map.keys()];
  if (!keys.every((key) => typeof key === "string" && !key.startsWith("$"))) {
    return { $map: [...map].map(([key, item]) => [jsonValue(key), jsonValue(item)]) };
  }
  // Without a prototype, "__proto__" is a key like any other.
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, item] of map) object[key as string] = jsonValue(item);
  return object;
}
