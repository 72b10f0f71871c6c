// Long work in a folder begins each walk near the last one: it costs less, leads to the same as a walk from the root whatever the host does
// in between, and leaves nothing open.
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tickingClock } from "../../../filesystems/filesystem-fixture.ts";
import { OverlayLayer } from "../../../filesystems/overlay/overlay-layer.ts";
import { OverlayTree } from "../../../filesystems/overlay/overlay-tree.ts";
import { keep, keeping } from "../../../filesystems/tree-keep.ts";
import { viewOf } from "../../../filesystems/tree-view-fixture.ts";
import { FolderFixture, listed, making, readAll, refusal, replacing, writeAll } from "./host-tree-fixture.ts";
import { pathOf } from "./open-at.ts";
import { OpenedFolder } from "./opened-folder.ts";

const opened = vi.hoisted(() => ({ count: 0 }));
vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  return {
    ...real,
    openSync: (...parameters: Parameters<typeof fs.openSync>) => {
      opened.count += 1;
      return real.openSync(...parameters);
    },
  };
});

let fixture: FolderFixture;
let folder: OpenedFolder;
let release: () => void;
beforeEach(() => {
  fixture = new FolderFixture();
  folder = new OpenedFolder(fixture.ticket().fd ?? -1);
  release = folder.keep();
});
afterEach(() => {
  release();
  fixture.remove();
});

const inside = (...names: string[]): string => join(fixture.root, ...names);
const outside = (...names: string[]): string => join(fixture.outside, ...names);
const descriptors = (): number => fs.readdirSync("/proc/self/fd").length;
const makeIn = (...names: string[]): void =>
  folder.parent(names, (fd, name) => fs.mkdirSync(`/proc/self/fd/${fd}/${name}`));

test("what a commit and the list of changes open does not grow with the depth of what they are about", async () => {
  const tree = fixture.grant();
  const layer = new OverlayLayer(2 ** 24, 10_000);
  const overlay = new OverlayTree(layer, tree, tickingClock(), true);
  const [depth, files] = [100, 30];
  const deepest = Array.from({ length: depth }, () => "d").join("/");
  const opens = (work: () => unknown): number => {
    const before = opened.count;
    work();
    return opened.count - before;
  };
  for (let level = 1; level <= depth; level++) overlay.makeDirectory(deepest.slice(0, 2 * level - 1), 0o755);
  for (let file = 0; file < files; file++) overlay.open(`${deepest}/${file}`, making);
  for (const file of [...layer.files]) file.close();
  const most = 30 * (depth + files);
  const before = descriptors();
  expect(opens(() => layer.commitTo(tree))).toBeLessThan(most);
  const shown = await viewOf(overlay);
  expect(shown.size).toBe(depth + files + 4);

  // Now it is below, and goes: told, set aside and removed.
  overlay.rename("d", "e");
  expect(opens(() => layer.changes(tree))).toBeLessThan(most);
  expect(opens(() => layer.commitTo(tree))).toBeLessThan(2 * most);
  expect((await viewOf(tree)).size).toBe(shown.size);
  expect(descriptors()).toBe(before);
});

test("what was moved inside is found under its new names, and what took its place under the old ones", () => {
  makeIn("a", "b", "first");
  fs.renameSync(inside("a", "b"), inside("a", "moved"));
  expect(refusal(() => folder.place(["a", "b", "first"], () => {}))).toBe("ENOENT");
  expect(refusal(() => makeIn("a", "b", "second"))).toBe("ENOENT");
  fs.mkdirSync(inside("a", "b"));
  makeIn("a", "b", "second");
  folder.place(["a", "b", "second"], (fd) => expect(pathOf(fd)).toBe(inside("a", "b", "second")));
  makeIn("a", "moved", "third");
  expect(fs.readdirSync(inside("a", "b"))).toEqual(["second"]);
  expect(fs.readdirSync(inside("a", "moved")).sort()).toEqual(["deep.txt", "first", "third"]);
});

