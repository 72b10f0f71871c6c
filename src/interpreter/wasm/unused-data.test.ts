// Data are left out where no function that is there names an address in them.
import { expect, test } from "vitest";
import { assemble, interpreterLike } from "./format/assemble-for-tests.ts";
import { ByteWriter } from "./format/byte-writer.ts";
import { rewriteImage } from "./rewrite.ts";

const start = 4096;
const end = 8192;

/** A signed number, in five bytes where `wide`, as linkers write them. */
function signed(value: number, wide = false): number[] {
  const out = new ByteWriter();
  out.s32(value);
  const bytes = [...out.finish()];
  if (!wide) return bytes;
  while (bytes.length < 5) bytes.push(0);
  return bytes.map((byte, index) => (index < 4 ? byte | 0x80 : byte));
}
function unsigned(value: number): number[] {
  const out = new ByteWriter();
  out.u32(value);
  return [...out.finish()];
}

const inside = 5000;
const readers: readonly (readonly [string, readonly number[]])[] = [
  ["a constant", [0x41, ...signed(inside)]],
  ["a constant in five bytes", [0x41, ...signed(inside, true)]],
  ["the first address", [0x41, ...signed(start)]],
  ["the last address", [0x41, ...signed(end - 1)]],
  ["the offset of a load", [0x41, 0, 0x28, 2, ...unsigned(inside)]],
  ["the offset of a store", [0x41, 0, 0x41, 0, 0x36, 2, ...unsigned(inside), 0x41, 0]],
  // v128.load, i32x4.extract_lane
  ["the offset of a vector's load", [0x41, 0, 0xfd, 0, 4, ...unsigned(inside), 0xfd, 0x1b, 0]],
  // v128.load32_zero
  ["the offset of a load that fills up", [0x41, 0, 0xfd, 0x5c, 2, ...unsigned(inside), 0xfd, 0x1b, 0]],
];
const strangers: readonly (readonly [string, readonly number[]])[] = [
  ["the address before", [0x41, ...signed(start - 1)]],
  ["the address behind", [0x41, ...signed(end)]],
  ["a negative number with its bits", [0x41, ...signed(inside - 2 ** 31)]],
];

/** What stands in the range after a start, with a function of this code, exported or not. */
function dataOf(code: readonly number[], isThere: boolean): number[] {
  const small = interpreterLike();
  small.functions.push({ type: 6, code: [...code] });
  const index =
    small.functions.length + small.imports.filter((entry) => entry.function !== undefined).length - 1;
  small.exports.push({ name: "reader", kind: "function", index });
  const before = [0x41, ...signed(start - 2), 0x0b, 4, 1, 2, 3, 4];
  const last = [0x41, ...signed(end - 2), 0x0b, 4, 5, 6, 7, 8];
  small.data = [2, 0, ...before, 0, ...last];
  const { full } = rewriteImage(assemble(small), {
    exports: isThere ? ["memory", "reader"] : ["memory"],
    memoryMaximumPages: 1,
    unusedData: [{ start, end }],
  });
  const imports = { env: { _PyEM_TrampolineCall_JS: () => 0 } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(full as BufferSource), imports);
  const bytes = new Uint8Array((exports.memory as WebAssembly.Memory).buffer);
  return [...bytes.subarray(start - 2, start + 2), ...bytes.subarray(end - 2, end + 2)];
}

const whole = [1, 2, 3, 4, 5, 6, 7, 8];
const cut = [1, 2, 0, 0, 0, 0, 7, 8];

test.each(readers)("they stay where a function names %s, and go with it", (_name, code) => {
  expect(dataOf(code, true)).toEqual(whole);
  expect(dataOf(code, false)).toEqual(cut);
});

test.each(strangers)("they go where a function names %s", (_name, code) => {
  expect(dataOf(code, true)).toEqual(cut);
});
