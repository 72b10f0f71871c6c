// Hostile frames: nothing but MarshalFormatError may come of them, in little time and memory, and no accepted value may
// be deeper or larger, walked along every path, than the limits say.
import { describe, expect, test } from "vitest";
import { decodeMarshal, decodeValue, MarshalFormatError } from "./decode.ts";
import { encodeMarshal } from "./encode.ts";
import { type GuestValue, OpaqueValue, PythonComplex, PythonInstance } from "./values.ts";

type Part = string | number | readonly number[] | Uint8Array;

/** Text as its character codes, a number as 32 bits, bytes as they are. */
function frame(...parts: readonly Part[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part !== "number")
        return typeof part === "string" ? Buffer.from(part, "latin1") : Uint8Array.from(part);
      const bytes = Buffer.alloc(4);
      bytes.writeInt32LE(part);
      return bytes;
    }),
  );
}

const flagged = (type: string): string => String.fromCharCode(type.charCodeAt(0) | 0x80);

const nan = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f];
const smile = Buffer.from("\u{1f600}");
const surrogates = [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80];

const instance = [")", [6], ".", "z", [8], "instance", "z", [4], "enum", "z", [1], "T"] as const;

describe("refused", () => {
  test.each<[string, Uint8Array]>([
    ["nothing at all", frame()],
    ["an unknown type", frame("?")],
    ["code", frame("c", 0, 0)],
    ["several nan as keys", frame("{", "g", nan, "N", "g", nan, "N0")],
    ["a key twice", frame("{", "i", 1, "N", "i", 1, "N0")],
    ["a member twice", frame("<", 2, "TT")],
    ["a pair of surrogates and its character", frame("<", 2, "u", 4, smile, "u", 6, surrogates)],
    ["a slice of version 5", frame(":", "NNN")],
    ["a float as text", frame("f", [1], "1")],
    ["a bare end of dict", frame("0")],
    ["a bare Ellipsis", frame(".")],
    ["Ellipsis in a list", frame("[", 1, ".")],
    ["Ellipsis later in a tuple", frame(")", [2], "N.")],
    ["bytes after the value", frame("NN")],
    ["a truncated int", frame("i", [1, 2, 3])],
    ["a truncated float", frame("g", [1, 2, 3, 4, 5, 6, 7])],
    ["a truncated complex", frame("y", new Uint8Array(15))],
    ["a short string beyond the end", frame("z", [2], "a")],
    ["a string of 2 GiB", frame("a", 0x7fffffff, "a")],
    ["bytes of 2 GiB", frame("s", 0x7fffffff, "a")],
    ["bytes of negative size", frame("s", -1)],
    ["text of negative size", frame("u", -0x80000000)],
    ["a list of negative size", frame("[", -1)],
    ["a list of 2^31-1", frame("[", 0x7fffffff, "N")],
    ["a tuple of 2^31-1", frame("(", 0x7fffffff, "N")],
    ["a set of 2^31-1", frame("<", 0x7fffffff, "N")],
    ["a dict without end", frame("{", "NN")],
    ["a dict without a last value", frame("{", "N0")],
    ["a byte beyond ASCII in a short string", frame("z", [1, 0xe9])],
    ["a byte beyond ASCII in a long string", frame("a", 14, "abcdefghijklm", [0xe9])],
    ["two bytes beyond ASCII that are UTF-8", frame("a", 14, "abcdefghijkl", [0xc3, 0xa9])],
    ["text that is not UTF-8", frame("u", 2, [0xc3, 0x28])],
    ["overlong UTF-8", frame("u", 2, [0xc0, 0x80])],
    ["UTF-8 beyond U+10FFFF", frame("u", 4, [0xf4, 0x90, 0x80, 0x80])],
    ["half of a surrogate", frame("u", 2, [0xed, 0xa0])],
    ["a surrogate, then no UTF-8", frame("u", 4, [0xed, 0xa0, 0x80, 0xff])],
    ["an int of no digits", frame("l", 0)],
    ["minus zero", frame("l", -1, [0, 0])],
    ["an int whose top digit is 0", frame("l", 2, [1, 0, 0, 0])],
    ["a long int whose top digit is 0", frame("l", 5, [1, 0, 1, 0, 1, 0, 1, 0, 0, 0])],
    ["a digit of 16 bits", frame("l", 1, [0, 0x80])],
    ["a digit of 16 bits in a long int", frame("l", 5, [1, 0, 0, 0x80, 1, 0, 1, 0, 1, 0])],
    ["INT_MIN digits", frame("l", -0x80000000, [1, 0])],
    ["2^31-1 digits", frame("l", 0x7fffffff, [1, 0])],
    ["a list as a key", frame("{", "[", 0, "N0")],
    ["a set in a tuple as a key", frame("{", ")", [1], "<", 0, "N0")],
    ["a dict as a member", frame("<", 1, "{0")],
    ["a list as a key, by reference", frame("[", 2, flagged("["), 0, "{", "r", 0, "N0")],
    ["more digits than any bigint needs", frame("l", 5_000_000, new Uint8Array(10_000_000).fill(1))],
    ["a reference to nothing", frame("r", 0)],
    ["a negative reference", frame("[", 2, flagged("i"), 1, "r", -1)],
    ["a reference to a later value", frame("[", 2, "r", 0, flagged("i"), 1)],
    ["a list within itself", frame(flagged("["), 1, "r", 0)],
    ["a tuple within itself", frame(flagged(")"), [1], "r", 0)],
    ["a dict within itself", frame(flagged("{"), "N", "r", 0, "0")],
    ["a set within itself", frame(flagged("<"), 1, "r", 0)],
    ["None by reference", frame("[", 2, flagged("N"), "r", 0)],
    ["a record without a name", frame(")", [1], ".")],
    ["a record with a number as its name", frame(")", [2], ".", "i", 1)],
    ["a record of an unknown kind", frame(")", [2], ".", "z", [11], "constructor")],
    ["a record with __proto__ as its kind", frame(")", [2], ".", "z", [9], "__proto__")],
    ["an object with too few fields", frame(")", [3], ".", "z", [6], "object", "z", [1], "a")],
    [
      "an object with too many fields",
      frame(")", [5], ".", "z", [6], "object", "z", [1], "a", "z", [1], "b", "N"),
    ],
    ["an object whose repr is no text", frame(")", [4], ".", "z", [6], "object", "z", [1], "a", "N")],
    ["an Ellipsis with a field", frame(")", [3], ".", "z", [8], "ellipsis", "N")],
    ["an instance whose values are a list", frame(...instance, ")", [0], "[", 0)],
    ["a million lists, each in the one before", Buffer.concat(Array(1_000_000).fill(frame("[", 1)))],
    ["a million tuples, each in the one before", Buffer.from(")\x01".repeat(1_000_000))],
    ["a million dicts as keys", Buffer.from("{".repeat(1_000_000))],
  ])("%s", (_, bytes) => {
    expect(() => decodeMarshal(bytes)).toThrow(MarshalFormatError);
  });
});

