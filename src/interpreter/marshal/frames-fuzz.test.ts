// Frames of all kinds against every way of reading them: a value, or one of two errors, in bounded time, and nothing that the host shares is
// touched. 100,000 by default; SANDBOA_FUZZ=1000000 reads a million. A failure shows the frame.
import { describe, expect, test } from "vitest";
import { type DecodeOptions, decodeValue, MarshalFormatError } from "./decode.ts";
import { encodeValue } from "./encode.ts";
import { NotJsonError } from "./json-shape.ts";
import {
  PythonDate,
  PythonDateTime,
  PythonDecimal,
  PythonFloat,
  PythonTime,
  PythonTimeDelta,
  PythonUuid,
} from "./python-values.ts";
import { OpaqueValue, PythonComplex, PythonInstance, pythonEllipsis } from "./values.ts";

const frameCount = Number(process.env.SANDBOA_FUZZ ?? 100_000);
const maxItems = 5000;

const shared = [
  ...[Object, Array, Map, Set, Uint8Array, Function, String, Number, BigInt, RegExp, Error].map(
    ({ prototype }) => prototype as object,
  ),
  ...[OpaqueValue, PythonComplex, PythonFloat, PythonDate, PythonTime, PythonDateTime, PythonInstance].map(
    ({ prototype }) => prototype as object,
  ),
  ...[Object, Array, globalThis, JSON, Reflect, pythonEllipsis],
];
/** All that could be changed of them, one after the other. */
const stateOf = (): readonly unknown[] =>
  shared.flatMap((object) => [
    Object.getPrototypeOf(object),
    ...Reflect.ownKeys(object).flatMap((key) => {
      const { value, get, set } = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
      return [key, value, get, set];
    }),
  ]);

const everyWay: readonly DecodeOptions[] = (["maps", "objects", "json"] as const).flatMap((shape) =>
  (["refuse", "keep"] as const).flatMap((references) =>
    [true, false].map((records) => ({ shape, references, records, maxItems, exactFloats: records })),
  ),
);

function seeds(): Uint8Array[] {
  const cycle: unknown[] = [1];
  cycle.push(cycle, { cycle, other: [cycle] }, Object.freeze([cycle]));
  const list = ["shared"];
  const values: unknown[] = [
    { a: [1, 2 ** 40, -1.5, 2, "é\ud800", 10n ** 30n], b: new Map([[1, new Set(["x", 2n ** 80n])]]) },
    { __proto__x: 1, constructor: { ["__proto__"]: 2 }, 5: list, list },
    [list, list, new OpaqueValue("T", "<T>"), new PythonComplex(1, 2), new Uint8Array(70), pythonEllipsis],
    [
      new PythonDate(2026, 1, 2),
      new PythonDateTime(new PythonDate(1, 1, 1), new PythonTime({ hour: 1, offset: 5, zone: "UTC" })),
      new PythonTimeDelta(1, 2, 3),
      new PythonDecimal("1.10"),
      new PythonUuid("12345678-1234-5678-1234-567812345678"),
      new PythonInstance("dataclass", "__main__.P", new Map([["x", list]])),
    ],
    cycle,
    new Map([[Object.freeze([1, Object.freeze(new Set(["a"]))]), cycle]]),
    Object.freeze([pythonEllipsis, Object.freeze([])]),
  ];
  return values.map((value) => encodeValue(value, { maxBytes: 1 << 16, references: "keep" }).bytes);
}

const codes = Buffer.from("0NFTS.ilgysutaAzZ[()){<>rr\xdb\xa9\xa8\xfb\xbc\xbe\xda\xf2", "latin1");

/** Whole values with references to whatever has a number already, what is under construction among it. */
function grammar(random: (limit: number) => number): Uint8Array {
  const bytes: number[] = [];
  let numbers = 0;
  let left = 5 + random(60);
  const code = (type: string): void => {
    const flagged = random(2) === 0;
    if (flagged) numbers += 1;
    bytes.push(type.charCodeAt(0) | (flagged ? 0x80 : 0));
  };
  const many = (count: number, what: () => void): void => {
    for (let index = 0; index < count; index++) what();
  };
  const sized = (type: string, count: number): void => {
    code(type);
    bytes.push(count, 0, 0, 0);
  };
  const key = (): void => (random(5) === 0 ? term() : random(4) === 0 ? tuple(key) : atom());
  const tuple = (what: () => void): void => {
    const count = random(4);
    code(")");
    bytes.push(count);
    many(count, what);
  };
  const atom = (): void => {
    const kind = random(6);
    if (kind === 0 && numbers > 0) bytes.push(0x72, random(numbers), 0, 0, 0);
    else if (kind === 1) sized("i", random(256));
    else if (kind === 2) {
      code("z");
      bytes.push(1, 0x61 + random(26));
    } else if (kind === 3) {
      sized("s", 1);
      bytes.push(random(256));
    } else if (kind === 4) {
      code("g");
      bytes.push(...new Uint8Array(new Float64Array([random(3) - 1]).buffer));
    } else bytes.push(0x4e);
  };
  const record = (): void => {
    const count = random(3);
    bytes.push(0x29, 6, 0x2e, 0x7a, 8, ...Buffer.from("instance"), 0x7a, 4, ...Buffer.from("enum"));
    bytes.push(0x7a, 1, 0x54);
    for (const what of [() => bytes.push(0x7a, 1, 0x61 + random(26)), term]) {
      if (random(3) === 0 && numbers > 0) bytes.push(0x72, random(numbers), 0, 0, 0);
      else {
        bytes.push(0x29, count);
        many(count, what);
      }
    }
  };
  const term = (): void => {
    left -= 1;
    const kind = left > 0 ? random(8) : 7;
    const count = random(4);
    if (kind === 0) {
      sized("[", count);
      many(count, term);
    } else if (kind === 1) tuple(term);
    else if (kind === 2) {
      sized(random(2) === 0 ? "<" : ">", count);
      many(count, key);
    } else if (kind === 3) {
      code("{");
      many(count, () => {
        key();
        term();
      });
      bytes.push(0x30);
    } else if (kind === 4) record();
    else atom();
  };
  sized("[", 3);
  many(3, term);
  return Uint8Array.from(bytes);
}

