// The flags act on one compilation, or on one piece of work, and are gone afterwards.
import { expect, test } from "vitest";
import { compileInterpreter, whileOptimising } from "./engine-flags.ts";

const emptyModule = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

test("compiles a module", async () => {
  expect(await compileInterpreter(emptyModule)).toBeInstanceOf(WebAssembly.Module);
});

test("rejects what is no module", async () => {
  await expect(compileInterpreter(Uint8Array.of(1, 2, 3))).rejects.toThrow(WebAssembly.CompileError);
});

test("gives back what the work gave, and what it threw", async () => {
  expect(await whileOptimising(async () => 7)).toBe(7);
  await expect(whileOptimising(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
});