describe("depth", () => {
  const nested = (depth: number) => Buffer.concat([...Array(depth - 1).fill(frame("[", 1)), frame("[", 0)]);

  test("200 containers are accepted, 201 are not, and callers can lower that but not raise it", () => {
    expect(depthOf(decodeMarshal(nested(200)))).toBe(200);
    expect(() => decodeMarshal(nested(201), { maxDepth: 1000 })).toThrow(MarshalFormatError);
    expect(depthOf(decodeMarshal(nested(3), { maxDepth: 3 }))).toBe(3);
    expect(() => decodeMarshal(nested(4), { maxDepth: 3 })).toThrow(MarshalFormatError);
  });

  test("references cannot stack containers higher", () => {
    // [[], [first], [second], ...]: nothing is nested deeply as it is written.
    const tower = (height: number) =>
      frame(
        "[",
        height,
        flagged("["),
        0,
        ...Array.from({ length: height - 1 }, (_, below) => [flagged("["), 1, "r", below]).flat(),
      );
    expect(depthOf(decodeMarshal(tower(199)))).toBe(200);
    expect(() => decodeMarshal(tower(200))).toThrow(/deeper than 200/);
    expect(() => decodeMarshal(tower(5000))).toThrow(/deeper than 200/);
  });

  test("dict values, dict keys, members and records count alike", () => {
    const twoDeep = [flagged(")"), [1], ")", [0]] as const;
    for (const holder of [
      frame("[", 2, ...twoDeep, "{", "N", "r", 0, "0"),
      frame("[", 2, ...twoDeep, "{", "r", 0, "N0"),
      frame("[", 2, ...twoDeep, "<", 1, "r", 0),
      frame("[", 2, ...twoDeep, ...instance, ")", [1], "z", [1], "a", "r", 0),
    ]) {
      expect(decodeMarshal(holder, { maxDepth: 4 })).toHaveLength(2);
      expect(() => decodeMarshal(holder, { maxDepth: 3 })).toThrow(/deeper than 3/);
    }
  });
});

