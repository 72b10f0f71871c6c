// Texts of Python: literals, docstrings, and what an annotation may be. Nothing that comes out of here can be more than one literal.

const mostLiteralCharacters = 1000;
/** Less than so many decimal digits: text of more takes time that grows with the square of it. */
const mostLiteralBits = Math.floor(mostLiteralCharacters * Math.log2(10));
const mostDepth = 8;

/** A str literal on one line. */
export function stringLiteral(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The literal of a value that JSON has, or of a bigint; undefined if there is none, or a long one. */
export function valueLiteral(value: unknown): string | undefined {
  const text = literal(value, 0);
  return text === undefined || text.length > mostLiteralCharacters ? undefined : text;
}

function literal(value: unknown, depth: number): string | undefined {
  if (depth > mostDepth) return undefined;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "bigint")
    return BigInt.asIntN(mostLiteralBits, value) === value ? String(value) : undefined;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return undefined;
    if (Object.is(value, -0)) return "-0.0";
    const digits = String(value);
    // An int of Python's crosses as a bigint where a number does not hold it.
    return Number.isInteger(value) && !Number.isSafeInteger(value) && !digits.includes("e")
      ? `${digits}.0`
      : digits;
  }
  if (typeof value === "string")
    return value.length > mostLiteralCharacters ? undefined : stringLiteral(value);
  if (Array.isArray(value)) {
    const items = value.slice(0, mostLiteralCharacters).map((item) => literal(item, depth + 1));
    return items.includes(undefined) ? undefined : `[${items.join(", ")}]`;
  }
  if (typeof value !== "object") return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return undefined;
  const entries = Object.entries(value)
    .slice(0, mostLiteralCharacters)
    .map(([key, item]) => [stringLiteral(key), literal(item, depth + 1)] as const);
  return entries.some(([, item]) => item === undefined)
    ? undefined
    : `{${entries.map(([key, item]) => `${key}: ${item}`).join(", ")}}`;
}

/** Lines of a docstring, with its quotes, for the given indentation; no lines for an empty text. */
export function docstring(text: string, indent: string): string[] {
  const lines = text
    .trim()
    .replaceAll("\\", "\\\\")
    .replace(/"(?="|$)/g, '\\"')
    .replace(/[^\P{Cc}\n\r\t]|\p{Cs}/gu, "\ufffd")
    .split(/\r\n?|\n/)
    .map((line) => line.trimEnd());
  if (lines.length === 1 && lines[0] === "") return [];
  const [only = ""] = lines;
  const quoted = (line: string): string => (line === "" ? "" : `${indent}${line}`);
  if (lines.length === 1) return [`${indent}"""${only}"""`];
  return [`${indent}"""${only}`, ...lines.slice(1).map(quoted), `${indent}"""`];
}
