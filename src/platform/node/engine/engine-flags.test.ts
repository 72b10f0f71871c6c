// The flags act on one compilation, or on one piece of work, and are gone afterwards.
import { spawnSync } from "node:child_process";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { assembleText } from "../../../interpreter/wasm/format/assemble-text.ts";
import {
  compileInterpreter,
  keepableCode,
  keepableCodeTag,
  moduleWithCode,
  whileOptimising,
} from "./engine-flags.ts";

const emptyModule = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

test("compiles a module", () => {
  expect(compileInterpreter(emptyModule)).toBeInstanceOf(WebAssembly.Module);
});

test.runIf(keepableCodeTag() !== undefined)(
  "code has the same name while threads start and load their own",
  async () => {
    const tags = new Set([keepableCodeTag()]);
    for (let thread = 0; thread < 25; thread++) {
      const worker = new Worker("require('node:http'); require('node:stream/web')", { eval: true });
      let ended = false;
      worker.on("exit", () => {
        ended = true;
      });
      while (!ended) {
        tags.add(keepableCodeTag());
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    expect([...tags]).toHaveLength(1);
  },
);

test("rejects what is no module", () => {
  expect(() => compileInterpreter(Uint8Array.of(1, 2, 3))).toThrow(WebAssembly.CompileError);
});

test("a function that is not valid never runs, though it is validated when it is called and the flag is back", () => {
  // Exports a, an i32.add without operands, and b, which gives 1.
  const bytes =
    "0061736d01000000" +
    "0105016000017f" +
    "0303020000" +
    "0709020161000001620001" +
    "0a0a0203006a0b040041010b";
  const program = `
    const { setFlagsFromString } = require("node:v8");
    setFlagsFromString("--wasm-lazy-validation");
    const module = new WebAssembly.Module(Buffer.from("${bytes}", "hex"));
    setFlagsFromString("--no-wasm-lazy-validation");
    const { a, b } = new WebAssembly.Instance(module).exports;
    console.log("valid", b());
    console.log("invalid", a());`;
  const { stdout, status, signal } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8" });
  expect(stdout).toBe("valid 1\n");
  expect(status === 0 && signal === null).toBe(false);
});

test.runIf(keepableCodeTag() !== undefined)(
  "code from a process without a flag is taken where that flag is set apart",
  () => {
    const wasm = assembleText("(func $one (result i32) (i32.const 1))");
    const code = keepableCode(compileInterpreter(wasm)) ?? new Uint8Array(0);
    setFlagsFromString("--stack-size=983");
    try {
      const apart = [{ set: "--stack-size=984", restore: "--stack-size=983" }];
      expect(moduleWithCode(wasm, code)).toBe(undefined);
      expect(moduleWithCode(wasm, code, apart)).toBeInstanceOf(WebAssembly.Module);
      expect(moduleWithCode(wasm, code)).toBe(undefined);
    } finally {
      setFlagsFromString("--stack-size=984");
    }
  },
);

test("gives back what the work gave, and what it threw", async () => {
  expect(await whileOptimising(async () => 7)).toBe(7);
  await expect(whileOptimising(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
});
