// Lists of imports with signatures, from hand-made bytes of every kind of import.

import { expect, test } from "vitest";
import { ImageFormatError } from "./image-format-error.ts";
import { readModuleImports } from "./module-imports.ts";

const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const types = [3, 0x60, 3, 0x7f, 0x7e, 0x7c, 1, 0x7f, 0x60, 0, 0, 0x60, 2, 0x6f, 0x7d, 2, 0x6f, 0x70];

function moduleWith(count: number, imports: readonly number[]): Uint8Array {
  return Uint8Array.from([...header, 1, types.length, ...types, 2, imports.length + 1, count, ...imports]);
}

test("every kind is listed, in file order", () => {
  const name = (letter: string) => [1, 0x6d, 1, letter.charCodeAt(0)];
  const imports = [
    [...name("a"), 0, 0],
    [...name("b"), 1, 0x70, 1, 1, 0x80, 0x01],
    [...name("c"), 2, 0, 1],
    [...name("d"), 3, 0x7f, 1],
    [...name("e"), 4, 0, 1],
    [...name("f"), 0, 2],
    [...name("g"), 0, 1],
  ];
  expect(readModuleImports(moduleWith(imports.length, imports.flat()))).toEqual([
    { module: "m", name: "a", kind: "function", signature: "(i32,i64,f64)->i32" },
    { module: "m", name: "b", kind: "table" },
    { module: "m", name: "c", kind: "memory" },
    { module: "m", name: "d", kind: "global" },
    { module: "m", name: "e", kind: "tag", signature: "()->void" },
    { module: "m", name: "f", kind: "function", signature: "(externref,f32)->externref,funcref" },
    { module: "m", name: "g", kind: "function", signature: "()->void" },
  ]);
});

test("a module without imports asks for nothing", () => {
  expect(readModuleImports(Uint8Array.from(header))).toEqual([]);
});

test.each([
  ["a type that does not exist", [0, 0, 0, 3], /type 3/],
  ["an unknown kind", [1, 0x6d, 1, 0x61, 5, 0], /m\.a is of the unknown kind 5/],
  ["an unknown value type", [0, 0, 3, 0x11, 0], /value type 0x11/],
  ["a truncated entry", [1, 0x6d, 1], /name of an import/],
])("%s is refused", (_, entry, message) => {
  const read = () => readModuleImports(moduleWith(1, entry));
  expect(read).toThrow(ImageFormatError);
  expect(read).toThrow(message);
});
