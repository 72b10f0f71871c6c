// Values of every kind that crosses, and how they are compared: as text that tells apart what toEqual does not (a tuple from a list, an
// object from a Map, -0 from 0).
import fc from "fast-check";
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
  pythonEllipsis,
} from "sandboa";

/** What the guest has defined by an earlier run, so that instances can come back to it. */
export const definitions = `
import array, collections, dataclasses, datetime, decimal, enum, math, uuid, zoneinfo
from decimal import Decimal

@dataclasses.dataclass
class Point:
    x: object
    y: object = 0

@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    of: tuple = ()

class Outer:
    @dataclasses.dataclass
    class Inner:
        it: object

class Color(enum.Enum):
    RED = 1
    OTHER = "other"

class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2

class Flags(enum.Flag):
    A = 1
    B = 2

class Word(enum.StrEnum):
    YES = "yes"

Pair = collections.namedtuple("Pair", "left right")

class Refused(Exception):
    pass

class Detailed(ValueError):
    def __init__(self, code, text):
        super().__init__(code, text)
        self.code = code
`;

/** Tells the kind, the order of dicts, and everything that Python could tell apart. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return String(value);
  if (value === pythonEllipsis) return "...";
  const name = Object.getPrototypeOf(value)?.constructor.name ?? "object";
  if (Array.isArray(value)) return Object.isFrozen(value) ? `(${value.map(shown)})` : `[${value.map(shown)}]`;
  if (value instanceof Map) return `Map{${[...value].map(([k, v]) => `${shown(k)}: ${shown(v)}`)}}`;
  if (value instanceof Set) {
    const members = [...value].map(shown).sort();
    return `${Object.isFrozen(value) ? "frozen" : ""}Set{${members}}`;
  }
  if (value instanceof Uint8Array) return `bytes(${Buffer.from(value).toString("hex")})`;
  return `${name}{${Object.entries(value).map(([key, item]) => `${key}: ${shown(item)}`)}}`;
}

const digit = (most: number) => fc.integer({ min: 0, max: most });
const anyText = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ minLength: 250, maxLength: 260 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc
    .array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd700, max: 0xe000 })), { maxLength: 8 })
    .map((codes) => String.fromCharCode(...codes)),
  fc.constantFrom("__proto__", "constructor", "toString", "__class__", "\0", "\ud800", "\udc00\ud800"),
);
const anyDate = fc
  .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((date) => new PythonDate(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()));
const offsets = fc.oneof(
  fc.constantFrom(undefined, 0),
  fc.integer({ min: -86_399_999_999, max: 86_399_999_999 }),
);
const anyTime = fc
  .tuple(digit(23), digit(59), digit(59), digit(999_999), digit(1), offsets)
  .map(
    ([hour, minute, second, microsecond, fold, offset]) =>
      new PythonTime({ hour, minute, second, microsecond, fold, offset }),
  );
const anyDelta = fc
  .tuple(fc.integer({ min: -999_999_999, max: 999_999_999 }), digit(86_399), digit(999_999))
  .map(([days, seconds, microseconds]) => new PythonTimeDelta(days, seconds, microseconds));
const anyDecimal = fc
  .oneof(
    fc.tuple(fc.bigInt(), fc.integer({ min: 0, max: 30 })).map(([n, power]) => `${n}E+${power + 1}`),
    fc.constantFrom("0", "-0", "0.10", "1E+3", "NaN", "-sNaN12", "Infinity", "1E-999999"),
  )
  .map((text) => new PythonDecimal(/^-?\d{2,}E/.test(text) ? text.replace(/E.*/, "") : text));
const anyUuid = fc.uuid().map((text) => new PythonUuid(text));
const bigints = fc.oneof(
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }),
  fc.bigInt({ min: -(2n ** 4000n), max: -(2n ** 53n) - 1n }),
);

