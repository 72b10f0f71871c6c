// What is reached stays as it is, in whatever way it is reached; all else is a trap.
import fc from "fast-check";
import { expect, test } from "vitest";
import { trapDeadFunctions } from "./dead-functions.ts";
import { assemble, interpreterLike } from "./format/assemble-for-tests.ts";
import { ByteReader } from "./format/byte-reader.ts";
import { ByteWriter } from "./format/byte-writer.ts";
import { readBodies, trapBody } from "./format/code-section.ts";
import { readReferredFunctions } from "./format/element-section.ts";
import { openSection, readSections, sectionId } from "./format/sections.ts";
import { rewriteImage } from "./rewrite.ts";

const imported = 2;
/** call, return_call, ref.func and drop: the three ways to mention a function. */
const ways = [
  (index: number) => [0x10, index],
  (index: number) => [0x12, index],
  (index: number) => [0xd2, index, 0x1a],
];

/** One body for each list of callees, with numbers from `imported` on. */
function codeOf(callees: readonly (readonly [callee: number, way: number])[][]): Uint8Array {
  const out = new ByteWriter();
  out.u32(callees.length);
  // A constant that looks like a call is none.
  const misleading = [0x41, 0x10, 0x1a];
  for (const mentions of callees) {
    const instructions = mentions.flatMap(([callee, way]) => ways[way]?.(callee) ?? []);
    out.sized(Uint8Array.of(0, ...misleading, ...instructions, 0x0b));
  }
  return out.finish();
}

const liveOf = (code: Uint8Array): number[] =>
  [...readBodies(code, imported)]
    .filter(({ bytes, start, end }) => Buffer.compare(bytes.subarray(start, end), trapBody) !== 0)
    .map(({ functionIndex }) => functionIndex);

test("the live functions are those that a walk from the roots finds", () => {
  const most = 12;
  const index = fc.nat(imported + most - 1);
  const mentions = fc.array(fc.tuple(index, fc.nat(2)), { maxLength: 3 });
  const property = fc.property(
    fc.array(mentions, { minLength: most, maxLength: most }),
    fc.array(index, { maxLength: 3 }),
    (callees, roots) => {
      const code = codeOf(callees);
      // The slow way: one more step until nothing is added.
      let expected = new Set(roots);
      for (let before = -1; before !== expected.size; ) {
        before = expected.size;
        const next = [...expected].flatMap((from) =>
          (callees[from - imported] ?? []).map(([callee]) => callee),
        );
        expected = new Set([...expected, ...next]);
      }
      const sorted = [...expected].filter((each) => each >= imported).sort((a, b) => a - b);
      const trimmed = trapDeadFunctions(code, imported, roots);
      expect(liveOf(trimmed)).toEqual(sorted);
      const bodies = (section: Uint8Array) =>
        [...readBodies(section, imported)].map(({ bytes, start, end }) => [...bytes.subarray(start, end)]);
      for (const each of sorted)
        expect(bodies(trimmed)[each - imported]).toEqual(bodies(code)[each - imported]);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("a module keeps what it exports and what stands in its table", () => {
  const exports = ["memory", "readGot", "trampoline"];
  const { full, lean } = rewriteImage(assemble(interpreterLike()), { exports, memoryMaximumPages: 2 });
  for (const form of [full, lean]) {
    expect(WebAssembly.validate(form as BufferSource)).toBe(true);
    const code = openSection(readSections(form), sectionId.code).bytes;
    const traps = [...readBodies(code, 1)].filter(
      ({ bytes, start, end }) => end - start === 3 && bytes[start + 1] === 0,
    );
    // geteuid alone is neither exported here nor in the table.
    expect(traps.map(({ functionIndex }) => functionIndex)).toEqual([12]);
  }
});

test("segments that only declare count as well", () => {
  const section = Uint8Array.of(2, 0, 0x41, 1, 0x0b, 2, 5, 6, 3, 0, 1, 9);
  expect([...readReferredFunctions(new ByteReader(section))]).toEqual([5, 6, 9]);
});
