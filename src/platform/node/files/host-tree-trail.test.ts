// What a folder of the host tells of many prefixes at once is what it tells of each alone.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { errno } from "../../../abi/errno.ts";
import { pathNames } from "../../../filesystems/tree-path.ts";
import { type TreeTrail, trail } from "../../../filesystems/tree-trail.ts";
import { checkTrails } from "../../../filesystems/tree-view-fixture.ts";
import { FolderFixture } from "./host-tree-fixture.ts";

let folder: FolderFixture;
beforeEach(() => {
  folder = new FolderFixture();
  symlinkSync("b", join(folder.root, "a", "link"));
  writeFileSync(join(folder.root, "a", "b", "other.bin"), "");
});
afterEach(() => folder.remove());

const paths = [
  "hello.txt",
  "a/b/deep.txt",
  "a/b/none",
  "a/none/none",
  "none/b/deep.txt",
  "a/link/deep.txt",
  "a/b/link",
  "hello.txt/none",
  "a/b",
  "a/b/other.bin",
  `a/${"x".repeat(255)}/y`,
];

test.each([
  ["all of it", {}],
  ["what matches", { match: ["a/b/*.txt", "hello.txt"] }],
  ["what may be read", { mode: "read" as const }],
])("as asked for one by one: a folder with %s", async (_name, options) => {
  const tree = folder.grant(options);
  for (const path of paths) await checkTrails(tree, path);
});

test.each([
  ["hello.txt", 2, 0],
  ["a/b/deep.txt", 4, 0],
  ["a/b/none", 3, errno.ENOENT],
  ["a/none/none", 2, errno.ENOENT],
  ["a/b", 3, 0],
])("nothing of %s is left out", (path, entries, reason) => {
  const told = folder.grant()[trail](path, pathNames(path).length + 1);
  expect([told.entries.length, told.errno]).toEqual([entries, reason]);
});

const nothing: TreeTrail = { entries: [], errno: 0 };

test("what has another place by now is not told of", () => {
  const tree = folder.grant();
  mkdirSync(join(folder.root, "c"));
  renameSync(join(folder.root, "a", "b"), join(folder.root, "c", "b"));
  expect(tree[trail]("a/b/deep.txt", 1)).toEqual({ entries: [], errno: errno.ENOENT });
  expect(tree[trail]("c/b/deep.txt", 4).entries).toHaveLength(4);
  renameSync(join(folder.root, "c"), join(folder.outside, "c"));
  expect(tree[trail]("c/b/deep.txt", 1)).toEqual({ entries: [], errno: errno.ENOENT });
});

test("a folder that was moved tells as before, and one that was removed tells nothing", () => {
  const tree = folder.grant();
  const before = tree[trail]("a/b/deep.txt", 3);
  expect(before.entries.map(({ kind }) => kind)).toEqual(["directory", "directory", "file"]);
  const moved = join(folder.home, "moved");
  renameSync(folder.root, moved);
  expect(tree[trail]("a/b/deep.txt", 3)).toEqual(before);
  rmSync(moved, { recursive: true });
  expect(tree[trail]("a/b/deep.txt", 4)).toEqual(nothing);
  expect(tree[trail]("a", 1)).toEqual(nothing);
});
