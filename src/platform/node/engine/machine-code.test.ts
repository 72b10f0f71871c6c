// V8's own judgement of what it is given back; Node 20, 22 and 24 have the two functions.
import { expect, test } from "vitest";
import { assembleText } from "../../../interpreter/wasm/format/assemble-text.ts";
import { keepableCode, keepableCodeTag } from "./engine-flags.ts";
import { machineCode } from "./machine-code.ts";

const wasm = assembleText(`
  (func $sum (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (local.get $n)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (local.get $n)))
    (local.get $sum))`) as Uint8Array<ArrayBuffer>;

function sumOf(module: WebAssembly.Module): (n: number) => number {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return exports.sum as (n: number) => number;
}

const supported = ["11", "12", "13"].includes(process.versions.v8.split(".", 1)[0] ?? "");
const skipReason = supported ? "" : ` (skipped: V8 ${process.versions.v8} has no such functions)`;

test.runIf(supported)(`optimised code comes back, for the same bytes${skipReason}`, async () => {
  const module = new WebAssembly.Module(wasm);
  const sum = sumOf(module);
  let code: Uint8Array | undefined;
  for (let round = 0; round < 100 && code === undefined; round++) {
    sum(100_000);
    await new Promise((resolve) => setTimeout(resolve, 10));
    code = machineCode?.take(module);
  }
  const again = machineCode?.give(code ?? new Uint8Array(0), wasm);
  expect(sumOf(again as WebAssembly.Module)(100)).toBe(5050);
});

test.runIf(supported)(`bytes that are no code are not taken${skipReason}`, () => {
  for (const code of [new Uint8Array(0), new Uint8Array(7), new Uint8Array(5000).fill(0xa5)])
    expect(machineCode?.give(code, wasm)).toBe(undefined);
});

test.runIf(supported)(
  `what nothing has made hot has no code, and the tag tells processes apart${skipReason}`,
  () => {
    expect(keepableCode(new WebAssembly.Module(wasm.slice(0, 8)))).toBe(undefined);
    expect(keepableCodeTag()).toContain(process.versions.v8);
  },
);

test("none of V8's own functions can be named afterwards", () => {
  keepableCodeTag();
  expect(() => new Function("a", "return %DebugPrint(a)")).toThrow(SyntaxError);
});
