// Values of Python's kinds that Python would not make are refused with the place where they stand; whatever it would make is not.
import { expect, test } from "vitest";
import { encodeValue } from "./encode.ts";
import {
  PythonDate,
  PythonDateTime,
  PythonDecimal,
  PythonFloat,
  PythonTime,
  PythonTimeDelta,
  PythonUuid,
} from "./python-values.ts";
import { OpaqueValue, PythonComplex, PythonInstance } from "./values.ts";

const day = new PythonDate(2020, 2, 29);
const noon = new PythonTime({ hour: 12 });
const instance = (kind: string, type: unknown, fields: unknown): PythonInstance =>
  new PythonInstance(kind as "enum", type as string, fields as Map<string, never>);
const encode = (x: unknown) => encodeValue({ x: [x] }, { maxBytes: 10_000 });

test.each<[words: string, value: unknown]>([
  ["PythonDate", new PythonDate(2020, 13, 1)],
  ["PythonDate", new PythonDate(2021, 2, 29)],
  ["PythonDate", new PythonDate(1900, 2, 29)],
  ["PythonDate", new PythonDate(0, 1, 1)],
  ["PythonDate", new PythonDate(10_000, 1, 1)],
  ["PythonDate", new PythonDate("2020" as never, 1, 1)],
  ["PythonDate", new PythonDate(2020, 1.5, 1)],
  ["PythonTime", new PythonTime({ hour: 24 })],
  ["PythonTime", new PythonTime({ minute: -1 })],
  ["PythonTime", new PythonTime({ second: 60 })],
  ["PythonTime", new PythonTime({ microsecond: 1e6 })],
  ["PythonTime", new PythonTime({ fold: 2 })],
  ["PythonTime", new PythonTime({ offset: 86_400_000_000 })],
  ["PythonTime", new PythonTime({ offset: null as never })],
  ["PythonTime", new PythonTime({ zone: 5 as never })],
  ["PythonDateTime", new PythonDateTime(day, new PythonTime({ hour: 25 }))],
  ["PythonDateTime", new PythonDateTime(new PythonDate(2020, 2, 30), noon)],
  ["PythonDateTime", new PythonDateTime("2020-01-01" as never, noon)],
  ["PythonTimeDelta", new PythonTimeDelta(1e9, 0, 0)],
  ["PythonTimeDelta", new PythonTimeDelta(999_999_999, 86_400, 0)],
  ["PythonTimeDelta", new PythonTimeDelta(0.5, 0, 0)],
  ["PythonTimeDelta", new PythonTimeDelta(0, 0, Number.NaN)],
  ...["abc", "", ".", "1e", "--1", "1 2", "e5", "1e425000001", "1e-850000000", "nanx", 5].map(
    (text): [string, unknown] => ["PythonDecimal", new PythonDecimal(text as string)],
  ),
  ...["x", "", "12345678-1234-1234-1234-12345678901", "g2345678-1234-1234-1234-123456789012", 5].map(
    (text): [string, unknown] => ["PythonUuid", new PythonUuid(text as string)],
  ),
  ["PythonFloat", new PythonFloat("x" as never)],
  ["PythonFloat", new PythonFloat(1n as never)],
  ["PythonComplex", new PythonComplex(1, undefined as never)],
  ["OpaqueValue", new OpaqueValue("a.B", 5 as never)],
  ["PythonInstance", instance("dataclass", "a.B", { a: 1 })],
  ["PythonInstance", instance("dataclass", "a.B", undefined)],
  ["PythonInstance", instance("dataclass", "a.B", new Map([[1, 1]]))],
  ["PythonInstance", instance("class", "a.B", new Map())],
  ["PythonInstance", instance("dataclass", undefined, new Map())],
  ["PythonInstance", instance("enum", "a.B", new Map([["value", 1]]))],
  ["PythonInstance", instance("exception", "a.B", new Map([["args", "text"]]))],
])("a %s is refused: %#", (words, value) => {
  expect(() => encode(value)).toThrow(
    expect.objectContaining({
      name: "UnsupportedValueError",
      path: "inputs.x[0]",
      found: expect.stringContaining(words),
    }),
  );
});

test.each<[value: unknown]>([
  [new PythonDate(2000, 2, 29)],
  [new PythonDate(1, 1, 1)],
  [new PythonDate(9999, 12, 31)],
  [
    new PythonTime({
      hour: 23,
      minute: 59,
      second: 59,
      microsecond: 999_999,
      fold: 1,
      offset: -86_399_999_999,
    }),
  ],
  [new PythonDateTime(day, new PythonTime({ offset: 0, zone: "Europe/Berlin" }))],
  [new PythonTimeDelta(-999_999_999, 0, 0)],
  [new PythonTimeDelta(0, 90_000, -1)],
  ...["1_0", " 1 ", ".5", "5.", "-1E+5", "1e425000000", "NaN", "-sNaN12", "+Infinity", "inf", "٣"].map(
    (text): [unknown] => [new PythonDecimal(text)],
  ),
  [new PythonUuid("12345678-1234-1234-1234-1234567890AB")],
  [new PythonUuid("{urn:uuid:12345678123412341234123456789012}")],
  [new PythonFloat(Number.NaN)],
  [
    instance(
      "enum",
      "a.B",
      new Map<string, unknown>([
        ["name", "A"],
        ["value", 1],
      ]),
    ),
  ],
  // What a flag of no members is.
  [
    instance(
      "enum",
      "a.B",
      new Map<string, unknown>([
        ["name", null],
        ["value", 0],
      ]),
    ),
  ],
  [instance("exception", "a.B", new Map([["args", Object.freeze([1])]]))],
])("%o is written", (value) => {
  expect(encode(value).bytes.length).toBeGreaterThan(0);
});