describe("limits that are no limits", () => {
  test("NaN admits nothing", () => {
    const deep = Buffer.from(")\x01".repeat(100_000), "latin1");
    expect(() => decodeMarshal(deep, { maxDepth: Number.NaN })).toThrow(/nested deeper/);
    expect(() => decodeMarshal(frame("N"), { maxItems: Number.NaN })).toThrow(/costs more/);
  });

  test("no limit lets a container outgrow what V8's Map and Set can hold", () => {
    const bytes = frame("[", 2 ** 24, new Uint8Array(2 ** 24).fill(0x4e));
    expect(() => decodeMarshal(bytes, { maxItems: Number.POSITIVE_INFINITY })).toThrow(/more than 16777216/);
  });
});

describe("cost", () => {
  test("each value is an item, and bulky values are five", () => {
    for (const [bytes, items] of [
      [frame("[", 2, "NN"), 3],
      [frame("{", "NN0"), 7],
      [frame("<", 1, "N"), 6],
      [frame("s", 0), 5],
      [frame("s", 640, new Uint8Array(640)), 15],
      [frame("a", 640, "x".repeat(640)), 11],
      [frame("u", 640, "x".repeat(640)), 11],
      [frame("l", 320, new Uint8Array(640).fill(1)), 11],
    ] as const) {
      expect(() => decodeMarshal(bytes, { maxItems: items })).not.toThrow();
      expect(() => decodeMarshal(bytes, { maxItems: items - 1 })).toThrow(/costs more than/);
    }
  });

  test("a billion laughs: references cost what they refer to", () => {
    // Ten references to the level below, thirty levels: a result of 200 objects with 10^30 paths through it.
    const levels = Array.from({ length: 30 }, (_, below) => [
      flagged("["),
      10,
      ...Array(10).fill(["r", below]).flat(),
    ]);
    expect(() => decodeMarshal(frame("[", 31, flagged("i"), 7, ...levels.flat()))).toThrow(/costs more than/);
  });

  test("long text cannot be repeated for little", () => {
    const bytes = frame(
      "[",
      20_001,
      flagged("a"),
      1 << 20,
      "x".repeat(1 << 20),
      ...Array(20_000).fill(["r", 0]).flat(),
    );
    expect(() => decodeMarshal(bytes)).toThrow(/costs more than/);
  });

  test("sharing within the limit keeps identity", () => {
    const value = decodeMarshal(frame("[", 3, flagged("["), 0, "r", 0, "r", 0));
    if (!Array.isArray(value)) throw new Error("not a list");
    expect(value[1]).toBe(value[0]);
    expect(value[2]).toBe(value[0]);
  });

  test("counts that lie allocate nothing", () => {
    // 199 lists that each claim all that is left: reserving would take 199 × 8 × 1 MB.
    const filler = new Uint8Array(1_000_000).fill(0x4e);
    const bytes = frame(...Array(199).fill(["[", 1_000_000]).flat(), filler);
    const before = process.memoryUsage().rss;
    expect(() => decodeMarshal(bytes)).toThrow(MarshalFormatError);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });
});

describe("keys that may meet in one chain of V8's", () => {
  const names = Array.from({ length: 4000 }, (_, at) => `n${at}`);
  const fields = new Map(names.map((name) => [name, 1]));
  const forms: [string, unknown, "maps" | "objects"][] = [
    ["dict", fields, "maps"],
    ["dict that is no object", new Map<unknown, unknown>([[0, 1], ...fields]), "objects"],
    ["set", new Set(names), "maps"],
    ["instance", new PythonInstance("dataclass", "__main__.D", fields), "maps"],
  ];
  test.each(forms)("%s: refused when putting them in takes long", (_, value, shape) => {
    const bytes = encodeMarshal(value, { maxBytes: 1e6 });
    let ms = 0;
    expect(decodeValue(bytes, { shape, nowMs: () => ms })).toBeTypeOf("object");
    const slow = { shape, nowMs: () => (ms += 100) };
    expect(() => decodeValue(bytes, slow)).toThrow(/keys of a dict or set take too long/);
  });
});