/** What Python can hash, no two of which are equal there. */
const anyKey: fc.Arbitrary<unknown> = fc.oneof(
  anyText,
  fc.integer(),
  bigints,
  fc.double({ noInteger: true }),
  fc.uint8Array({ maxLength: 4 }),
  anyDate,
  anyUuid,
  fc.constantFrom(null, pythonEllipsis),
  fc.tuple(anyText, fc.integer()).map((items) => Object.freeze(items)),
  fc.tuple(fc.constant(pythonEllipsis), fc.integer()).map((items) => Object.freeze(items)),
  fc.uniqueArray(anyText, { maxLength: 3 }).map((items) => Object.freeze(new Set(items))),
  anyText.map((name) => instance("dataclass", "Frozen", { name, of: Object.freeze([name]) })),
  fc.constantFrom("RED", "OTHER").map((name) => color(name)),
);

function instance(
  kind: "dataclass" | "enum" | "namedtuple" | "exception",
  name: string,
  fields: Readonly<Record<string, unknown>>,
): PythonInstance {
  const type = name.includes(".") ? name : `__main__.${name}`;
  return new PythonInstance(kind, type, new Map(Object.entries(fields) as [string, GuestValue][]));
}

const color = (name: string) => instance("enum", "Color", { name, value: name === "RED" ? 1 : "other" });
const error = (type: string, args: readonly unknown[], message: string) =>
  instance("exception", type, { args: Object.freeze(args), message });

const leaves: readonly fc.Arbitrary<unknown>[] = [
  anyText,
  fc.constantFrom<unknown>(null, true, false, -0, Number.NaN, Infinity, -Infinity, pythonEllipsis),
  fc.integer(),
  fc.maxSafeInteger(),
  bigints,
  fc.double({ noInteger: true }),
  fc.integer().map((value) => new PythonFloat(value)),
  fc.tuple(fc.double(), fc.double()).map(([real, imag]) => new PythonComplex(real, imag)),
  fc.uint8Array({ maxLength: 40 }),
  anyDate,
  anyTime,
  fc.tuple(anyDate, anyTime).map(([date, time]) => new PythonDateTime(date, time)),
  anyDelta,
  anyDecimal,
  anyUuid,
  fc.constantFrom("RED", "OTHER").map((name) => color(name)),
  fc
    .constantFrom("LOW", "HIGH")
    .map((name) => instance("enum", "Level", { name, value: name === "LOW" ? 1 : 2 })),
  fc.constantFrom<unknown>(
    instance("enum", "Flags", { name: "A|B", value: 3 }),
    instance("enum", "Flags", { name: null, value: 0 }),
    instance("enum", "Word", { name: "YES", value: "yes" }),
  ),
  fc.integer().map((value) => error("__main__.Refused", [value], String(value))),
  fc.integer().map((code) => error("__main__.Detailed", [code, "x"], `(${code}, 'x')`)),
  anyText.map((text) => error("builtins.ValueError", [text], text)),
  anyText.map((text) => error("builtins.OSError", [text], text)),
  fc.tuple(anyText, anyText).map(([type, repr]) => new OpaqueValue(`T${type}`, repr)),
];

/** Values in the form in which the guest gives them with the shape "maps" and exact floats. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: false },
    ...leaves,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(tie("value"), { maxLength: 5 }).map((items) => Object.freeze(items)),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => Object.freeze([pythonEllipsis, ...items])),
    fc
      .uniqueArray(fc.tuple(anyKey, tie("value")), { maxLength: 5, selector: ([key]) => shown(key) })
      .map((entries) => new Map(entries)),
    fc.uniqueArray(anyKey, { maxLength: 5, selector: shown }).map((members) => new Set(members)),
    fc
      .uniqueArray(anyKey, { maxLength: 5, selector: shown })
      .map((members) => Object.freeze(new Set(members))),
    fc.tuple(tie("value"), tie("value")).map(([x, y]) => instance("dataclass", "Point", { x, y })),
    tie("value").map((it) => instance("dataclass", "__main__.Outer.Inner", { it })),
    fc
      .tuple(tie("value"), tie("value"))
      .map(([left, right]) => instance("namedtuple", "Pair", { left, right })),
  ),
})).value;
