// What the machine can do to a granted folder: mounts in it, a full disk, rights taken away, the folder and files cut or removed. The
// guest gets an ordinary refusal, the embedder is told, and what the guest was told is written is there.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { HostFault } from "../../../filesystems/host-fault.ts";
import { FolderFixture, making, readAll, reading, refusal, writeAll, writing } from "./host-tree-fixture.ts";

const namespaces = ["unshare", "--user", "--map-root-user", "--mount"] as const;
const canMount =
  spawnSync(namespaces[0], [...namespaces.slice(1), "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
if (!canMount)
  process.stdout.write("skipped: this system lets nobody mount in a namespace, so nothing is mounted here\n");

let program: string;
beforeAll(() => {
  const entryPoints = [join(import.meta.dirname, "host-tree-child-fixture.ts")];
  const built = buildSync({ entryPoints, bundle: true, platform: "node", format: "esm", write: false });
  program = built.outputFiles[0]?.text ?? "";
});

let folder: FolderFixture;
beforeEach(() => {
  folder = new FolderFixture();
  fs.writeFileSync(join(folder.home, "child.mjs"), program);
});
afterEach(() => folder.remove());

function inNamespace(command: string): unknown {
  const [unshare, ...flags] = namespaces;
  const args = [...flags, process.execPath, join(folder.home, "child.mjs"), command, folder.home];
  return JSON.parse(execFileSync(unshare, args, { encoding: "utf8" }));
}

test.skipIf(!canMount)("what is mounted in the folder is not there", () => {
  const none = [null, null, null, null];
  const all = (name: string): string[] => Array(4).fill(name);
  expect(inNamespace("mounts")).toEqual({
    listed: [["a:directory"], []],
    looked: none,
    inside: none,
    opened: all("ENOENT"),
    written: all("ENOENT").map((name, i) => (i === 2 ? "ENOTDIR" : name)),
    read: "ENOENT",
    lists: all("ENOENT").map((name, i) => (i === 2 ? "ENOTDIR" : name)),
    made: all("EEXIST"),
    changed: all("ENOENT"),
    removed: ["EBUSY", "EBUSY"],
    renamed: ["EBUSY", "EBUSY"],
    linked: "ENOENT",
    itself: "in memory",
    outside: ["secret"],
  });
});

test.skipIf(!canMount)("a full disk: refused, told, and all that was taken is there", () => {
  expect(inNamespace("full")).toEqual({
    refused: "ENOSPC, told",
    whole: true,
    charged: true,
    synced: "ok",
    again: "ENOSPC, told",
    after: "ok",
  });
});

test.skipIf(!canMount)("a disk that cannot be written any more", () => {
  expect(inNamespace("readOnly")).toEqual(["content", "EROFS, told", "EROFS, told"]);
});

test("rights that are taken away", async () => {
  fs.writeFileSync(join(folder.root, "a/kept.txt"), "kept");
  if (process.getuid?.() === 0) execFileSync("chown", ["-R", "65534:65534", folder.home]);
  fs.chmodSync(folder.home, 0o755);
  const child = spawn(process.execPath, [join(folder.home, "child.mjs"), "permissions", folder.home], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  await once(child.stdout, "data");
  for (const [name, mode] of [
    ["hello.txt", 0],
    ["a/kept.txt", 0o444],
    ["a/b", 0],
    ["a", 0o555],
  ] as const)
    fs.chmodSync(join(folder.root, name), mode);
  child.stdin.end("!");
  await once(child, "close");
  fs.chmodSync(join(folder.root, "a"), 0o755);
  fs.chmodSync(join(folder.root, "a/b"), 0o755);
  const refused = "EACCES, told";
  expect(JSON.parse(output.split("\n")[1] ?? "")).toEqual({
    open: "hello",
    file: refused,
    write: refused,
    make: refused,
    list: refused,
    below: refused,
    remove: refused,
  });
});

test("a folder that vanished", () => {
  const tree = folder.grant();
  const file = tree.open("hello.txt", writing);
  fs.rmSync(folder.root, { recursive: true });
  const told = (action: () => unknown): string => {
    try {
      action();
      return "ok";
    } catch (error) {
      return error instanceof HostFault ? error.name : "not told";
    }
  };
  const actions = [
    () => tree.stat(""),
    () => tree.list(""),
    () => tree.open("hello.txt", reading),
    () => tree.open("new", making),
    () => tree.makeDirectory("d", 0o755),
    () => tree.rename("a", "b"),
  ];
  expect(actions.map(told)).toEqual(actions.map(() => "ENOENT"));
  expect(Buffer.from(file.read(0, 9)).toString()).toBe("hello");
  expect(file.write(5, Buffer.from("!"))).toBe(1);
  file.close();
});

test("a file that is cut, replaced or removed while it is open", () => {
  const tree = folder.grant();
  const path = join(folder.root, "hello.txt");
  const file = tree.open("hello.txt", writing);
  fs.truncateSync(path, 2);
  expect(file.stat().size).toBe(2);
  expect(Buffer.from(file.read(0, 9)).toString()).toBe("he");
  expect(file.read(3, 9).length).toBe(0);
  expect(file.write(4, Buffer.from("o"))).toBe(1);
  expect(fs.readFileSync(path, "latin1")).toBe("he\0\0o");
  fs.renameSync(join(folder.root, "a/b/deep.txt"), path);
  expect([file.stat().size, readAll(tree, "hello.txt")]).toEqual([5, "deep"]);
  fs.rmSync(path);
  expect(refusal(() => readAll(tree, "hello.txt"))).toBe("ENOENT");
  writeAll(tree, "hello.txt", "new");
  expect([file.stat().size, readAll(tree, "hello.txt")]).toEqual([5, "new"]);
  file.close();
});
