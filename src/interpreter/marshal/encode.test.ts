// Refusals of host values, and where they point. What the accepted ones mean to Python: python.test.ts.
import { describe, expect, test } from "vitest";
import { decodeMarshal } from "./decode.ts";
import { encodeMarshal } from "./encode.ts";
import { UnsupportedValueError } from "./unsupported-value-error.ts";

const options = { maxBytes: 1 << 20 };

function refusal(value: unknown, root?: string): { path: string; problem: string; found: string } {
  try {
    encodeMarshal(value, root === undefined ? options : { ...options, root });
  } catch (error) {
    if (error instanceof UnsupportedValueError)
      return { path: error.path, problem: error.problem, found: error.found };
    throw error;
  }
  throw new Error("accepted");
}

class Point {}

describe("values without a copy in Python", () => {
  test.each<[unknown, string]>([
    [() => 1, "a function"],
    [Symbol("s"), "a symbol"],
    [new Point(), "an object of class Point"],
    [/x/, "an object of class RegExp"],
    [Promise.resolve(), "an object of class Promise"],
    [new SharedArrayBuffer(1), "an object of class SharedArrayBuffer"],
    [Object(1), "an object of class Number"],
    [Object.create({}), "an object of class Object"],
    [new WeakMap(), "an object of class WeakMap"],
  ])("%o is refused as %s", (value, found) => {
    expect(refusal({ x: [0, { y: value }] })).toEqual({ path: "inputs.x[1].y", problem: "type", found });
  });
});

describe("paths", () => {
  const bad = Symbol("bad");

  test.each<[unknown, string]>([
    [bad, "inputs"],
    [{ a: { b: bad } }, "inputs.a.b"],
    [{ "a b": bad }, 'inputs["a b"]'],
    [{ "": bad }, 'inputs[""]'],
    [{ a: new Map([["k", [bad]]]) }, 'inputs.a["k"][0]'],
    [{ a: new Map([[5n, bad]]) }, "inputs.a[5n]"],
    [new Map([[true, bad]]), "inputs[true]"],
    [[new Set([bad])], "inputs[0][a symbol]"],
  ])("case %#", (value, path) => {
    expect(refusal(value).path).toBe(path);
  });

  test("the root has the caller's name, and the path is right after earlier siblings", () => {
    expect(refusal([{ a: [1, new Map([[1, new Set([2])]])] }, "x", [bad]], "result").path).toBe(
      "result[2][0]",
    );
  });

  test("long keys are shortened", () => {
    expect(refusal({ ["k".repeat(5000)]: bad }).path.length).toBeLessThan(100);
  });
});

describe("shape", () => {
  test("cycles are refused where they close, shared values are not", () => {
    const list: unknown[] = [1];
    list.push({ self: list });
    expect(refusal({ list })).toMatchObject({ path: "inputs.list[1].self", problem: "cycle" });
    const map = new Map<string, unknown>();
    map.set("m", [map]);
    expect(refusal(map)).toMatchObject({ path: 'inputs["m"][0]', problem: "cycle" });
    const shared = [1];
    expect(decodeMarshal(encodeMarshal([shared, shared], options))).toEqual([[1], [1]]);
  });

  test("200 containers deep and no deeper", () => {
    const nested = (depth: number): unknown[] => (depth === 1 ? [] : [nested(depth - 1)]);
    expect(decodeMarshal(encodeMarshal(nested(200), options))).toHaveLength(1);
    expect(refusal(nested(201))).toMatchObject({ problem: "depth", path: `inputs${"[0]".repeat(200)}` });
    expect(refusal(nested(2000)).problem).toBe("depth");
  });

  test("what Python cannot hash is refused as a key and as a member", () => {
    expect(refusal({ a: new Map([[[1], 2]]) })).toMatchObject({
      path: "inputs.a[an array]",
      problem: "unhashable",
    });
    expect(refusal(new Set([new Map()])).problem).toBe("unhashable");
    expect(refusal(new Set([{}])).problem).toBe("unhashable");
    expect(decodeMarshal(encodeMarshal(new Set([new Uint8Array([1])]), options))).toEqual(
      new Set([Uint8Array.of(1)]),
    );
  });

  test("only own enumerable properties with text keys are read", () => {
    const value = Object.create(null, { seen: { value: 1, enumerable: true }, hidden: { value: 2 } });
    value[Symbol("s")] = 3;
    expect(decodeMarshal(encodeMarshal(value, options))).toEqual(new Map([["seen", 1]]));
    const polluted = JSON.parse('{"__proto__": {"x": 1}}');
    expect(decodeMarshal(encodeMarshal(polluted, options))).toEqual(
      new Map([["__proto__", new Map([["x", 1]])]]),
    );
  });

  test("holes are None", () => {
    expect(decodeMarshal(encodeMarshal(new Array(2), options))).toEqual([null, null]);
  });
});

describe("transferred buffers", () => {
  test("are refused, rather than sent as empty bytes", () => {
    const bytes = new Uint8Array(4);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    expect(refusal({ a: [bytes] })).toMatchObject({ path: "inputs.a[0]", problem: "type" });
    expect(refusal({ a: bytes.buffer })).toMatchObject({ path: "inputs.a", problem: "type" });
  });
});

describe("size", () => {
  test("a limit of NaN admits nothing", () => {
    expect(() => encodeMarshal(null, { maxBytes: Number.NaN })).toThrow(UnsupportedValueError);
  });

  test.each<[unknown, number]>([
    [null, 1],
    [1, 5],
    ["abc", 5],
    ["é", 7],
    ["x".repeat(1000), 1005],
    [new Uint8Array(2000), 2005],
    [[1.5], 14],
    [10n ** 1000n, 5 + 2 * 222],
    [{ abc: null }, 8],
  ])("case %# takes its bytes and no fewer", (value, maxBytes) => {
    expect(encodeMarshal(value, { maxBytes })).toHaveLength(maxBytes);
    expect(() => encodeMarshal(value, { maxBytes: maxBytes - 1 })).toThrow(`more than ${maxBytes - 1} bytes`);
  });

  test("sharing cannot multiply beyond the limit", () => {
    let value: unknown = "x";
    for (let level = 0; level < 100; level++) value = [value, value, value, value];
    expect(refusal(value).problem).toBe("size");
  });

  test("a sparse array of 2^32-1 elements ends at the limit", () => {
    expect(refusal(new Array(2 ** 32 - 1)).problem).toBe("size");
  });

  test("text that makes the buffer grow arrives whole", () => {
    for (let filler = 480; filler < 520; filler++) {
      const value = ["x".repeat(filler), "\ud800é\u{1f600}", "x".repeat(filler)];
      expect(decodeMarshal(encodeMarshal(value, options))).toEqual(value);
    }
  });
});
