// On a module in miniature: late data come when their module does, and all other data are where they were.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assemble, interpreterLike } from "./format/assemble-for-tests.ts";
import { ByteWriter } from "./format/byte-writer.ts";
import { ImageFormatError } from "./format/image-format-error.ts";
import { importMemory } from "./import-memory.ts";
import type { LateData } from "./late-data.ts";
import { cardBytes, cardTable } from "./marking/card-table.ts";
import { markWrites } from "./marking/mark-writes.ts";
import { type RewrittenImage, rewriteImage } from "./rewrite.ts";

const pages = 2;
const memoryBytes = pages * 65_536;

type Segment = readonly [start: number, bytes: readonly number[]];

function encodeData(segments: readonly Segment[]): number[] {
  const out = new ByteWriter();
  out.u32(segments.length);
  for (const [start, bytes] of segments) {
    out.bytes([0, 0x41]);
    out.s32(start);
    out.byte(0x0b);
    out.sized(Uint8Array.from(bytes));
  }
  return [...out.finish()];
}

/** `sole`, which returns 7, is the initialiser of the module a, and function 3, which returns 7 + x, of the module b. */
function build(segments: readonly Segment[], lateData: readonly LateData[]): RewrittenImage {
  const small = interpreterLike();
  small.memory = [1, 0, pages];
  small.exports.push(
    { name: "PyInit_a", kind: "function", index: 2 },
    { name: "PyInit_b", kind: "function", index: 3 },
  );
  small.data = encodeData(segments);
  const exports = ["memory", "PyInit_a", "PyInit_b"];
  return rewriteImage(assemble(small), { exports, memoryMaximumPages: pages, lateData });
}

const host = { _PyEM_TrampolineCall_JS: () => 0 };

function start(wasm: Uint8Array) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), { env: host });
  const memory = exports.memory as WebAssembly.Memory;
  memory.grow(pages - memory.buffer.byteLength / 65_536);
  const initialise = (name: string): number => (exports[`PyInit_${name}`] as (x: number) => number)(1);
  return { bytes: new Uint8Array(memory.buffer), initialise };
}

const filled = (bytes: number, value: number): number[] => new Array<number>(bytes).fill(value);
const oneRange: LateData[] = [{ modules: ["a", "b"], start: 4096, end: 8192 }];

describe("late data", () => {
  const segments: Segment[] = [
    [4000, filled(200, 1)],
    [5000, filled(10, 2)],
    [8100, filled(200, 3)],
    [9000, filled(10, 4)],
  ];

  test.each(["full", "lean"] as const)(
    "are there once one of their modules is initialised: the %s form",
    (form) => {
      for (const [name, answer] of [
        ["a", 7],
        ["b", 8],
      ] as const) {
        const { bytes, initialise } = start(build(segments, oneRange)[form]);
        expect(bytes.subarray(4096, 8192).some((byte) => byte !== 0)).toBe(false);
        expect(initialise(name)).toBe(answer);
        expect([...new Set(bytes.subarray(4096, 4200))]).toEqual([1]);
        expect([4999, 5000, 5009, 5010, 8099, 8100, 8191].map((at) => bytes[at])).toEqual([
          0, 2, 2, 0, 0, 3, 3,
        ]);
        const others = [3999, 4000, 4095, 8192, 8299, 8300, 9000].map((at) => bytes[at]);
        expect(others).toEqual(form === "full" ? [0, 1, 1, 3, 3, 0, 4] : filled(7, 0));
      }
    },
  );

  test("are copied no second time", () => {
    const { bytes, initialise } = start(build(segments, oneRange).lean);
    initialise("a");
    bytes[5000] = 99;
    initialise("b");
    expect(bytes[5000]).toBe(99);
  });

  test("are noted as written", () => {
    const table = cardTable(memoryBytes);
    const marked = markWrites(importMemory(build(segments, oneRange).lean), table);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const module = new WebAssembly.Module(marked as BufferSource);
    const { exports } = new WebAssembly.Instance(module, { env: { ...host, memory } });
    (exports.PyInit_a as () => number)();
    const notes = new Uint8Array(memory.buffer, table.start, table.pages);
    expect([...notes.keys()].filter((page) => notes[page] !== 0)).toEqual([4096 / cardBytes]);
  });

  test("of several ranges, each comes for its own modules", () => {
    const ranges = [
      { modules: ["b"], start: 4000, end: 4100 },
      { modules: ["a"], start: 4100, end: 5005 },
    ];
    const { bytes, initialise } = start(build(segments, ranges).full);
    expect([4000, 4099, 4100, 5004, 5005].map((at) => bytes[at])).toEqual([0, 0, 0, 0, 2]);
    initialise("a");
    expect([4000, 4099, 4100, 5004, 5005].map((at) => bytes[at])).toEqual([0, 0, 1, 2, 2]);
    initialise("b");
    expect([4000, 4099]).toEqual([4000, 4099].map((at) => at * (bytes[at] ?? 0)));
  });

  test("wherever they lie, the memory is in the end what it was", () => {
    const segment = fc.tuple(
      fc.nat(400),
      fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 60 }),
    );
    const ranges = fc.uniqueArray(fc.nat(500), { minLength: 4, maxLength: 4 });
    const property = fc.property(fc.array(segment, { maxLength: 12 }), ranges, (some, marks) => {
      const [from = 0, to = 0, from2 = 0, to2 = 0] = [...marks].sort((a, b) => a - b);
      const base = 1024;
      // One byte of each range is there in any case: without data, there is nothing to be late.
      const segments: Segment[] = [...some, [from, [1]], [from2, [1]]].map(
        ([start, bytes]) => [base + Number(start), bytes as number[]] as const,
      );
      const { bytes, initialise } = start(
        build(segments, [
          { modules: ["a"], start: base + from, end: base + to },
          { modules: ["b"], start: base + from2, end: base + to2 },
        ]).full,
      );
      const expected = start(build(segments, []).full).bytes;
      initialise("a");
      initialise("b");
      expect(Buffer.compare(bytes, expected)).toBe(0);
    });
    fc.assert(property, { numRuns: 200 });
  });
});

test.each<[string, Segment[], LateData[], string]>([
  ["a range without data", [[16, [1]]], oneRange, "no data from 4096 to 8192"],
  ["a module that is not there", [[5000, [1]]], [{ modules: ["c"], start: 4096, end: 8192 }], "PyInit_c"],
])("%s is refused", (_name, segments, late, reason) => {
  expect(() => build(segments, late)).toThrow(ImageFormatError);
  expect(() => build(segments, late)).toThrow(reason);
});

test("data of an unknown form are refused", () => {
  const small = interpreterLike();
  small.data = [1, 1, 1, 5];
  expect(() => rewriteImage(assemble(small), { exports: ["memory"], memoryMaximumPages: 2 })).toThrow(
    "a data segment for the first memory",
  );
});
