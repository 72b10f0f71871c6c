// Links in a granted folder: what the guest is shown of them, and that those it makes lead no program of the host out of the folder,
// however it renames things afterwards.
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { brokenTarget } from "../../../filesystems/inner-links.ts";
import type { HostTree } from "./host-tree.ts";
import {
  FolderFixture,
  listed,
  making,
  readAll,
  reading,
  refusal,
  replacing,
  writing,
} from "./host-tree-fixture.ts";

let folder: FolderFixture;
beforeEach(() => {
  folder = new FolderFixture();
});
afterEach(() => folder.remove());

test("links that stay inside are shown, the others look broken and tell nothing", () => {
  const link = (name: string, target: string): void => fs.symlinkSync(target, join(folder.root, name));
  link("file", "hello.txt");
  link("absolute", join(folder.root, "a/b/deep.txt"));
  link("a/b/up", "../../hello.txt");
  link("a/b/absolute", join(folder.root, "a"));
  link("out", "../outside/secret");
  link("a/b/out", "../../../outside/secret");
  link("away", join(folder.outside, "secret"));
  link("proc", "/proc/self/root/etc/passwd");
  link("fd", "/proc/self/fd/0");
  const tree = folder.grant();
  const shown = ["file", "absolute", "a/b/up", "a/b/absolute", "out", "a/b/out", "away", "proc", "fd"].map(
    (path) => [tree.readLink(path), tree.stat(path)?.size].join(" "),
  );
  const broken = `${brokenTarget} ${brokenTarget.length}`;
  const [file, absolute, up, above] = ["hello.txt 9", "a/b/deep.txt 12", "../../hello.txt 15", "../../a 7"];
  expect(shown).toEqual([file, absolute, up, above, broken, broken, broken, broken, broken]);
  expect(listed(tree, "a/b")).toEqual(["absolute:link", "deep.txt:file", "out:link", "up:link"]);
  expect(refusal(() => tree.readLink("hello.txt"))).toBe("EINVAL");
});

test("no link is followed, in the middle or at the end", () => {
  fs.symlinkSync("a", join(folder.root, "inside"));
  fs.symlinkSync(folder.outside, join(folder.root, "away"));
  fs.symlinkSync("hello.txt", join(folder.root, "file"));
  fs.symlinkSync(join(folder.outside, "made"), join(folder.root, "dangling"));
  const tree = folder.grant();
  for (const path of ["inside/b", "away/secret", "inside/b/deep.txt"])
    expect(tree.stat(path)).toBeUndefined();
  expect(["inside", "away"].map((path) => refusal(() => tree.list(path)))).toEqual(["ENOTDIR", "ENOTDIR"]);
  for (const access of [reading, writing, replacing])
    for (const path of ["file", "dangling"]) expect(refusal(() => tree.open(path, access))).toBe("ELOOP");
  expect(refusal(() => tree.open("dangling", making))).toBe("EEXIST");
  expect(refusal(() => tree.makeDirectory("away/new", 0o755))).toBe("ENOENT");
  tree.change("file", { mode: 0o777, modifiedNs: 1_000_000_000n });
  expect(fs.lstatSync(join(folder.root, "file")).mtimeMs).toBe(1000);
  expect(fs.statSync(join(folder.root, "hello.txt")).mode & 0o777).toBe(0o644);
  tree.remove("away");
  expect(fs.readdirSync(folder.outside)).toEqual(["secret"]);
});

test("the folder's own path, as it is now, makes absolute links relative", () => {
  const moved = join(folder.home, "moved");
  const tree = folder.grant();
  fs.renameSync(folder.root, moved);
  fs.symlinkSync(join(moved, "hello.txt"), join(moved, "new"));
  fs.symlinkSync(join(folder.root, "hello.txt"), join(moved, "old"));
  expect([tree.readLink("new"), tree.readLink("old")]).toEqual(["hello.txt", brokenTarget]);
});

test("a guest makes links that stay inside, and no others", () => {
  const tree = folder.grant();
  tree.makeLink("l", "a/b");
  tree.makeLink("a/b/l", "../../hello.txt");
  for (const target of ["/etc/passwd", join(folder.root, "x"), "../x", "a/../../x", "a/../b", ""])
    expect(
      refusal(() => tree.makeLink("bad", target)),
      target,
    ).toBe("EPERM");
  expect(fs.readFileSync(join(folder.root, "a/b/l"), "utf8")).toBe("hello");
});

test("a link, or a directory of links, does not move to where it would lead out", () => {
  const tree = folder.grant();
  tree.makeLink("a/b/l", "../../hello.txt");
  expect(refusal(() => tree.rename("a/b/l", "a/l"))).toBe("EPERM");
  expect(refusal(() => tree.rename("a/b", "b"))).toBe("EXDEV");
  tree.rename("a/b/l", "a/b/k");
  tree.remove("a/b/k");
  tree.makeLink("a/b/fine", "../x");
  tree.rename("a/b", "b");
  tree.rename("b/fine", "b/still");
  expect(tree.readLink("b/still")).toBe("../x");
});

/** Where every link leads for a program of the host that follows it. */
function destinations(directory: string): string[] {
  return fs.readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const stats = fs.lstatSync(path);
    if (stats.isDirectory()) return destinations(path);
    return stats.isSymbolicLink() ? [destination(path)] : [];
  });
}

function destination(link: string): string {
  try {
    return fs.realpathSync(link);
  } catch {
    // Broken: then the folder in which the target would be made.
    const above = dirname(join(dirname(link), fs.readlinkSync(link)));
    return fs.existsSync(above) ? fs.realpathSync(above) : folder.root;
  }
}

test("whatever a guest does with links, the host follows none of them out", () => {
  const name = fc.constantFrom("a", "b", "l", "m");
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
  const target = fc.array(fc.constantFrom("..", "..", "a", "b", "l", "m", "."), {
    minLength: 1,
    maxLength: 4,
  });
  const step = fc.oneof(
    path.map((at) => (tree: HostTree) => tree.makeDirectory(at, 0o755)),
    fc.tuple(path, target).map(
      ([at, to]) =>
        (tree: HostTree) =>
          tree.makeLink(at, to.join("/")),
    ),
    fc.tuple(path, path).map(
      ([from, to]) =>
        (tree: HostTree) =>
          tree.rename(from, to),
    ),
    path.map((at) => (tree: HostTree) => tree.remove(at)),
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
      fs.rmSync(folder.root, { recursive: true });
      fs.mkdirSync(folder.root);
      const tree = folder.grant();
      for (const action of steps) refusal(() => action(tree));
      const out = destinations(folder.root).filter(
        (at) => at !== folder.root && !at.startsWith(`${folder.root}/`),
      );
      expect(out).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("a folder that is walked away with in the middle of a path is not followed", () => {
  const tree = folder.grant();
  fs.renameSync(join(folder.root, "a"), join(folder.outside, "a"));
  fs.symlinkSync(join(folder.outside, "a"), join(folder.root, "a"));
  expect(tree.stat("a/b/deep.txt")).toBeUndefined();
  expect(refusal(() => readAll(tree, "a/b/deep.txt"))).toBe("ENOENT");
});
