// One process makes the code, and every later one is given it: only the code of the very same module, and only from a folder in which
// nobody else writes.
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assembleText } from "../../interpreter/wasm/format/assemble-text.ts";
import { ImageStore } from "../../platform/node/cache/image-store.ts";
import type { Stored } from "../../platform/node/cache/stored-file.ts";
import { keepableCodeTag } from "../../platform/node/engine/engine-flags.ts";
import { checksum } from "../../platform/node/powers.ts";
import { CodeFile } from "./code-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-code-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const moduleGiving = (value: number): Uint8Array =>
  assembleText(`(func $value (result i32) (i32.const ${value}))`);
/** As it was read from the store. */
const stored = async (value: number): Promise<Stored> => {
  const content = moduleGiving(value) as Uint8Array<ArrayBuffer>;
  return { content, checksum: checksum(content) };
};
const open = (): CodeFile => new CodeFile(new ImageStore(folder), "name.wasm");

function answerOf(module: WebAssembly.Module): unknown {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return (exports.value as () => unknown)();
}

const gives = keepableCodeTag() !== undefined;
const skipReason = gives ? "" : ` (skipped: V8 ${process.versions.v8} does not give its code away)`;

describe.runIf(gives)(`the engine's code${skipReason}`, () => {
  test("is made by the first that asks, while others go without", async () => {
    const [first, second] = [open(), open()];
    const made = first.compile(moduleGiving(1), await first.read(stored(1)), true);
    const other = second.compile(moduleGiving(1), await second.read(stored(1)), true);
    expect([made.hasCode, other.hasCode, other.codeKeeper]).toEqual([false, false, undefined]);
    expect(made.codeKeeper?.codeBytes).toBeGreaterThan(0);
    expect(made.codeKeeper?.keep()).toBe(true);
    const third = open();
    const given = third.compile(moduleGiving(1), await third.read(stored(1)), true);
    expect([given.hasCode, given.codeKeeper, answerOf(given.module)]).toEqual([true, undefined, 1]);
    expect(readdirSync(folder)).toEqual([`name.wasm.${keepableCodeTag()}.code`]);
  });

  test("is not made for one that does not want to", async () => {
    expect(open().compile(moduleGiving(1), undefined, false).codeKeeper).toBe(undefined);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is taken for no other module", async () => {
    open().compile(moduleGiving(1), undefined, true).codeKeeper?.keep();
    const { module, hasCode, codeKeeper } = open().compile(
      moduleGiving(2),
      await open().read(stored(2)),
      true,
    );
    expect([hasCode, answerOf(module)]).toEqual([false, 2]);
    expect(codeKeeper?.keep()).toBe(true);
    expect(open().compile(moduleGiving(2), await open().read(stored(2)), true).hasCode).toBe(true);
  });

  test("is made anew when the engine does not take it", async () => {
    open().compile(moduleGiving(1), undefined, true).codeKeeper?.keep();
    const read = (await open().read(stored(1))) ?? new Uint8Array(0);
    const { module, hasCode, codeKeeper } = open().compile(moduleGiving(1), read.fill(0xa5), true);
    expect([hasCode, answerOf(module), codeKeeper?.keep()]).toEqual([false, 1, true]);
  });

  test("is not kept under the name of other flags", async () => {
    const { codeKeeper } = open().compile(moduleGiving(1), undefined, true);
    setFlagsFromString("--stack-size=983");
    try {
      expect(codeKeeper?.keep()).toBe(false);
    } finally {
      setFlagsFromString("--stack-size=984");
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is tried again an hour after somebody has begun and not come to an end", async () => {
    expect(open().compile(moduleGiving(1), undefined, true).codeKeeper).not.toBe(undefined);
    expect(open().compile(moduleGiving(1), undefined, true).codeKeeper).toBe(undefined);
    const [claim = ""] = readdirSync(folder);
    utimesSync(join(folder, claim), Date.now() / 1000 - 3700, Date.now() / 1000 - 3700);
    expect(open().compile(moduleGiving(1), undefined, true).codeKeeper).not.toBe(undefined);
  });

  test.skipIf(process.getuid === undefined)("comes from no folder that others can write to", async () => {
    open().compile(moduleGiving(1), undefined, true).codeKeeper?.keep();
    for (const [mode, hasCode] of [
      [0o777, false],
      [0o720, false],
      [0o755, true],
    ] as const) {
      chmodSync(folder, mode);
      const { codeKeeper, ...made } = open().compile(moduleGiving(1), await open().read(stored(1)), true);
      expect([mode, made.hasCode, codeKeeper]).toEqual([mode, hasCode, undefined]);
    }
  });

  test("is no loss where the folder cannot be made", async () => {
    writeFileSync(join(folder, "file"), "");
    const file = new CodeFile(new ImageStore(join(folder, "file", "below")), "name.wasm");
    const { module, codeKeeper } = file.compile(moduleGiving(1), await file.read(stored(1)), true);
    expect([codeKeeper, answerOf(module)]).toEqual([undefined, 1]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("");
  });
});
