// An image with one of everything that keeps a hash (sample.py), built, brought to other secrets, and checked by Python itself.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { MemoryFileSystem } from "../../filesystems/memory-filesystem.ts";
import { refusedByDefault } from "../../host/images/library-choice.ts";
import { Kernel } from "../../kernel/kernel.ts";
import { guestOwner } from "../../kernel/permissions.ts";
import { readDistributionFile } from "../../platform/node/package-files.ts";
import { buildSnapshot, prepareModule } from "../image.ts";
import type { Image } from "../image-file.ts";
import { consistencyCheck, Guest, guestProcess, type Prepared, prepare, secretOf } from "./guest-fixture.ts";

let prepared: Prepared;

beforeAll(async () => {
  const { loaded, library } = await prepare();
  const sample = new Uint8Array(readFileSync(join(import.meta.dirname, "sample.py")));
  const own = [...library.files].filter(([path]) => /^sandboa\/\w+\.py$/.test(path));
  const files = { ...library, files: new Map([...own, ["sandboa/sample.py", sample]]) };
  const bytecode = new MemoryFileSystem({
    quotaBytes: 1 << 26,
    maxInodes: 10_000,
    now: () => 0n,
    owner: guestOwner,
    rootMode: 0o755,
  });
  const rewritten = prepareModule(readDistributionFile("wasm"), { allSymbols: false });
  const image: Image = {
    hiddenGlobals: rewritten.hiddenGlobals,
    libraryBytes: 0,
    ...buildSnapshot(
      rewritten,
      {
        allowsModule: (name) => !refusedByDefault.includes(name),
        preload: ["collections", "enum", "datetime", "sandboa.sample"],
        compile: [],
      },
      {
        makeKernel: () =>
          new Kernel(guestProcess(files, { bytecode, write: (b) => process.stderr.write(b) })),
      },
    ),
  };
  prepared = { loaded, library: files, image };
});

const check = `${consistencyCheck.slice(0, consistencyCheck.lastIndexOf("\n\n\n"))}

from sandboa import sample
check()[:20] + sample.check()`;

test("has all kinds of tables and notes", () => {
  const { texts, nameTables, program, late } = prepared.image.rehash;
  expect(texts[0]).toBeGreaterThan(0);
  expect(nameTables[0]).toBeGreaterThan(0);
  let at = 0;
  for (const width of [1, 2, 1, 1, 1, 1]) {
    expect(program[at]).toBeGreaterThan(0);
    at += 1 + (program[at] ?? 0) * width;
  }
  expect(at).toBe(program.length);
  expect(late.length).toBeGreaterThan(0);
});

test.each([3, 0xfe])("is consistent under secret %i", (number) => {
  expect(new Guest(prepared, secretOf(number)).run(check)).toEqual([]);
});

test("and under secrets as they are drawn, after resets", () => {
  const guest = new Guest(prepared);
  for (let round = 0; round < 2; round++) {
    expect(guest.run(check)).toEqual([]);
    guest.reset();
  }
});
