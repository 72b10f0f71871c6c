// What a dict becomes where objects are asked for, and what references lead to where they are kept. Frames are hostile: what an object
// inherits, and what is still under construction, must not matter.
import { afterEach, describe, expect, test } from "vitest";
import { type DecodeOptions, decodeValue, MarshalFormatError } from "./decode.ts";
import { encodeMarshal, encodeValue } from "./encode.ts";
import { NotJsonError } from "./json-shape.ts";
import { UnsupportedValueError } from "./unsupported-value-error.ts";
import { PythonInstance } from "./values.ts";

const encode = (value: unknown) => encodeMarshal(value, { maxBytes: 1 << 24 });
const keep = { references: "keep" } as const;

function bytesOf(...parts: readonly (string | number)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "string") return Buffer.from(part, "latin1");
      const bytes = Buffer.alloc(4);
      bytes.writeInt32LE(part);
      return bytes;
    }),
  );
}

const list = "\xdb";

describe("objects", () => {
  const objects = (value: unknown) => decodeValue(encode(value), { shape: "objects" });

  test("have no prototype, keep the order of dicts, and become Maps where a key is no name", () => {
    const made = objects({ b: 1, a: { constructor: 2 } }) as Record<string, unknown>;
    expect(Object.getPrototypeOf(made)).toBe(null);
    expect(Object.keys(made)).toEqual(["b", "a"]);
    expect({ ...(made.a as object) }).toEqual({ constructor: 2 });
    const odd = new Map<unknown, unknown>([
      ["x", 1],
      [2, 3],
      ["7", 4],
    ]);
    expect(objects(odd)).toEqual(odd);
    expect([...(objects(odd) as Map<unknown, unknown>).keys()]).toEqual(["x", 2, "7"]);
    expect(objects(new Map([["__proto__", { polluted: 1 }]]))).toBeInstanceOf(Map);
    expect(({} as Record<string, unknown>).polluted).toBe(undefined);
  });

  test("two keys that would become one are refused rather than lost", () => {
    const smile = Buffer.from("\u{1f600}").toString("latin1");
    const pair = bytesOf("{", "u", 4, smile, "N", "u", 6, "\xed\xa0\xbd\xed\xb8\x80", "N0");
    for (const shape of ["maps", "objects", "json"] as const)
      expect(() => decodeValue(pair, { shape })).toThrow(/become the same/);
  });

  test("what the guest lends does not make a thenable", async () => {
    const lent = bytesOf("{z\x04then)\x04.z\x04lenti", 0, "z\x04call0");
    const borrow = () => () => expect.fail("called");
    const made = decodeValue(lent, { shape: "objects", borrow });
    expect(made).toBeInstanceOf(Map);
    expect(await made).toBe(made);
    expect(objects(new Map([["then", 1]]))).not.toBeInstanceOf(Map);
  });

  describe("whatever was done to Object.prototype", () => {
    const name = "sandboaTestSetter";
    let set = 0;
    afterEach(() => {
      delete (Object.prototype as Record<string, unknown>)[name];
    });
    test("its setters are not called, and what it has read-only can be a key", () => {
      Object.defineProperty(Object.prototype, name, {
        configurable: true,
        get: () => undefined,
        set: () => {
          set += 1;
        },
      });
      const made = objects(new Map([[name, 1]])) as Record<string, unknown>;
      expect(set).toBe(0);
      expect(Object.getOwnPropertyDescriptor(made, name)?.value).toBe(1);
      Object.defineProperty(Object.prototype, name, { value: 1, writable: false, configurable: true });
      expect((objects(new Map([[name, 2]])) as Record<string, unknown>)[name]).toBe(2);
    });
  });
});

