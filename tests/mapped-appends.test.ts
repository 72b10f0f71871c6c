// Shared mappings of files that are open for appending: what is written to them is written back to where it is (open(2), mmap(2)). The
// expected values are those of native Python 3.11 in a folder of Linux.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FileCapability,
  hostDirectory,
  hostFile,
  observed,
  overlay,
  Sandbox,
  scratch,
  virtualDirectory,
} from "sandboa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attempt, MapTree, walls } from "./tree-fixture.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const program = `
import mmap
open(path, "wb").write(b"0123456789")
with open(path, "a+b") as f:
    m = mmap.mmap(f.fileno(), 0)
    m[0:1] = b"X"; m.flush()
    f.write(b"+tail"); f.flush()
    m[1:2] = b"Y"; m.close()
with open(path, "r+b") as f:
    m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
    f.seek(8); f.write(b"new"); f.flush()
    m.flush(); m.close()
open(path, "rb").read().decode()`;

describe.each(walls)("%s", (isolation) => {
  test.each<[name: string, place: () => Record<string, FileCapability>, path: string]>([
    ["scratch", () => ({ "/d": scratch({ bytes: "1 MiB" }) }), "/d/f"],
    ["a folder of the host", () => ({ "/d": hostDirectory(folder, "write") }), "/d/f"],
    ["an overlay", () => ({ "/d": overlay(hostDirectory(folder, "write"), { bytes: "1 MiB" }) }), "/d/f"],
    ["a tree of the embedder's", () => ({ "/d": virtualDirectory(new MapTree()) }), "/d/f"],
    ["a wrapped file", () => ({ "/f": observed(hostFile(join(folder, "f"), "update"), () => {}) }), "/f"],
    ["a file of the host", () => ({ "/f": hostFile(join(folder, "f"), "update") }), "/f"],
  ])("in %s they are written where they are", async (_name, place, path) => {
    writeFileSync(join(folder, "f"), "");
    await using sandbox = await Sandbox.create({ isolation, files: place() });
    const { value } = await sandbox.run(program, { inputs: { path } });
    expect(value).toBe("XY234567newtail");
  });

  test("they are refused where the file cannot be opened anew, and what was opened is closed", async () => {
    const tree = new MapTree({ f: "0123456789", moved: "0123456789" });
    const made = hostDirectory(folder, "create-only");
    await using sandbox = await Sandbox.create({
      isolation,
      files: { "/d": virtualDirectory(tree), "/made": made },
    });
    const { value } = await sandbox.run(`${attempt}
import fcntl, mmap
def mapped(path, flags=0, prepare=lambda: None, **more):
    fd = os.open(path, os.O_RDWR | os.O_APPEND | flags)
    prepare()
    def go():
        if flags: os.write(fd, b"0123456789")
        with mmap.mmap(fd, 0, **more) as m: return m[:3].decode()
    result = attempt(go)
    os.close(fd)
    return result
def cleared():
    fd = os.open("/d/f", os.O_RDWR | os.O_APPEND)
    with mmap.mmap(fd, 0) as m:
        fcntl.fcntl(fd, fcntl.F_SETFL, 0); os.write(fd, b"ab"); m[2:3] = b"c"; m[0:2] = b"AB"
    os.close(fd)
    return open("/d/f").read()
def move(): os.rename("/d/moved", "/d/other"); open("/d/moved", "w").write("another one")
[mapped("/made/f", os.O_CREAT), mapped("/d/moved", prepare=move), mapped("/d/moved", access=mmap.ACCESS_READ), mapped("/d/f"), cleared()]`);
    expect(value).toEqual(["EACCES", "EACCES", "ano", "012", "ABc3456789"]);
    expect(readFileSync(join(folder, "f"), "utf8")).toBe("0123456789");
    expect([tree.text("other"), tree.text("moved")]).toEqual(["0123456789", "another one"]);
    expect(tree.closed).toBe(tree.opened);
  });
});