function mutated(all: readonly Uint8Array[], random: (limit: number) => number): Uint8Array {
  const one = (): Uint8Array => all[random(all.length)] as Uint8Array;
  let bytes = one().slice();
  for (let changes = 1 + random(2); changes > 0; changes--) {
    const at = random(bytes.length);
    switch (random(5)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = codes[random(codes.length)] as number;
        break;
      case 2:
        bytes[at] = (bytes[at] as number) ^ (1 << random(8));
        break;
      case 3: {
        // Part of another frame: its references lead to what is here.
        const other = one();
        const from = random(other.length);
        const part = other.subarray(from, from + random(40));
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...part, ...bytes.subarray(at)]);
        break;
      }
      default:
        bytes[at] = random(8);
    }
  }
  return bytes;
}

describe(`${frameCount} frames`, () => {
  test.each([
    ["made of the format's pieces", 1],
    ["damaged", 2],
    ["random", 3],
  ] as const)("%s", { timeout: 60_000 + frameCount / 10 }, (kind, seed) => {
    const random = generator(seed);
    const all = seeds();
    // Looked at twice, since Node 24 defines some of it when it is first looked at.
    stateOf();
    const before = stateOf();
    let accepted = 0;
    let refused = 0;
    for (let round = 0; round < frameCount / 3; round++) {
      const bytes =
        kind === "random"
          ? Uint8Array.from({ length: random(40) }, () => random(256))
          : kind === "damaged"
            ? mutated(all, random)
            : grammar(random);
      const options = everyWay[round % everyWay.length] as DecodeOptions;
      try {
        check(decodeValue(bytes, options), options);
        accepted += 1;
      } catch (error) {
        refused += 1;
        if (!(error instanceof MarshalFormatError || error instanceof NotJsonError)) {
          const shown = `${Buffer.from(bytes).toString("hex")} with ${JSON.stringify(options)}`;
          throw new Error(`frame ${shown}`, { cause: error });
        }
      }
    }
    const after = stateOf();
    expect(after.length).toBe(before.length);
    expect(after.findIndex((one, index) => !Object.is(one, before[index]))).toBe(-1);
    expect(accepted).toBeGreaterThan(kind === "random" ? frameCount / 10_000 : frameCount / 30);
    expect(refused).toBeGreaterThan(frameCount / 100);
  });
});

/** Walks every path, but no path through a cycle twice: no more steps and no deeper than the limits say. */
function check(value: unknown, options: DecodeOptions): void {
  const path = new Set<object>();
  const seen = new Set<object>();
  let steps = 0;
  const walk = (one: unknown, depth: number): void => {
    steps += 1;
    if (typeof one !== "object" || one === null) return;
    if (depth > 200) throw new Error("too deep");
    if (path.has(one)) {
      if (options.references !== "keep" || options.shape === "json") throw new Error("a cycle");
      return;
    }
    // Where references are kept, whoever walks has to remember what they have seen.
    if (options.references === "keep") {
      if (seen.has(one)) return;
      seen.add(one);
    }
    path.add(one);
    for (const child of childrenOf(one)) walk(child, depth + 1);
    path.delete(one);
  };
  walk(value, 0);
  // Fields of records are items of their own, and so is the name.
  if (steps > maxItems) throw new Error(`${steps} steps`);
}

function childrenOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) {
    for (const key of value.keys()) expectHashable(key);
    return [...value.keys(), ...value.values()];
  }
  if (value instanceof PythonInstance) return value.fields.values();
  return Object.getPrototypeOf(value) === null ? Object.values(value) : [];
}

function expectHashable(key: unknown): void {
  if (typeof key !== "object" || key === null) return;
  const isPlain = Array.isArray(key) || key instanceof Set || key instanceof Map;
  if (Object.getPrototypeOf(key) === null || (isPlain && !Object.isFrozen(key)))
    throw new Error("a key that Python cannot hash");
  if (Array.isArray(key) || key instanceof Set) for (const item of key) expectHashable(item);
  if (key instanceof PythonInstance) for (const item of key.fields.values()) expectHashable(item);
}

/** A small repeatable source of numbers below `limit`. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
