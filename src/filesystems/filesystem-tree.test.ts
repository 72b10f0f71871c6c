// What a tree over a file system answers, and what it refuses with.
import { expect, test } from "vitest";
import { owner, refusal, scratch } from "./filesystem-fixture.ts";
import { filesystemTree } from "./filesystem-tree.ts";
import type { Tree, TreeAccess } from "./tree.ts";

const reading: TreeAccess = {
  read: true,
  write: false,
  append: false,
  truncate: false,
  create: "never",
  mode: 0o644,
};
const making: TreeAccess = { ...reading, write: true, create: "missing" };
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

function tree(): Required<Tree> {
  const files = filesystemTree(scratch());
  files.makeDirectory("d", 0o700);
  write(files, "d/f", "content");
  files.makeLink("l", "d/f");
  return files;
}

function write(files: Required<Tree>, path: string, content: string): void {
  const file = now(files.open(path, making));
  file.write?.(0, bytes(content));
  file.close?.();
}

/** The answer is there: nothing of a memory file system comes later. */
function now<T>(answer: T | PromiseLike<T>): T {
  if (answer instanceof Promise) throw new Error("it comes later");
  return answer as T;
}

test("what is there is told, with its numbers", () => {
  const files = tree();
  expect(files.stat("d")).toMatchObject({ kind: "directory", size: 0, mode: 0o700, links: 1 });
  expect(files.stat("d/f")).toMatchObject({ kind: "file", size: 7, mode: 0o644, links: 1 });
  expect(files.stat("l")).toMatchObject({ kind: "link", size: 3 });
  expect(files.readLink("l")).toBe("d/f");
  expect(files.stat("")).toMatchObject({ kind: "directory", mode: 0o755 });
  for (const nothing of ["x", "d/x", "d/f/x", "l/x", "constructor"])
    expect(files.stat(nothing)).toBe(undefined);
  expect([...now(files.list(""))].map((entry) => [entry.name, entry.kind])).toEqual([
    ["d", "directory"],
    ["l", "link"],
  ]);
});

test("names that are no UTF-8 go in and come out", () => {
  const memory = scratch();
  memory.root.createFile("\xc3\xa9\xff", 0o600, owner);
  const files = filesystemTree(memory);
  expect([...now(files.list(""))].map((entry) => entry.name)).toEqual(["é\udcff"]);
  expect(files.stat("é\udcff")).toMatchObject({ kind: "file" });
  files.rename("é\udcff", "ü\udc80");
  expect(memory.root.lookup("\xc3\xbc\x80")).toBeDefined();
  expect(refusal(() => files.stat("\udcc3\udca9"))).toBe("EINVAL");
});

test("a file is read and written at positions, and lives as long as it is open", () => {
  const files = tree();
  const file = now(files.open("d/f", { ...making, append: false }));
  expect(text(now(file.read?.(3, 100) ?? bytes("?")))).toBe("tent");
  expect(text(now(file.read?.(7, 100) ?? bytes("?")))).toBe("");
  expect(file.write?.(5, bytes("..."))).toBe(3);
  const appended = now(files.open("d/f", { ...making, append: true }));
  appended.write?.(0, bytes("!"));
  files.remove("d/f");
  expect(text(now(file.read?.(0, 100) ?? bytes("?")))).toBe("conte...!");
  expect(file.stat()).toMatchObject({ size: 9, links: 0 });
  file.close?.();
  expect(refusal(() => file.read?.(0, 1))).toBe("EBADF");
});

test("refusals", () => {
  const files = tree();
  files.makeDirectory("e", 0o755);
  const attempts: [string, () => unknown][] = [
    ["EISDIR", () => files.open("", reading)],
    ["EISDIR", () => files.open("d", reading)],
    ["ELOOP", () => files.open("l", reading)],
    ["ENOENT", () => files.open("x", reading)],
    ["EEXIST", () => files.open("d/f", { ...making, create: "always" })],
    ["EEXIST", () => files.open("l", { ...making, create: "always" })],
    ["ENOTDIR", () => files.open("d/f/x/y", making)],
    ["ENOENT", () => files.open("l/x", making)],
    ["ENOENT", () => files.makeDirectory("x/y", 0o755)],
    ["EEXIST", () => files.makeDirectory("", 0o755)],
    ["EEXIST", () => files.makeLink("d", "t")],
    ["EISDIR", () => files.remove("d")],
    ["ENOTDIR", () => files.removeDirectory("d/f")],
    ["ENOTEMPTY", () => files.removeDirectory("d")],
    ["ENOTDIR", () => files.list("d/f")],
    ["ENOENT", () => files.list("x")],
    ["EINVAL", () => files.readLink("d")],
    ["EINVAL", () => files.rename("d", "d/x")],
    ["ENOTDIR", () => files.rename("e", "d/f")],
    ["EISDIR", () => files.rename("d/f", "e")],
    ["ENOTEMPTY", () => files.rename("e", "d")],
    ["ENOENT", () => files.rename("x", "y")],
    ["ENOENT", () => files.change("x", { mode: 0 })],
    ["EBUSY", () => files.rename("d", "")],
    ["ENAMETOOLONG", () => files.makeDirectory("x".repeat(256), 0o755)],
  ];
  for (const [expected, attempt] of attempts) expect(refusal(attempt), attempt.toString()).toBe(expected);
});

test("mode and times are changed, of the link itself too", () => {
  const files = tree();
  files.change("d/f", { mode: 0o600, modifiedNs: 5n, accessedNs: 6n });
  files.change("l", { modifiedNs: 7n });
  expect(files.stat("d/f")).toMatchObject({ mode: 0o600, modifiedNs: 5n, accessedNs: 6n });
  expect(files.stat("l")).toMatchObject({ modifiedNs: 7n });
  expect(files.room()).toMatchObject({ files: 1000, freeFiles: 997 });
});
