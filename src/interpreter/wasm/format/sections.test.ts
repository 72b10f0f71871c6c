// Splitting and joining modules.

import { expect, test } from "vitest";
import { assemble, customSection, interpreterLike } from "./assemble-for-tests.ts";
import { ImageFormatError } from "./image-format-error.ts";
import { joinSections, openSection, readSections, sectionId } from "./sections.ts";

const module = assemble(interpreterLike());

test("what is split is joined to the same bytes, in a buffer of exactly that size", () => {
  const joined = joinSections(readSections(module));
  expect(joined).toEqual(module);
  expect(joined.buffer.byteLength).toBe(joined.byteLength);
});

test("custom sections are left out, wherever they are", () => {
  const header = [...module.subarray(0, 8)];
  const withNames = Uint8Array.from([...header, ...customSection, ...module.subarray(8), ...customSection]);
  expect(joinSections(readSections(withNames))).toEqual(module);
});

test.each([
  ["another file", [0x7f, 0x45, 0x4c, 0x46, 1, 0, 0, 0], /header/],
  ["another version", [0x00, 0x61, 0x73, 0x6d, 2, 0, 0, 0], /header/],
  ["nothing", [], /header/],
  ["an unknown section", [...module.subarray(0, 8), 14, 0], /unknown section 14 at byte 8/],
  ["a section that goes past the end", [...module.subarray(0, 8), 1, 2, 0], /type section of 2 bytes/],
  ["a section that occurs twice", [...module, 5, 3, 1, 0, 1], /memory section occurs twice/],
])("%s is refused", (_, bytes, message) => {
  const read = () => readSections(Uint8Array.from(bytes));
  expect(read).toThrow(ImageFormatError);
  expect(read).toThrow(message);
});

test("a section that is not there is named", () => {
  expect(() => openSection(readSections(module), sectionId.tag)).toThrow(/no tag section/);
});
