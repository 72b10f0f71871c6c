// Permission bits and times of folders, over a tree that enforces the owner's bits as a host does for a process that is not root: what a
// guest gave a folder is there after the commit, stands in the way of none, and of no undoing either.
import { expect, test } from "vitest";
import { OverlayCommitError } from "../../errors/overlay-errors.ts";
import { fail } from "../../kernel/kernel-error.ts";
import { scratch, tickingClock } from "../filesystem-fixture.ts";
import { filesystemTree } from "../filesystem-tree.ts";
import type { Tree, TreeAccess, TreeEntry, TreeFile, TreePath } from "../tree.ts";
import { parentPath } from "../tree-path.ts";
import { viewOf } from "../tree-view-fixture.ts";
import { OverlayLayer } from "./overlay-layer.ts";
import { OverlayTree } from "./overlay-tree.ts";

const writing: TreeAccess = {
  read: true,
  write: true,
  append: false,
  truncate: true,
  create: "missing",
  mode: 0o644,
};
const changing = ["makeDirectory", "makeLink", "remove", "removeDirectory", "rename"];

/** Memory, as its owner meets it. */
function strict(memory: Required<Tree>): Required<Tree> {
  const demand = (path: TreePath, bits: number): void => {
    const entry = memory.stat(path) as TreeEntry | undefined;
    if (entry !== undefined && ((entry.mode ?? 0) & bits) !== bits) fail("EACCES");
  };
  return new Proxy(memory, {
    get: (_, key) => {
      const method = Reflect.get(memory, key);
      if (typeof method !== "function") return method;
      return (path: TreePath, ...rest: unknown[]) => {
        if (path !== "")
          for (let above = parentPath(path); ; above = parentPath(above)) {
            demand(above, 0o100);
            if (above === "") break;
          }
        const access = rest[0] as TreeAccess;
        const makes = key === "open" && access.create !== "never" && memory.stat(path) === undefined;
        if (makes || changing.includes(String(key))) demand(parentPath(path), 0o300);
        else if (key === "open" && access.read) demand(path, 0o400);
        if (key === "rename") demand(parentPath(rest[0] as TreePath), 0o300);
        if (key === "list") demand(path, 0o400);
        return method.call(memory, path, ...rest);
      };
    },
  });
}

function world(dMode = 0o755) {
  const memory = filesystemTree(scratch()) as Required<Tree>;
  for (const path of ["d", "e"]) memory.makeDirectory(path, 0o755);
  for (const path of ["d/x", "d/y"]) put(memory, path);
  memory.change("d", { mode: dMode });
  const layer = new OverlayLayer(1_000_000, 100);
  return { memory, lower: strict(memory), layer, overlay: new OverlayTree(layer, memory, tickingClock()) };
}

function put(tree: Tree, path: string): void {
  const file = tree.open(path, writing) as TreeFile;
  file.write?.(0, new TextEncoder().encode("content"));
  file.close?.();
}

const cases: [string, number, (overlay: OverlayTree) => void][] = [
  [
    "closed after names in it came and went",
    0o755,
    (o) => {
      put(o, "d/x");
      o.remove("d/y");
      o.change("d", { mode: 0o555, modifiedNs: 5n });
    },
  ],
  [
    "opened, and names in it came and went",
    0o555,
    (o) => {
      o.change("d", { mode: 0o755 });
      put(o, "d/n");
      o.remove("d/y");
    },
  ],
  [
    "opened, changed and closed again",
    0o555,
    (o) => {
      o.change("d", { mode: 0o755 });
      put(o, "d/n");
      o.remove("d/y");
      o.change("d", { mode: 0o555, modifiedNs: 5n });
    },
  ],
  ["changed without a word about its bits", 0o555, (o) => o.remove("d/y")],
  [
    "closed with a closed folder in it",
    0o755,
    (o) => {
      o.makeDirectory("d/n", 0o755);
      put(o, "d/n/f");
      o.change("d/n", { mode: 0, modifiedNs: 4n });
      o.remove("d/x");
      o.change("d", { mode: 0, modifiedNs: 5n });
      o.change("", { mode: 0o500, modifiedNs: 6n });
    },
  ],
  [
    "given a time after what was in it has gone",
    0o755,
    (o) => {
      o.remove("d/x");
      put(o, "d/y");
      o.change("d", { modifiedNs: 5n });
    },
  ],
];

