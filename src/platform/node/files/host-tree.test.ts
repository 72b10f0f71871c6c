// A granted folder, when nobody else touches it: each mode does what it says and no more, on the host as much as in the answers.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HostFolderRefusal } from "./host-folders.ts";

import {
  appending,
  FolderFixture,
  listed,
  making,
  readAll,
  reading,
  refusal,
  replacing,
  writeAll,
  writing,
} from "./host-tree-fixture.ts";

let folder: FolderFixture;
beforeEach(() => {
  folder = new FolderFixture();
});
afterEach(() => folder.remove());

const onHost = (...names: string[]): string => join(folder.root, ...names);

test("read: content, names and attributes as they are, and no change", () => {
  const tree = folder.grant({ mode: "read" });
  fs.chmodSync(onHost("hello.txt"), 0o6640);
  fs.utimesSync(onHost("hello.txt"), 1, 1_600_000_000);
  expect(listed(tree, "")).toEqual(["a:directory", "hello.txt:file"]);
  expect(listed(tree, "a/b")).toEqual(["deep.txt:file"]);
  expect(readAll(tree, "a/b/deep.txt")).toBe("deep");
  expect(tree.stat("hello.txt")).toMatchObject({
    kind: "file",
    size: 5,
    mode: 0o640,
    modifiedNs: 16n * 10n ** 17n,
  });
  expect(tree.stat("")).toMatchObject({ kind: "directory", size: 0 });
  expect([tree.stat("nothing"), tree.stat("hello.txt/below"), tree.stat("no/thing")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  const refusals = [
    () => tree.open("hello.txt", writing),
    () => tree.open("hello.txt", replacing),
    () => tree.open("new", making),
    () => tree.open("new", appending),
    () => tree.makeDirectory("new", 0o755),
    () => tree.makeLink("new", "hello.txt"),
    () => tree.remove("hello.txt"),
    () => tree.removeDirectory("a/b"),
    () => tree.rename("hello.txt", "new"),
    () => tree.change("hello.txt", { mode: 0o777 }),
  ];
  expect(refusals.map(refusal)).toEqual(refusals.map(() => "EROFS"));
  const file = tree.open("hello.txt", reading);
  expect(refusal(() => file.change({ mode: 0o777 }))).toBe("EPERM");
  expect(refusal(() => file.write(0, Buffer.from("x")))).toBe("EIO");
  file.close();
  expect(fs.readFileSync(onHost("hello.txt"), "utf8")).toBe("hello");
});

test("a descriptor that was opened to read does not write, nor the reverse", () => {
  const tree = folder.grant();
  const reader = tree.open("hello.txt", reading);
  expect(["EIO", "EINVAL"]).toContain(refusal(() => reader.truncate(0)));
  expect(refusal(() => reader.write(0, Buffer.from("x")))).not.toBe("ok");
  const writer = tree.open("hello.txt", { ...writing, read: false });
  expect(refusal(() => writer.read(0, 1))).not.toBe("ok");
  reader.close();
  writer.close();
});

test("write: everything below the root, as the host sees it", () => {
  const tree = folder.grant();
  writeAll(tree, "new", "one");
  writeAll(tree, "new", " two", appending);
  expect(fs.readFileSync(onHost("new"), "utf8")).toBe("one two");
  writeAll(tree, "new", "3");
  expect(fs.readFileSync(onHost("new"), "utf8")).toBe("3");
  expect(refusal(() => tree.open("new", making))).toBe("EEXIST");
  tree.makeDirectory("d", 0o777);
  expect(refusal(() => tree.makeDirectory("d", 0o777))).toBe("EEXIST");
  tree.rename("new", "d/moved");
  tree.rename("hello.txt", "d/moved");
  expect(fs.readFileSync(onHost("d", "moved"), "utf8")).toBe("hello");
  expect(refusal(() => tree.removeDirectory("d"))).toBe("ENOTEMPTY");
  expect(refusal(() => tree.remove("d"))).toBe("EISDIR");
  tree.remove("d/moved");
  tree.removeDirectory("d");
  expect(fs.readdirSync(folder.root)).toEqual(["a"]);
  for (const action of [
    () => tree.removeDirectory(""),
    () => tree.rename("", "x"),
    () => tree.rename("a", ""),
  ])
    expect(refusal(action)).toBe("EBUSY");
  expect(refusal(() => tree.open("", reading))).toBe("EISDIR");
});

test("an open file stays that file, under whatever name", () => {
  const tree = folder.grant();
  const file = tree.open("hello.txt", writing);
  tree.rename("hello.txt", "other");
  writeAll(tree, "hello.txt", "another");
  expect(Buffer.from(file.read(1, 100)).toString()).toBe("ello");
  file.truncate(2);
  file.change({ mode: 0o600, modifiedNs: 5_000_000_000n });
  file.sync();
  expect(file.stat()).toMatchObject({ size: 2, mode: 0o600, modifiedNs: 5_000_000_000n });
  expect(file.stat().id).toBe(tree.stat("other")?.id);
  expect(file.stat().id).not.toBe(tree.stat("hello.txt")?.id);
  tree.remove("other");
  expect(Buffer.from(file.read(0, 9)).toString()).toBe("he");
  file.close();
});

test("permission bits change, and nothing more of a mode", () => {
  const tree = folder.grant();
  tree.change("hello.txt", { mode: 0o7711 });
  tree.change("a", { mode: 0o7700, accessedNs: 1_000_000_000n });
  writeAll(tree, "made", "", { ...making, mode: 0o7755 });
  tree.makeDirectory("d", 0o7755);
  const modes = ["hello.txt", "a", "made", "d"].map((name) => fs.statSync(onHost(name)).mode & 0o7777);
  expect(modes).toEqual([0o711, 0o700, 0o755, 0o755]);
  expect(fs.statSync(onHost("a")).atimeMs).toBe(1000);
});

test("times are kept to the microsecond, before 1970 as well", () => {
  const tree = folder.grant();
  const times = [
    ...[1_234_567_890_250_000_000n, 987_654_321_987_654_321n, -1_000_000_000n, -2_500_001_000n, 0n],
    ...[4_102_444_799_999_999_000n, 1_000n, -1_000n, 1_764_000_000_000_001_000n],
  ];
  for (const modifiedNs of times) {
    tree.change("hello.txt", { modifiedNs, accessedNs: modifiedNs });
    const { mtimeNs, atimeNs } = fs.statSync(onHost("hello.txt"), { bigint: true });
    const expected = (modifiedNs / 1000n) * 1000n;
    // What Node 24 keeps below a microsecond is what the number of seconds is too coarse for.
    expect([mtimeNs, atimeNs].map((ns) => (ns / 1000n) * 1000n)).toEqual([expected, expected]);
  }
});

test("a program with its owner's rights is not changed", () => {
  const tree = folder.grant();
  fs.chmodSync(onHost("hello.txt"), 0o4755);
  for (const access of [writing, replacing, appending])
    expect(refusal(() => tree.open("hello.txt", access))).toBe("EPERM");
  expect(refusal(() => tree.change("hello.txt", { mode: 0o777 }))).toBe("EPERM");
  expect(readAll(tree, "hello.txt")).toBe("hello");
});

test("create-only: adds, and never touches what was there", () => {
  const tree = folder.grant({ mode: "create-only" });
  expect(listed(tree, "")).toEqual(["a:directory", "hello.txt:file"]);
  expect(tree.stat("hello.txt")).toMatchObject({ size: 5 });
  for (const access of [reading, writing, replacing, appending])
    expect(refusal(() => tree.open("hello.txt", access))).toBe("EACCES");
  for (const action of [
    () => tree.remove("hello.txt"),
    () => tree.removeDirectory("a/b"),
    () => tree.rename("hello.txt", "x"),
    () => tree.change("hello.txt", { mode: 0o777 }),
    () => tree.change("", { mode: 0o777 }),
    () => tree.makeLink("l", "hello.txt"),
  ])
    expect(refusal(action)).toBe("EPERM");
  const file = tree.open("new", making);
  file.write(0, Buffer.from("mine"));
  file.truncate(2);
  expect(Buffer.from(file.read(0, 9)).toString()).toBe("mi");
  file.close();
  for (const access of [writing, replacing, appending])
    expect(refusal(() => tree.open("new", access))).toBe("EACCES");
  for (const action of [() => tree.remove("new"), () => tree.rename("new", "x")])
    expect(refusal(action)).toBe("EPERM");
  expect(readAll(tree, "new")).toBe("mi");
  tree.change("new", { mode: 0o600 });
  tree.makeDirectory("d", 0o755);
  tree.change("d", { mode: 0o700 });
  writeAll(tree, "d/x", "y");
  expect(fs.readFileSync(onHost("d", "x"), "utf8")).toBe("y");
  expect(fs.readFileSync(onHost("hello.txt"), "utf8")).toBe("hello");
});

test("create-only: what takes the place of what it made is not its own", () => {
  const tree = folder.grant({ mode: "create-only" });
  writeAll(tree, "new", "mine");
  fs.writeFileSync(onHost("other"), "not yours");
  fs.renameSync(onHost("other"), onHost("new"));
  expect(refusal(() => tree.open("new", reading))).toBe("EACCES");
  expect(refusal(() => tree.change("new", { mode: 0o777 }))).toBe("EPERM");
});

test("pipes, sockets and devices cannot be opened, and nobody at their other end notices", async () => {
  execFileSync("mkfifo", [onHost("pipe")]);
  const server = createServer().listen(onHost("socket"));
  await once(server, "listening");
  const special = ["pipe", "socket"];
  if (process.getuid?.() === 0) {
    execFileSync("mknod", [onHost("device"), "c", "1", "5"]);
    special.push("device");
  }
  const tree = folder.grant();
  for (const name of special) {
    expect(tree.stat(name)).toMatchObject({ kind: "file", size: 0, mode: 0 });
    for (const access of [reading, writing, replacing, appending])
      expect(refusal(() => tree.open(name, access))).toBe("EACCES");
    expect(refusal(() => tree.change(name, { mode: 0o777 }))).toBe("EACCES");
    tree.remove(name);
  }
  server.close();
  expect(listed(tree, "")).toEqual(["a:directory", "hello.txt:file"]);
});

test("names are bytes: newlines, what is no UTF-8, 255 of them, case and normal forms apart", () => {
  const tree = folder.grant();
  const names = [
    "new\nline",
    "\udcff\udc80",
    "é",
    "e\u0301",
    "E",
    "e",
    "n".repeat(255),
    "é".repeat(127),
    "__proto__",
    "-rf",
    "*",
  ];
  for (const name of names) writeAll(tree, name, name, making);
  expect(Array.from(tree.list(""), ({ name }) => name).sort()).toEqual([...names, "a", "hello.txt"].sort());
  expect(fs.readdirSync(folder.root, "latin1" as BufferEncoding)).toContain("\xff\x80");
  for (const name of names) expect(readAll(tree, name)).toBe(Buffer.from(name, "latin1").toString("latin1"));
  expect(refusal(() => tree.open("n".repeat(256), making))).toBe("ENAMETOOLONG");
  for (const name of names) tree.remove(name);
  expect(listed(tree, "")).toEqual(["a:directory", "hello.txt:file"]);
});

test("what is no path never reaches the system", () => {
  const tree = folder.grant();
  for (const path of [
    "..",
    "a/..",
    "a/../..",
    ".",
    "/",
    "/etc/passwd",
    "a//b",
    "a/",
    "x\0y",
    "../outside/secret",
  ]) {
    const refusals = [
      () => tree.open(path, reading),
      () => tree.open(path, making),
      () => tree.list(path),
      () => tree.remove(path),
      () => tree.makeDirectory(path, 0o755),
      () => tree.makeLink(path, "x"),
      () => tree.rename(path, "x"),
      () => tree.rename("hello.txt", path),
      () => tree.change(path, { mode: 0o700 }),
      () => tree.stat(path),
    ].map(refusal);
    expect(refusals, path).toEqual(refusals.map(() => "EINVAL"));
  }
  expect(fs.readdirSync(folder.home).sort()).toEqual(["outside", "root"]);
});

test("as deep as the system has paths, and no deeper", () => {
  const tree = folder.grant();
  let path = "";
  let refused = "ok";
  for (let depth = 0; depth < 100 && refused === "ok"; depth++) {
    path += `${path && "/"}${"d".repeat(100)}`;
    refused = refusal(() => tree.makeDirectory(path, 0o755));
  }
  expect(refused).toBe("ENAMETOOLONG");
  const last = path.slice(0, -101);
  writeAll(tree, `${last}/x`, "deep down");
  expect(readAll(tree, `${last}/x`)).toBe("deep down");
});

test("attributes tell nothing of the host", () => {
  const stats = fs.statSync(onHost("hello.txt"));
  const [one, two] = [folder.grant(), folder.grant()].map((tree) => tree.stat("hello.txt"));
  expect(Object.keys(one ?? {}).sort()).toEqual([
    "accessedNs",
    "changedNs",
    "id",
    "kind",
    "mode",
    "modifiedNs",
    "size",
  ]);
  expect(one?.id).not.toBe(stats.ino);
  expect(one?.id).not.toBe(two?.id);
});

test("what cannot be granted is refused in words", () => {
  fs.symlinkSync(folder.root, join(folder.home, "link"));
  for (const path of [onHost("nothing"), onHost("hello.txt")])
    expect(() => folder.grant({}, path)).toThrow(HostFolderRefusal);
  expect(listed(folder.grant({}, join(folder.home, "link")), "")).toEqual(["a:directory", "hello.txt:file"]);
});

test("every descriptor is closed again", () => {
  const open = (): number => fs.readdirSync("/proc/self/fd").length;
  const tree = folder.grant();
  const before = open();
  for (const path of ["hello.txt", "a/b/deep.txt", "nothing", "a/nothing", "hello.txt/x", "a", "a/b"]) {
    for (const action of [
      () => tree.stat(path),
      () => tree.list(path),
      () => tree.open(path, reading).close(),
      () => tree.open(path, making).close(),
      () => tree.readLink(path),
      () => tree.removeDirectory(path.replace("a/b", "hello.txt")),
      () => tree.rename(path, "a/nothing/there"),
    ])
      refusal(() => action());
  }
  expect(open()).toBe(before);
});

test("a large directory is listed whole, each time anew, and not when another one has its name by now", () => {
  fs.mkdirSync(join(folder.root, "large"));
  const names = Array.from({ length: 1201 }, (_, at) => `f${at}`);
  for (const name of names) fs.writeFileSync(join(folder.root, "large", name), "");
  const tree = folder.grant();
  const list = tree.list("large");
  const namesOf = (): string[] => Array.from(list, ({ name }) => name).sort();
  expect(namesOf()).toEqual([...names].sort());
  fs.rmSync(join(folder.root, "large", "f7"));
  expect(listed(tree, "large")).toHaveLength(1200);
  fs.renameSync(join(folder.root, "large"), join(folder.root, "old"));
  fs.mkdirSync(join(folder.root, "large"));
  expect(refusal(namesOf)).toBe("ENOENT");
});