test.each([1, 2])("nothing is made in what was moved out or removed, nor beside it: %d up", (ups) => {
  fs.mkdirSync(inside("a", "b", "c"));
  makeIn("a", "b", "c", "first");
  fs.renameSync(inside("a", "b"), outside("b"));
  fs.writeFileSync(outside("lure"), "SECRET");
  const names = ["a", "b", "c"].slice(0, -ups);
  for (const name of ["lure", "new"]) {
    expect(refusal(() => folder.place([...names, name], () => {}))).toBe("ENOENT");
    expect(refusal(() => makeIn(...names, "n", name))).toBe("ENOENT");
  }
  expect(refusal(() => makeIn("a", "b", "c", "new"))).toBe("ENOENT");
  expect(fs.readdirSync(outside()).sort()).toEqual(["b", "lure", "secret"]);
  expect(fs.readdirSync(outside("b", "c"))).toEqual(["first"]);

  fs.mkdirSync(inside("a", "b"));
  makeIn("a", "b", "gone (deleted)");
  makeIn("a", "b", "gone (deleted)", "x");
  fs.rmdirSync(inside("a", "b", "gone (deleted)", "x"));
  fs.renameSync(inside("a", "b", "gone (deleted)"), inside("a", "b", "gone"));
  fs.rmdirSync(inside("a", "b", "gone"));
  fs.mkdirSync(inside("a", "b", "gone (deleted)"));
  makeIn("a", "b", "gone (deleted)", "y");
  expect(fs.readdirSync(inside("a", "b", "gone (deleted)"))).toEqual(["y"]);
});

test("a link in the place of a folder leads nowhere", () => {
  makeIn("a", "b", "first");
  fs.renameSync(inside("a", "b"), inside("real"));
  fs.symlinkSync("../real", inside("a", "b"));
  expect(refusal(() => folder.place(["a", "b", "first"], () => {}))).toBe("ENOENT");
  expect(refusal(() => makeIn("a", "b", "second"))).toBe("ENOENT");
  expect(fs.readdirSync(inside("real")).sort()).toEqual(["deep.txt", "first"]);
});

test("the folder itself may be moved", () => {
  makeIn("a", "b", "first");
  const other = join(fixture.home, "other");
  fs.renameSync(fixture.root, other);
  makeIn("a", "b", "second");
  expect(fs.readdirSync(join(other, "a", "b")).sort()).toEqual(["deep.txt", "first", "second"]);
});

test("a step within a step keeps the outer one's folder, and nothing stays open afterwards", () => {
  const before = descriptors();
  makeIn("a", "x");
  folder.parent(["a", "b", "new"], (outer) => {
    makeIn("a", "x", "within");
    folder.parent(["a", "b", "again"], (same) => expect(same).toBe(outer));
    expect(pathOf(outer)).toBe(inside("a", "b"));
  });
  expect(descriptors()).toBe(before + 2);
  const second = folder.keep();
  release();
  release();
  expect(descriptors()).toBe(before + 2);
  second();
  expect(descriptors()).toBe(before);
  makeIn("a", "b", "later");
  expect(descriptors()).toBe(before);
});

test("a tree that keeps does what it does, and only a folder of the host keeps", () => {
  const tree = fixture.grant();
  const done = keep(tree);
  writeAll(tree, "a/b/new", "text", replacing);
  tree.rename("a/b/new", "a/other");
  expect(readAll(tree, "a/other")).toBe("text");
  expect(listed(tree, "a/b")).toEqual(["deep.txt:file"]);
  expect(tree.stat("a/b/new")).toBeUndefined();
  expect(tree.stat("a/b/none/at/all")).toBeUndefined();
  done();
  expect(keeping in tree).toBe(true);
  expect(() => keep({ stat: () => undefined, open: () => ({}) as never })()).not.toThrow();
});