test.each(cases)("a folder that was %s is what the overlay shows", async (_, dMode, above) => {
  const { memory, lower, layer, overlay } = world(dMode);
  above(overlay);
  const shown = await viewOf(overlay);
  const timesBefore = ["", "d", "d/n"].map(
    (path) => (overlay.stat(path) as TreeEntry | undefined)?.modifiedNs,
  );
  expect(await layer.commitTo(lower)).toEqual({ leftovers: [], unsettled: [] });
  expect(await viewOf(memory)).toEqual(shown);
  const times = ["", "d", "d/n"].map((path) => (memory.stat(path) as TreeEntry | undefined)?.modifiedNs);
  // Where the guest set none, a folder has the time of the commit.
  for (const [at, time] of timesBefore.entries())
    if (time !== undefined && time < 100n) expect(times[at]).toBe(time);
});

test("what is closed to its owner is undone as well, and the folder is closed again", async () => {
  const { memory, lower, layer, overlay } = world(0o555);
  put(overlay, "d/n");
  overlay.makeDirectory("z", 0o755);
  overlay.makeDirectory("z/in", 0o755);
  overlay.change("z", { mode: 0 });
  put(overlay, "e/full");
  const before = await viewOf(memory);
  const { modifiedNs } = memory.stat("d") as TreeEntry;
  const refusing = new Proxy(lower, {
    get: (tree, key) =>
      key === "rename"
        ? (from: string, to: string) => (to === "e/full" ? fail("EDQUOT") : lower.rename(from, to))
        : Reflect.get(tree, key),
  });
  let error: unknown;
  try {
    layer.commitTo(refusing);
  } catch (reason) {
    error = reason;
  }
  expect(error).toBeInstanceOf(OverlayCommitError);
  expect(error).toMatchObject({ undone: true, leftovers: [], path: "e/full", cause: { name: "EDQUOT" } });
  expect((error as Error).message).toContain('"e/full"');
  expect(await viewOf(memory)).toEqual(before);
  expect((memory.stat("d") as TreeEntry).modifiedNs).toBe(modifiedNs);
});

test("a folder that refuses its bits at the end is named; the commit stands", async () => {
  const { memory, lower, layer, overlay } = world();
  overlay.remove("d/x");
  overlay.change("d", { mode: 0o500 });
  let changes = 0;
  const refusing = new Proxy(lower, {
    get: (tree, key) =>
      key === "change"
        ? (path: string, change: object) => (++changes === 2 ? fail("EPERM") : lower.change(path, change))
        : Reflect.get(tree, key),
  });
  expect(await layer.commitTo(refusing)).toEqual({ leftovers: [], unsettled: ["d"] });
  expect([...(await viewOf(memory)).keys()].sort()).toEqual(["d", "d/y", "e"]);
  expect(layer.changes(lower)).toEqual([]);
});

test("changes tell a folder's bits and times after everything that is in it", () => {
  const { memory, layer, overlay } = world();
  overlay.makeDirectory("d/in", 0o755);
  for (const path of ["d", "e", "", "d/x"]) overlay.change(path, { mode: 0o500 });
  put(overlay, "d/in/f");
  overlay.remove("d/y");
  const changes = layer.changes(memory) as { change: string; path: string }[];
  const told = changes.map(({ change, path }) => `${change} ${path}`);
  expect(told.slice(0, 1)).toEqual(["removed d/y"]);
  expect(told.slice(1, 4).sort()).toEqual(["changed d/x", "created d/in", "created d/in/f"]);
  expect(told.slice(4, 6).sort()).toEqual(["changed d", "changed e"]);
  expect(told.slice(6)).toEqual(["changed "]);
});
