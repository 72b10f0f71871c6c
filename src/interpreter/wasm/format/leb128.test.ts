// ByteWriter and ByteReader are each other's oracle for valid numbers; the refused ones are written by hand.

import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter, u32Bytes } from "./byte-writer.ts";
import { ImageFormatError } from "./image-format-error.ts";

const edges = [0, 1, 63, 64, 127, 128, 8191, 8192, 16383, 16384, 2 ** 21 - 1, 2 ** 21, 2 ** 28 - 1, 2 ** 28];
const unsigned = fc.oneof(fc.constantFrom(...edges, 2 ** 31, 2 ** 32 - 1), fc.nat({ max: 2 ** 32 - 1 }));
const signed = fc.oneof(
  fc.constantFrom(...edges, ...edges.map((n) => -1 - n), -(2 ** 31), 2 ** 31 - 1),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);

function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(0);
  write(out);
  return out.finish();
}

test("unsigned numbers survive the round trip, in the fewest bytes", () => {
  fc.assert(
    fc.property(unsigned, (value) => {
      const bytes = written((out) => out.u32(value));
      const reader = new ByteReader(bytes);
      expect(reader.u32("a number")).toBe(value);
      expect(reader.done).toBe(true);
      expect(bytes.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)));
      expect(u32Bytes(value)).toBe(bytes.length);
    }),
  );
});

test("signed numbers survive the round trip", () => {
  fc.assert(
    fc.property(signed, (value) => {
      const bytes = written((out) => out.s32(value));
      const reader = new ByteReader(bytes);
      expect(reader.s32("a number")).toBe(value);
      expect(reader.done).toBe(true);
      expect(bytes.length).toBeLessThanOrEqual(5);
    }),
  );
});

test("numbers padded to five bytes are read", () => {
  expect(new ByteReader(Uint8Array.of(0x81, 0x80, 0x80, 0x80, 0x00)).u32("n")).toBe(1);
  expect(new ByteReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f)).s32("n")).toBe(-1);
});

test.each([
  ["truncated", [0x80, 0x80]],
  ["empty", []],
  ["six bytes", [0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
  ["more than 32 bits", [0xff, 0xff, 0xff, 0xff, 0x1f]],
])("unsigned: %s is refused", (_, bytes) => {
  expect(() => new ByteReader(Uint8Array.from(bytes)).u32("a number")).toThrow(ImageFormatError);
});

test.each([
  ["truncated", [0xff]],
  ["six bytes", [0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ["above 2^31-1", [0xff, 0xff, 0xff, 0xff, 0x08]],
  ["below -2^31", [0x80, 0x80, 0x80, 0x80, 0x77]],
])("signed: %s is refused", (_, bytes) => {
  expect(() => new ByteReader(Uint8Array.from(bytes)).s32("a number")).toThrow(ImageFormatError);
});

test("numbers outside 32 bits, or with a fraction, are not written", () => {
  const out = new ByteWriter();
  for (const value of [-1, 2 ** 32, 0.5, Number.NaN]) expect(() => out.u32(value)).toThrow(RangeError);
  for (const value of [-(2 ** 31) - 1, 2 ** 31, 0.5]) expect(() => out.s32(value)).toThrow(RangeError);
  expect(out.length).toBe(0);
});

test("reading stops at the end of the range, not of the file", () => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3, 4), 1, 3);
  expect([...reader.slice(2, "two bytes")]).toEqual([2, 3]);
  expect(() => reader.byte("one more")).toThrow(/byte 3, where one more was expected/);
  expect(() => new ByteReader(Uint8Array.of(1, 2, 3, 4), 1, 3).slice(3, "three bytes")).toThrow(
    ImageFormatError,
  );
  expect(() => new ByteReader(Uint8Array.of(1), 0, 2)).toThrow(ImageFormatError);
});

test("names survive the round trip, and must be UTF-8", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (name) => {
      expect(new ByteReader(written((out) => out.name(name))).name("a name")).toBe(name);
    }),
  );
  expect(() => new ByteReader(Uint8Array.of(2, 0xc3, 0x28)).name("a name")).toThrow(ImageFormatError);
});

test("a writer grows over what it was given", () => {
  const bytes = written((out) => {
    for (let i = 0; i < 5000; i++) out.bytes([i & 0xff, 7]);
  });
  expect(bytes.length).toBe(10_000);
  expect(bytes.every((byte, i) => byte === (i % 2 === 0 ? (i / 2) & 0xff : 7))).toBe(true);
});