describe("accepted", () => {
  test("the class StopIteration, which marshal writes, is shown as any other class", () => {
    const value = decodeMarshal(frame("[", 2, flagged("S"), "S"));
    const shown = new OpaqueValue("type", "<class 'StopIteration'>");
    expect(value).toEqual([shown, shown]);
    // As in CPython, a flag gives it no number.
    expect(() => decodeMarshal(frame("[", 2, flagged("S"), "r", 0))).toThrow(/reference to no value/);
    expect(() => decodeMarshal(frame("[", 2, flagged("."), "r", 0), { records: false })).toThrow(
      /reference to no value/,
    );
  });

  test("names that mean something to JavaScript are just keys", () => {
    const value = decodeMarshal(frame("{", "z", [9], "__proto__", "{0", "z", [4], "then", "i", 1, "0"));
    expect(value).toEqual(
      new Map<string, GuestValue>([
        ["__proto__", new Map()],
        ["then", 1],
      ]),
    );
    expect(Object.getPrototypeOf(value)).toBe(Map.prototype);
  });

  test("the bytes of the frame are copied", () => {
    const bytes = frame("s", 2, [1, 2]);
    const value = decodeMarshal(bytes);
    bytes.fill(9);
    expect(value).toEqual(Uint8Array.of(1, 2));
    if (value instanceof Uint8Array) expect(value.buffer.byteLength).toBe(2);
  });

  test("a frame may stand within a larger buffer", () => {
    const bytes = frame("zzz", "[", 2, "i", -5, "z", [2], "ab", "zzz");
    expect(decodeMarshal(bytes.subarray(3, bytes.length - 3))).toEqual([-5, "ab"]);
  });

  test("records, also flagged, shared and with shared fields", () => {
    const record = [
      flagged(")"),
      [4],
      ".",
      flagged("z"),
      [6],
      "object",
      flagged("z"),
      [1],
      "T",
      "r",
      2,
    ] as const;
    const value = decodeMarshal(frame("[", 2, ...record, "r", 0));
    expect(value).toEqual([new OpaqueValue("T", "T"), new OpaqueValue("T", "T")]);
    if (Array.isArray(value)) expect(value[0]).toBe(value[1]);
  });

  test("a tuple that began with Ellipsis comes back as one", () => {
    const ellipsis = [")", [2], ".", "z", [8], "ellipsis"] as const;
    const value = decodeMarshal(frame(")", [2], ...ellipsis, "N"));
    expect(value).toEqual([new OpaqueValue("ellipsis", "Ellipsis"), null]);
    expect(Object.isFrozen(value)).toBe(true);
  });
});

test("a hundred thousand damaged frames give a value or MarshalFormatError", () => {
  const random = generator(20_061);
  const shared = { text: "shared", list: [1, 2, 3] };
  const seeds = [
    encodeMarshal(
      { a: [1, 2 ** 40, -1.5, "é\ud800", 10n ** 30n], b: new Map([[1, new Set(["x", 2n ** 80n])]]) },
      { maxBytes: 1e6 },
    ),
    encodeMarshal(
      [shared, shared, new OpaqueValue("T", "<T>"), new PythonComplex(1, 2), new Uint8Array(70)],
      { maxBytes: 1e6 },
    ),
    frame(
      "[",
      3,
      flagged(")"),
      [2],
      flagged("z"),
      [2],
      "ab",
      "i",
      5,
      "r",
      0,
      flagged("{"),
      "r",
      1,
      "r",
      0,
      "0",
    ),
    frame(
      "[",
      2,
      ")",
      [2],
      ".",
      flagged("z"),
      [8],
      "ellipsis",
      flagged(")"),
      [2],
      "g",
      new Uint8Array(8),
      ">",
      1,
      "r",
      0,
    ),
  ];
  let accepted = 0;
  for (let round = 0; round < 100_000; round++) {
    const seed = seeds[round % seeds.length] ?? frame();
    let bytes = seed.slice();
    for (let changes = 1 + random(3); changes > 0; changes--) {
      const at = random(bytes.length);
      if (random(8) === 0) bytes = bytes.slice(0, at + 1);
      else if (random(4) === 0) bytes[at] = seed[random(seed.length)] ?? 0;
      else bytes[at] = random(2) === 0 ? (bytes[at] ?? 0) ^ (1 << random(8)) : random(256);
    }
    try {
      expectWalkable(decodeMarshal(bytes));
      accepted += 1;
    } catch (error) {
      if (!(error instanceof MarshalFormatError))
        throw new Error(`frame ${Buffer.from(bytes).toString("hex")}`, { cause: error });
    }
  }
  expect(accepted).toBeGreaterThan(10_000);
});

function expectWalkable(value: GuestValue): void {
  if (depthOf(value) > 200) throw new Error("too deep");
}

function depthOf(value: GuestValue): number {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 0;
  if (value instanceof OpaqueValue || value instanceof PythonComplex) return 0;
  const children: Iterable<GuestValue> =
    value instanceof Map ? [...value.keys(), ...value.values()] : (value as Set<GuestValue>);
  let depth = 0;
  for (const child of children) depth = Math.max(depth, depthOf(child));
  return depth + 1;
}

/** A small repeatable source of numbers below `limit`. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
