// A guest's value as JSON has it, for whoever reads nothing else, such as a model. What JSON does not have becomes text; large and deep
// values are cut.

const mostDepth = 32;
const mostNodes = 10_000;
const mostCharacters = 100_000;
/** Of Python's own (sys.int_info.default_max_str_digits). */
const mostDigits = 4300;
const longInteger = 10n ** BigInt(mostDigits);
/** Digits in all of integers that are longer than 128 bits: the time that their text takes grows with the square of each. */
const mostDigitsOfLong = 100_000;

/** What JSON can say. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export function jsonValue(value: unknown): JsonValue {
  let nodes = 0;
  let digits = 0;
  const integer = (part: bigint): JsonValue => {
    const number = Number(part);
    if (Number.isSafeInteger(number)) return number;
    if (BigInt.asIntN(128, part) === part) return String(part);
    if (part >= longInteger || part <= -longInteger) return `an int of more than ${mostDigits} digits`;
    if (digits > mostDigitsOfLong) return "…";
    const text = String(part);
    digits += text.length;
    return text;
  };
  const one = (part: unknown, depth: number): JsonValue => {
    nodes += 1;
    if (nodes > mostNodes || depth > mostDepth) return "…";
    switch (typeof part) {
      case "string":
        return cut(part);
      case "boolean":
        return part;
      case "number":
        return Number.isFinite(part) ? part : String(part);
      case "bigint":
        return integer(part);
      case "object":
        return part === null ? null : ofObject(part, depth + 1);
      default:
        return part === undefined ? null : String(typeof part);
    }
  };
  const list = (parts: Iterable<unknown>, depth: number): JsonValue[] => {
    const all: JsonValue[] = [];
    for (const part of parts) {
      if (nodes > mostNodes) return [...all, "…"];
      all.push(one(part, depth));
    }
    return all;
  };
  const named = (entries: Iterable<readonly [unknown, unknown]>, depth: number): JsonValue => {
    const all: [string, JsonValue][] = [];
    for (const [key, member] of entries) {
      if (nodes > mostNodes) break;
      all.push([typeof key === "string" ? cut(key) : JSON.stringify(one(key, depth)), one(member, depth)]);
    }
    // Defines members, also __proto__, and sets none.
    return Object.fromEntries(all);
  };
  const ofObject = (part: object, depth: number): JsonValue => {
    if (Array.isArray(part)) return list(part, depth);
    if (part instanceof Map) return named(part, depth);
    if (part instanceof Set) return list(part, depth);
    if (part instanceof Date) return Number.isNaN(part.getTime()) ? "Invalid Date" : part.toISOString();
    if (part instanceof Uint8Array) return { base64: base64(part) };
    return named(Object.entries(part), depth);
  };
  return one(value, 0);
}

function cut(text: string): string {
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
}

function base64(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, mostCharacters);
  let text = "";
  for (const byte of shown) text += String.fromCharCode(byte);
  return `${btoa(text)}${shown.length < bytes.length ? "…" : ""}`;
}