describe("json", () => {
  const json = (value: unknown, more?: DecodeOptions) =>
    decodeValue(encode(value), { ...more, shape: "json" });

  test.each<[unknown, string]>([
    [[1, { a: [Number.NaN] }], "[1].a[0]"],
    [{ a: 2n ** 60n }, ".a"],
    [new Uint8Array(1), ""],
    [[new Set()], "[0]"],
    [{ m: new Map([[1, 2]]) }, ".m"],
    [{ m: new Map([["__proto__", 2]]) }, ".m"],
  ])("case %# is refused with its path", (value, path) => {
    const error = failureOf(() => json(value));
    expect(error).toBeInstanceOf(NotJsonError);
    expect(error).toMatchObject({ path });
  });

  test("what is accepted is what JSON.stringify keeps", () => {
    const value = { a: [1, "x", null, true, { 5: -1.5 }], b: {} };
    expect(JSON.stringify(json(value))).toBe(JSON.stringify(value));
  });

  test("a cycle is refused also where references are kept, however much stands beside it", () => {
    const wide = bytesOf(list, 200_001, "N".repeat(200_000), "r", 0);
    expect(() => decodeValue(wide, { shape: "json", references: "keep" })).toThrow(/contains itself/);
  });
});

describe("kept references", () => {
  test("cycles and sharing come back as they were", () => {
    const shared = { x: 1 };
    const value: unknown[] = [shared, shared, new Map([["k", shared]])];
    value.push(value);
    const { bytes } = encodeValue(value, { maxBytes: 1000, references: "keep" });
    const back = decodeValue(bytes, keep) as unknown[];
    expect(back[1]).toBe(back[0]);
    expect((back[2] as Map<string, unknown>).get("k")).toBe(back[0]);
    expect(back[3]).toBe(back);
    expect(() => decodeValue(bytes, {})).toThrow(/contains itself/);
  });

  test("what is still under construction cannot be hashed", () => {
    // [{(itself,): None}] and [{(itself,)}], and the same with a tuple around.
    for (const outer of [list, "\xa8"]) {
      for (const holder of [`{)\x01`, `<\x01\x00\x00\x00)\x01`]) {
        expect(() => decodeValue(bytesOf(outer, 1, holder, "r", 0, "N0"), keep)).toThrow(/cannot hash/);
      }
    }
    expect(() => decodeValue(bytesOf(list, 2, "\xa9\x01", "r", 0, "{", "r", 1, "N0"), keep)).toThrow(
      /cannot hash/,
    );
    // A set is made when all of its members are there.
    expect(() => decodeValue(bytesOf("\xbc", 1, "r", 0), keep)).toThrow(/contains itself/);
  });

  test("fields of a record are complete: nobody pays for what is still growing", () => {
    // Names and values of an instance are the list around it.
    const record = ")\x06.z\x08instancez\x09dataclassz\x01T";
    const growing = bytesOf(list, 3, "z\x01az\x01b", "[", 1, record, "r", 0, "r", 0);
    expect(() => decodeValue(growing, keep)).toThrow(MarshalFormatError);
    const tuple = bytesOf("\xa8", 3, "z\x01az\x01b", "[", 1, record, "r", 0, "r", 0);
    expect(() => decodeValue(tuple, keep)).toThrow(MarshalFormatError);
  });

  test("references to what is complete cost all of it, with a cycle in it or without", () => {
    const levels = Array.from({ length: 20 }, (_, level) => [
      list,
      11,
      ...Array(10)
        .fill(["r", level + 1])
        .flat(),
      "r",
      0,
    ]);
    const laughs = bytesOf(list, 21, list, 0, ...levels.flat());
    expect(() => decodeValue(laughs, keep)).toThrow(/costs more than/);
  });

  test("heights count across references", () => {
    const tower = Array.from({ length: 250 }, (_, below) => [list, 2, "r", 0, "r", below + 1]);
    expect(() => decodeValue(bytesOf(list, 251, list, 0, ...tower.flat()), keep)).toThrow(/deeper than 200/);
  });

  test("a set or an instance that contains itself is refused: Python could not make it", () => {
    const tuple: unknown[] = [];
    const set = new Set([tuple]);
    tuple.push(set);
    Object.freeze(tuple);
    Object.freeze(set);
    const fields = new Map<string, never>();
    const instance = new PythonInstance("dataclass", "__main__.P", fields);
    fields.set("x", [instance] as never);
    for (const value of [set, instance]) {
      const error = failureOf(() => encodeValue(value, { maxBytes: 1000, references: "keep" }));
      expect(error).toBeInstanceOf(UnsupportedValueError);
      expect(error).toMatchObject({ problem: "cycle" });
    }
  });
});

function failureOf(attempt: () => unknown): unknown {
  try {
    attempt();
  } catch (error) {
    return error;
  }
  return expect.fail("it did not fail");
}
