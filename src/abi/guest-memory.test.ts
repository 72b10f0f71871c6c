// Hostile addresses against the checked access, and the layouts that libc expects: struct offsets after Emscripten's musl
// headers (bits/stat.h, bits/statfs.h) on wasm32.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  byteString,
  displayString,
  fromLatin1,
  GuestMemory,
  GuestRangeFault,
  latin1,
} from "./guest-memory.ts";
import { statBytes, statfsBytes, writeStat, writeStatfs } from "./stat.ts";

const pageBytes = 65_536;
function onePage(): { memory: GuestMemory; wasm: WebAssembly.Memory } {
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 3 });
  return { memory: new GuestMemory(wasm), wasm };
}
const i32 = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: 0, max: pageBytes + 8 }),
);

describe("a range", () => {
  test("is allowed exactly when all of it lies in memory and it does not begin at NULL", () => {
    const { memory } = onePage();
    fc.assert(
      fc.property(i32, i32, (address, length) => {
        const [start, size] = [address >>> 0, length >>> 0];
        const allowed = start + size <= pageBytes && (start !== 0 || size === 0);
        if (allowed) expect(memory.slice(address, length).byteOffset).toBe(start);
        else expect(() => memory.slice(address, length)).toThrow(GuestRangeFault);
      }),
    );
  });

  test.each([
    ["the last byte and one more", pageBytes - 1, 2],
    ["an end that wraps around 32 bits to a small number", -16, 32],
    ["all that 32 bits can name", 1, -1],
    ["NULL", 0, 1],
  ])("%s is refused", (_, address, length) => {
    expect(() => onePage().memory.check(address, length)).toThrow(GuestRangeFault);
  });

  test("of every width ends with memory", () => {
    const { memory } = onePage();
    const widths = [
      [1, (at: number) => memory.setU8(at, 1), (at: number) => memory.getU8(at)],
      [2, (at: number) => memory.setU16(at, 1), (at: number) => memory.getU16(at)],
      [4, (at: number) => memory.setU32(at, 1), (at: number) => memory.getU32(at)],
      [4, (at: number) => memory.setI32(at, 1), (at: number) => memory.getI32(at)],
      [8, (at: number) => memory.setI64(at, 1n), (at: number) => memory.getI64(at)],
    ] as const;
    for (const [bytes, set, get] of widths) {
      set(pageBytes - bytes);
      expect(Number(get(pageBytes - bytes))).toBe(1);
      expect(() => set(pageBytes - bytes + 1)).toThrow(GuestRangeFault);
      expect(() => get(pageBytes - bytes + 1)).toThrow(GuestRangeFault);
    }
  });
});

test("growth detaches the old views, and every access finds the new ones", () => {
  const { memory, wasm } = onePage();
  memory.setU32(8, 0xfeedface);
  wasm.grow(1);
  expect(memory.getU32(8)).toBe(0xfeedface);
  expect(memory.bytes.length).toBe(2 * pageBytes);
  memory.setU8(2 * pageBytes - 1, 7);
  wasm.grow(1);
  expect(memory.slice(2 * pageBytes - 1, 1)[0]).toBe(7);
});

describe("strings", () => {
  test("end at NUL, at the limit, or in a fault", () => {
    const { memory } = onePage();
    memory.slice(100, 10).set(fromLatin1("abc\xff\0def"));
    expect(memory.readByteString(100, 4)).toBe("abc\xff");
    expect(memory.readByteString(100, 3)).toBeUndefined();
    expect(memory.readByteString(104, 3)).toBe("");
    memory.bytes.fill(0x61, pageBytes - 5);
    expect(() => memory.readByteString(pageBytes - 5, 4095)).toThrow(GuestRangeFault);
    expect(memory.readByteString(pageBytes - 5, 3)).toBeUndefined();
    expect(() => memory.readByteString(0, 10)).toThrow(GuestRangeFault);
    expect(() => memory.readByteString(-1, 10)).toThrow(GuestRangeFault);
  });

  test("keep every byte, of any length", () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7) & 0xff);
    expect(fromLatin1(latin1(bytes))).toEqual(bytes);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(displayString(byteString(text))).toBe(text);
      }),
    );
    expect(displayString("a\xffb")).toBe("a\ufffdb");
  });
});

