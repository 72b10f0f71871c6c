// The dispatch that replaces the JavaScript trampoline, on a module that has one function of each arity.

import { beforeAll, describe, expect, test } from "vitest";
import { assemble, interpreterLike } from "./format/assemble-for-tests.ts";
import { rewriteImage } from "./rewrite.ts";

type Call = (...values: number[]) => number;

const kept = ["memory", "__indirect_function_table", "trampoline", "sole"];
const options = { exports: kept, memoryMaximumPages: 2 };

function instantiate(wasm: Uint8Array) {
  const refused = () => {
    throw new Error("the trampoline went through JavaScript");
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), {
    env: { _PyEM_TrampolineCall_JS: refused },
  });
  const { trampoline, memory, __indirect_function_table: table } = instance.exports;
  return {
    call: trampoline as Call,
    stored: () => new DataView((memory as WebAssembly.Memory).buffer).getInt32(32, true),
    table: table as WebAssembly.Table,
  };
}

describe("over functions of i32", () => {
  let image: ReturnType<typeof instantiate>;
  beforeAll(() => {
    image = instantiate(rewriteImage(assemble(interpreterLike()), options).full);
  });

  test.each([
    [1, "no parameter", 7],
    [2, "one", 10],
    [3, "two", 50],
    [4, "three", 550],
    [5, "four, the last one missing", 550],
  ])("table entry %i: %s", (index, _, sum) => {
    expect(image.call(index, 3, 4, 5)).toBe(sum);
  });

  test.each([
    [6, "no parameter", 7],
    [7, "one", 10],
    [8, "two", 50],
    [9, "three", 550],
  ])("table entry %i returns nothing: %s", (index, _, sum) => {
    expect(image.call(index, 3, 4, 5)).toBe(0);
    expect(image.stored()).toBe(sum);
  });

  test.each([
    [10, "a parameter that is not i32"],
    [0, "the null pointer"],
    [11, "an entry that is empty"],
    [13, "just past the table"],
    [0x7fff_ffff, "far past the table"],
    [-1, "a negative index"],
  ])("table entry %i traps: %s", (index) => {
    expect(() => image.call(index, 3, 4, 5)).toThrow(WebAssembly.RuntimeError);
  });

  test("an entry filled in later is called with three arguments", () => {
    const image = instantiate(rewriteImage(assemble(interpreterLike()), options).full);
    const index = image.table.grow(1);
    image.table.set(index, image.table.get(4));
    image.table.set(11, image.table.get(4));
    expect(image.call(index, 3, 4, 5)).toBe(550);
    expect(image.call(11, 3, 4, 5)).toBe(550);
    image.table.set(index, image.table.get(3));
    expect(() => image.call(index, 3, 4, 5)).toThrow(WebAssembly.RuntimeError);
  });
});

test("types that the module lacks are added", () => {
  const module = interpreterLike();
  // Only functions of four i32, and one of an i32 and an i64, stay in the table, so nothing else uses the type of three i32.
  module.types[7] = [["i64"], ["i64"]];
  module.functions[4] = { type: 7, code: [0x42, 0] };
  module.elements = [1, 0, 0x41, 1, 0x0b, 2, 6, 5];
  const { call } = instantiate(rewriteImage(assemble(module), options).full);
  expect(call(1, 3, 4, 5)).toBe(550);
  expect(() => call(2, 3, 4, 5)).toThrow(WebAssembly.RuntimeError);
});

test("segments of the form that names its table are read, and declarative ones are not", () => {
  const module = interpreterLike();
  const declarative = [3, 0, 7, 11, 11, 11, 11, 11, 11, 11];
  module.elements = [3, 2, 0, 0x41, 5, 0x0b, 0, 1, 3, 0, 0x41, 6, 0x0b, 1, 4, ...declarative];
  const { call } = instantiate(rewriteImage(assemble(module), options).full);
  expect(call(5, 3, 4, 5)).toBe(10);
  expect(call(6, 3, 4, 5)).toBe(50);
});

test("an empty table traps on every index", () => {
  const module = interpreterLike();
  module.elements = [0];
  const { call } = instantiate(rewriteImage(assemble(module), options).full);
  for (const index of [0, 1, 13]) expect(() => call(index, 1, 2, 3)).toThrow(WebAssembly.RuntimeError);
});

test.each([
  ["a passive segment", [1, 1, 0, 1, 2], /element segment 0 has the form 1/],
  ["a start that is not constant", [1, 0, 0x23, 1, 0x0b, 1, 2], /constant start/],
  ["a function that does not exist", [1, 0, 0x41, 1, 0x0b, 1, 99], /function 99/],
  ["an index beyond any br_table", [1, 0, 0x41, 0x80, 0x80, 0x04, 0x0b, 1, 2], /entry 65536/],
])("%s is refused", (_, elements, message) => {
  const module = { ...interpreterLike(), elements };
  expect(() => rewriteImage(assemble(module), options)).toThrow(message);
});
