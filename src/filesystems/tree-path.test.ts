// Every byte string has one text and comes back from it; what Python's decoder makes of bytes is the oracle for the odd cases.
import fc from "fast-check";
import { expect, test } from "vitest";
import { refusal } from "./filesystem-fixture.ts";
import { isTreeName, isTreePath, lastName, parentPath, pathBytes, treePath } from "./tree-path.ts";

const byte = fc.oneof(
  fc.integer({ min: 1, max: 255 }),
  fc.constantFrom(0xc3, 0xa9, 0xe0, 0xa0, 0xed, 0x9f, 0xf0, 0x90, 0xf4, 0x8f, 0x80, 0xbf),
);
const byteStrings = fc.array(byte, { maxLength: 12 }).map((codes) => String.fromCharCode(...codes));

test("bytes come back", () => {
  fc.assert(
    fc.property(byteStrings, (bytes) => {
      expect(pathBytes(treePath(bytes))).toBe(bytes);
    }),
    { numRuns: 5000 },
  );
});

test("text comes back, or is no path", () => {
  const unit = fc.oneof(
    fc.integer({ min: 1, max: 0xffff }),
    fc.integer({ min: 0xd800, max: 0xdfff }),
    fc.constantFrom(0xdcc3, 0xdca9, 0x41),
  );
  const texts = fc.array(unit, { maxLength: 8 }).map((codes) => String.fromCharCode(...codes));
  fc.assert(
    fc.property(texts, (text) => {
      let bytes: string;
      try {
        bytes = pathBytes(text);
      } catch {
        expect(refusal(() => pathBytes(text))).toBe("EINVAL");
        return;
      }
      expect(treePath(bytes)).toBe(text);
    }),
    { numRuns: 5000 },
  );
});

// python3 -c 'print(ascii(b"...".decode("utf-8", "surrogateescape")))'
test.each([
  ["\xc3\xa9", "é"],
  ["\xf0\x9f\x90\x8d", "🐍"],
  ["a\xff\x80b", "a\udcff\udc80b"],
  ["\xed\xa0\x80", "\udced\udca0\udc80"],
  ["\xc0\xaf", "\udcc0\udcaf"],
  ["\xe0\x80\xaf", "\udce0\udc80\udcaf"],
  ["\xf4\x90\x80\x80", "\udcf4\udc90\udc80\udc80"],
  ["\xe2\x82", "\udce2\udc82"],
  ["\xe2\x82A", "\udce2\udc82A"],
])("%j is %j", (bytes, text) => {
  expect(treePath(bytes)).toBe(text);
});

test("a second spelling, and what stands for no byte, is refused", () => {
  for (const text of ["\udcc3\udca9", "\ud800", "\udc41", "x\udfff", "\udcf0\udc9f\udc90\udc8d"])
    expect(
      refusal(() => pathBytes(text)),
      JSON.stringify(text),
    ).toBe("EINVAL");
});

test("what is a path, and what is a name", () => {
  for (const path of ["", "a", "a/b", "__proto__/é", "..a", "\udcff"])
    expect(isTreePath(path), path).toBe(true);
  for (const path of ["/", "/a", "a/", "a//b", ".", "..", "a/../b", "a\0", "\ud800", 1, undefined])
    expect(isTreePath(path), String(path)).toBe(false);
  expect([isTreeName("x".repeat(255)), isTreeName("x".repeat(256))]).toEqual([true, false]);
  expect([isTreeName("é".repeat(127)), isTreeName("é".repeat(128)), isTreeName("a/b")]).toEqual([
    true,
    false,
    false,
  ]);
});

test("paths in parts", () => {
  expect([parentPath("a/b/c"), parentPath("a"), parentPath("")]).toEqual(["a/b", "", ""]);
  expect([lastName("a/b/c"), lastName("a"), lastName("")]).toEqual(["c", "a", ""]);
});
