// Function bodies, replaced one by one.

import { expect, test } from "vitest";
import { type FunctionBody, firstInstruction, readBodies, rewriteBodies } from "./code-section.ts";
import { ImageFormatError } from "./image-format-error.ts";

// Three bodies; the second has two groups of locals, the third a size that is padded to two bytes.
const section = Uint8Array.of(
  3,
  2,
  0,
  0x0b,
  8,
  2,
  1,
  0x7f,
  0x81,
  0x01,
  0x7e,
  0x01,
  0x0b,
  0x83,
  0,
  0,
  0x01,
  0x0b,
);

test("bodies have the index, and the place, that the section gives them", () => {
  const bodies = [...readBodies(section, 10)];
  expect(bodies.map((body) => body.functionIndex)).toEqual([10, 11, 12]);
  expect(bodies.map((body) => [body.entry, body.start, body.end])).toEqual([
    [1, 2, 4],
    [4, 5, 13],
    [13, 15, 18],
  ]);
  expect(bodies.map(firstInstruction)).toEqual([3, 11, 16]);
});

test("a pass that replaces nothing returns the same bytes", () => {
  expect(rewriteBodies(section, 0, () => undefined)).toEqual(section);
});

test.each([0, 1, 2])("replacing body %i leaves the others", (position) => {
  const long = Uint8Array.from([0, ...new Array<number>(200).fill(0x01), 0x0b]);
  const rewritten = rewriteBodies(section, 5, (body) =>
    body.functionIndex === 5 + position ? long : undefined,
  );
  const content = ({ bytes, start, end }: FunctionBody) => bytes.slice(start, end);
  const expected = [...readBodies(section, 5)].map(content);
  expected[position] = long;
  expect([...readBodies(rewritten, 5)].map(content)).toEqual(expected);
});

test.each([
  ["a body past the end", [1, 9, 0, 0x0b], /function 7 /],
  ["a body without end", [1, 2, 0, 0x01], /function 7 /],
  ["an empty body", [1, 0], /function 7 /],
  ["bytes after the last body", [1, 2, 0, 0x0b, 0x00], /goes on/],
])("%s is refused", (_, bytes, message) => {
  const read = () => [...readBodies(Uint8Array.from(bytes), 7)];
  expect(read).toThrow(ImageFormatError);
  expect(read).toThrow(message);
});
