// The assembler's output is given to the engine, which is the judge of it.
import { describe, expect, test } from "vitest";
import { assembleText } from "./assemble-text.ts";
import { ImageFormatError } from "./image-format-error.ts";

function instantiate(text: string): {
  memory: WebAssembly.Memory;
  exports: Record<string, (...values: number[]) => number>;
} {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(assembleText(text) as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { memory, exports: exports as Record<string, (...values: number[]) => number> };
}

describe("text becomes a module", () => {
  test("with parameters, locals, constants of any size, and calls", () => {
    const { exports } = instantiate(`
      ;; a comment
      (func $mix (param $a i32) (param $b i32) (result i32) (local $c i32)
        (local.set $c (i32.mul (local.get $a) (i32.const 1000003)))
        (i32.xor (local.get $c) (call $minus (local.get $b))))
      (func $minus (param $a i32) (result i32) (i32.sub (i32.const -2147483648) (local.get $a)))`);
    expect(exports.mix?.(7, 5)).toBe(Math.imul(7, 1_000_003) ^ (-(2 ** 31) - 5));
    expect(exports.minus?.(1)).toBe(2 ** 31 - 1);
  });

  test("with loops, blocks and branches out of any depth", () => {
    const { exports } = instantiate(`
      (func $gauss (param $n i32) (result i32) (local $sum i32)
        (block $done (loop $next
          (br_if $done (i32.eqz (local.get $n)))
          (if (i32.eq (local.get $n) (i32.const 13)) (then (br $done)) (else
            (local.set $sum (i32.add (local.get $sum) (local.get $n)))))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next)))
        (local.get $sum))`);
    expect(exports.gauss?.(12)).toBe(78);
    expect(exports.gauss?.(15)).toBe(29);
  });

  test("with loads, stores and blocks of memory", () => {
    const { exports, memory } = instantiate(`
      (func $work (param $at i32) (result i32)
        (i64.store (local.get $at) (i64.const -1))
        (i32.store8 offset=3 (local.get $at) (i32.const 0))
        (memory.copy (i32.const 100) (local.get $at) (i32.const 8))
        (memory.fill (local.get $at) (i32.const 7) (i32.const 2))
        (select (i32.load8_s offset=104 (i32.const 0)) (i32.const 0) (i32.load16_s (local.get $at))))`);
    expect(exports.work?.(16)).toBe(-1);
    expect([...new Uint8Array(memory.buffer, 16, 8)]).toEqual([7, 7, 255, 0, 255, 255, 255, 255]);
    expect([...new Uint8Array(memory.buffer, 100, 4)]).toEqual([255, 255, 255, 0]);
  });

  test("with four words at a time", () => {
    const { exports, memory } = instantiate(`
      (func $work (param $at i32) (local $x v128)
        (local.set $x (v128.xor (i32x4.mul (v128.load (local.get $at)) (i32x4.splat (i32.const 3))) (i32x4.splat (i32.const 1))))
        (local.set $x (i32x4.add (local.get $x) (i32x4.eq (local.get $x) (i32x4.splat (i32.const 7)))))
        (v128.store offset=16 (local.get $at) (v128.and (i32x4.shl (local.get $x) (i32.const 2)) (i32x4.splat (i32.const 60))))
        (v128.store offset=32 (local.get $at) (i32x4.shr_u (local.get $x) (i32.const 1))))`);
    const words = new Int32Array(memory.buffer);
    words.set([2, 5, -1, 10], 4);
    exports.work?.(16);
    const x = [2, 5, -1, 10].map((word) => (word * 3) ^ 1).map((word) => (word === 7 ? 6 : word));
    expect([...words.subarray(8, 12)]).toEqual(x.map((word) => (word << 2) & 60));
    expect([...words.subarray(12, 16)]).toEqual(x.map((word) => (word >>> 1) | 0));
  });
});

test.each([
  ["an instruction that it does not know", "(func $f (f64.sqrt))"],
  ["a local that is not there", "(func $f (local.get $a))"],
  ["a function that is not there", "(func $f (call $g))"],
  ["a label that is not open", "(func $f (block $a) (br $a))"],
  ["a type that it does not know", "(func $f (param $a f32))"],
  ["a parenthesis too few", "(func $f"],
  ["a parenthesis too many", "(func $f))"],
  ["what is no function", "(memory 1)"],
])("%s is refused", (_what, text) => {
  expect(() => assembleText(text)).toThrow(ImageFormatError);
});
