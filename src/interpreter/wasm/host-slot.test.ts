// The one more index of the function table, at which Python's call of the host stands.
import { expect, test } from "vitest";
import { assemble, interpreterLike } from "./format/assemble-for-tests.ts";
import { ByteReader } from "./format/byte-reader.ts";
import { ImageFormatError } from "./format/image-format-error.ts";
import { growTable, withElement } from "./host-slot.ts";
import { rewriteImage } from "./rewrite.ts";

const reader = (...bytes: number[]): ByteReader => new ByteReader(Uint8Array.from(bytes));

test("a method at the slot, called as CPython calls methods, is a call of the host", () => {
  const image = rewriteImage(assemble(interpreterLike()), {
    exports: ["__indirect_function_table", "trampoline"],
    memoryMaximumPages: 2,
  });
  expect(image.hostSlot).toBe(12);
  for (const form of [image.full, image.lean]) {
    const calls: number[][] = [];
    const host = (...values: number[]): number => {
      calls.push(values);
      return 42;
    };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(form as BufferSource), {
      env: { _PyEM_TrampolineCall_JS: host },
    });
    const trampoline = exports.trampoline as (...values: number[]) => number;
    expect((exports.__indirect_function_table as WebAssembly.Table).length).toBe(13);
    expect(trampoline(image.hostSlot, 3, 4, 5)).toBe(42);
    // The rest is joined-imports.ts.
    expect(calls).toEqual([[3, 4, 5, 0, 0, 0, 0]]);
  }
});

test("only the table that is named grows, and a maximum no more than it must", () => {
  const grown = growTable(reader(2, 0x70, 1, 7, 7, 0x6f, 0, 3), 0);
  expect(grown).toEqual({ section: Uint8Array.of(2, 0x70, 1, 8, 8, 0x6f, 0, 3), slot: 7 });
  expect(growTable(reader(1, 0x70, 1, 7, 9), 0).section).toEqual(Uint8Array.of(1, 0x70, 1, 8, 9));
});

test.each([
  ["a table that is not there", [1, 0x70, 0, 7], 1, "no table 1"],
  ["a table of something else", [1, 0x6f, 0, 7], 0, "function references"],
  ["limits of an unknown kind", [1, 0x70, 4, 7], 0, "flags 4"],
])("refuses %s", (_, bytes, table, reason) => {
  const grow = (): unknown => growTable(reader(...bytes), table);
  expect(grow).toThrow(ImageFormatError);
  expect(grow).toThrow(reason);
});

test("segments that were there stay as they are", () => {
  const before = [1, 0, 0x41, 1, 0x0b, 2, 5, 6];
  expect(withElement(reader(...before), 0, 200, 3)).toEqual(
    Uint8Array.of(2, ...before.slice(1), 2, 0, 0x41, 200, 1, 0x0b, 0, 1, 3),
  );
});
