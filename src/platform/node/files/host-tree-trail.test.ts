// What a folder of the host tells of many prefixes at once is what it tells of each alone.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { errno } from "../../../abi/errno.ts";
import type { TreeEntry } from "../../../filesystems/tree.ts";
import { pathNames } from "../../../filesystems/tree-path.ts";
import { type TreeTrail, trail } from "../../../filesystems/tree-trail.ts";
import type { HostTree } from "./host-tree.ts";
import { FolderFixture } from "./host-tree-fixture.ts";

let folder: FolderFixture;
beforeEach(() => {
  folder = new FolderFixture();
  symlinkSync("b", join(folder.root, "a", "link"));
  writeFileSync(join(folder.root, "a", "b", "other.bin"), "");
});
afterEach(() => folder.remove());

/** As the trail would be if each prefix were asked for alone: a link is for the one who asks to look at. */
function oneByOne(tree: HostTree, path: string, count: number): TreeTrail {
  const names = pathNames(path);
  const entries: TreeEntry[] = [];
  for (let end = names.length - count + 1; end <= names.length; end++) {
    const entry = tree.stat(names.slice(0, end).join("/"));
    if (entry === undefined) return { entries, errno: errno.ENOENT };
    if (entry.kind === "link") break;
    entries.push(entry);
    if (entry.kind !== "directory") break;
  }
  return { entries, errno: 0 };
}

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
])("as asked for one by one: a folder with %s", (_name, options) => {
  const tree = folder.grant(options);
  for (const path of paths) {
    const depth = pathNames(path).length;
    for (let count = 1; count <= depth + 1; count++) {
      const told = tree[trail](path, count);
      const expected = oneByOne(tree, path, count);
      // It may leave to the one who asks what it cannot tell at once.
      expect(told.entries, `${path} ${count}`).toEqual(expected.entries.slice(0, told.entries.length));
      if (told.errno !== 0) expect(told, `${path} ${count}`).toEqual(expected);
    }
  }
});

test("nothing is left out where there is no link and no file on the way", () => {
  const tree = folder.grant();
  for (const path of ["hello.txt", "a/b/deep.txt", "a/b/none", "a/none/none", "a/b"]) {
    const depth = pathNames(path).length;
    expect(tree[trail](path, depth + 1), path).toEqual(oneByOne(tree, path, depth + 1));
  }
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