test("struct stat", () => {
  const { memory } = onePage();
  const times = { atimeNs: -1n, mtimeNs: 2_000_000_003n, ctimeNs: 0n };
  const numbers = { dev: 1, ino: 2 ** 40, mode: 0o100644, nlink: 3, uid: 4, gid: 5, rdev: 6 };
  writeStat(memory, 64, { ...numbers, size: 2 ** 41, blocks: 2 ** 33, ...times });
  const u32 = (at: number) => memory.getU32(64 + at);
  expect([0, 4, 8, 12, 16, 20].map(u32)).toEqual([1, 0o100644, 3, 4, 5, 6]);
  expect(memory.getI64(64 + 24)).toBe(2n ** 41n);
  expect([u32(32), u32(36)]).toEqual([4096, 0x7fffffff]);
  // One nanosecond before 1970 is the last one of second -1.
  expect([memory.getI64(64 + 40), memory.getI32(64 + 48)]).toEqual([-1n, 999_999_999]);
  expect([memory.getI64(64 + 56), memory.getI32(64 + 64)]).toEqual([2n, 3]);
  expect(memory.getI64(64 + 88)).toBe(2n ** 40n);
  const size = { ...numbers, size: 0, blocks: 0, ...times };
  expect(() => writeStat(memory, pageBytes - statBytes + 1, size)).toThrow(GuestRangeFault);
});

test("struct statfs leaves no old byte inside and none changed outside", () => {
  const { memory } = onePage();
  memory.bytes.fill(0xee);
  const counts = { blocks: 2 ** 40, freeBlocks: 7, files: 8, freeFiles: 9 };
  writeStatfs(memory, 64, { blockBytes: 4096, ...counts, maxNameBytes: 255, flags: 1 });
  expect([8, 16, 24, 32, 40].map((at) => Number(memory.getI64(64 + at)))).toEqual([2 ** 40, 7, 7, 8, 9]);
  expect([4, 56, 60, 64].map((at) => memory.getU32(64 + at))).toEqual([4096, 255, 4096, 1]);
  expect(memory.slice(64, statfsBytes).includes(0xee)).toBe(false);
  expect([memory.getU8(63), memory.getU8(64 + statfsBytes)]).toEqual([0xee, 0xee]);
});

describe("notes of the pages that are reached", () => {
  const cardBytes = 4096;
  const cards = { start: 65_536 - 10, pages: 10, shift: 12 };
  const noted = (reach: (memory: GuestMemory) => void): number[] => {
    const wasm = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    reach(new GuestMemory(wasm as { readonly buffer: ArrayBuffer }, cards));
    const notes = new Uint8Array(wasm.buffer, cards.start, cards.pages);
    return [...notes.keys()].filter((page) => notes[page] === 1);
  };

  test("are of each page of a range, and of no other", () => {
    expect(noted((memory) => memory.setU8(2 * cardBytes, 1))).toEqual([2]);
    expect(noted((memory) => memory.setI64(3 * cardBytes - 4, 1n))).toEqual([2, 3]);
    expect(noted((memory) => memory.slice(cardBytes - 1, 3 * cardBytes + 2))).toEqual([0, 1, 2, 3, 4]);
    expect(noted((memory) => memory.slice(cardBytes, 0))).toEqual([]);
  });

  test("are not made where there is no room for them: nobody has these addresses", () => {
    for (const [address, length] of [
      [10 * cardBytes, 1],
      [10 * cardBytes - 1, 2],
      [cards.start, 1],
      [cardBytes, 60_000],
    ] as const) {
      const reach = (memory: GuestMemory) => {
        expect(() => memory.slice(address, length)).toThrow(GuestRangeFault);
      };
      expect(noted(reach)).toEqual([]);
    }
  });

  test("do not hold in a memory that has grown, or where somebody writes by himself", () => {
    const wasm = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    const memory = new GuestMemory(wasm as { readonly buffer: ArrayBuffer }, cards);
    expect(memory.notesHold).toBe(true);
    memory.doubtNotes();
    expect(memory.notesHold).toBe(false);
    memory.believeNotes();
    expect(memory.notesHold).toBe(true);
    wasm.grow(1);
    expect(memory.notesHold).toBe(false);
    memory.setU8(cards.start, 7);
    expect(memory.getU8(cards.start)).toBe(7);
    expect(new GuestMemory(wasm as { readonly buffer: ArrayBuffer }).notesHold).toBe(false);
  });
});
