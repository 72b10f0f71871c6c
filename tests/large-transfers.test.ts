// Large transfers with one system call: a file takes and gives all of it, as natively (write(2), read(2)), wherever it is.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FileCapability,
  hostDirectory,
  hostFile,
  overlay,
  Sandbox,
  scratch,
  virtualDirectory,
} from "sandboa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MapTree, walls } from "./tree-fixture.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-test-"));
  writeFileSync(join(folder, "f"), "");
});
afterEach(() => rmSync(folder, { recursive: true }));

const size = 3 * 2 ** 20 + 5;
const program = `
import os
content = bytes(range(251)) * ${Math.ceil(size / 251)}
content = content[:${size}]
fd = os.open(path, os.O_RDWR)
moved = [os.write(fd, content), os.pwrite(fd, content, 1), os.lseek(fd, 0, 0)]
back = os.read(fd, len(content) + 5)
end = os.read(fd, 10)
os.close(fd)
with open(path, "r+b", buffering=0) as f: moved += [f.write(content), f.seek(0), len(f.read(2**24))]
[moved, back == content[:1] + content, end]`;

describe.each(walls)("%s", (isolation) => {
  test.each<[name: string, place: () => Record<string, FileCapability>, path: string]>([
    ["scratch", () => ({ "/d": scratch({ bytes: "16 MiB" }) }), "/d/f"],
    ["a folder of the host", () => ({ "/d": hostDirectory(folder, "write") }), "/d/f"],
    ["an overlay", () => ({ "/d": overlay(hostDirectory(folder, "write"), { bytes: "16 MiB" }) }), "/d/f"],
    ["a tree of the embedder's", () => ({ "/d": virtualDirectory(new MapTree({ f: "" })) }), "/d/f"],
    ["a file of the host", () => ({ "/f": hostFile(join(folder, "f"), "update") }), "/f"],
  ])("in %s", async (_name, place, path) => {
    await using sandbox = await Sandbox.create({ isolation, files: place() });
    const { value } = await sandbox.run(path === "/d/f" ? `open(path, "a").close()\n${program}` : program, {
      inputs: { path },
    });
    expect(value).toEqual([[size, size, 0, size, 0, size + 1], true, new Uint8Array(0)]);
  });

  test("a soft limit ends one between two pieces", async () => {
    if (isolation === "inline") return;
    const tree = new MapTree({ f: "" }, 100);
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/d": virtualDirectory(tree) },
      limits: { wall: "600 ms", soft: { raise: "TimeoutError", grace: "2 s" } },
    });
    const { value } = await sandbox.run(`
import os
fd = os.open("/d/f", os.O_RDWR)
try:
    written = os.write(fd, bytes(2**24))
    while True: pass
except TimeoutError: ended = "in time"
[ended, 0 < written < 2**24, written == os.fstat(fd).st_size]`);
    expect(value).toEqual(["in time", true, true]);
  });
});
