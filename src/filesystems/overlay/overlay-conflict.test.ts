// What happened underneath since the guest changed something is found before a commit changes anything.
import { expect, test } from "vitest";
import { OverlayConflictError } from "../../errors/overlay-errors.ts";
import { scratch, tickingClock } from "../filesystem-fixture.ts";
import { filesystemTree } from "../filesystem-tree.ts";
import type { Tree, TreeAccess, TreeFile } from "../tree.ts";
import { viewOf } from "../tree-view-fixture.ts";
import { OverlayLayer } from "./overlay-layer.ts";
import { OverlayTree } from "./overlay-tree.ts";

const writing: TreeAccess = {
  read: true,
  write: true,
  append: false,
  truncate: false,
  create: "missing",
  mode: 0o644,
};

function world(): { lower: Required<Tree>; layer: OverlayLayer; overlay: OverlayTree } {
  const lower = filesystemTree(scratch());
  lower.makeDirectory("d", 0o755);
  lower.makeDirectory("d/empty", 0o755);
  put(lower, "a", "first");
  put(lower, "d/b", "second");
  lower.makeLink("l", "a");
  const layer = new OverlayLayer(1_000_000, 100);
  return { lower, layer, overlay: new OverlayTree(layer, lower, tickingClock()) };
}

/** Memory answers now, and so does an overlay over it. */
function put(tree: Tree, path: string, content: string, access: Partial<TreeAccess> = {}): TreeFile {
  const file = tree.open(path, { ...writing, ...access }) as TreeFile;
  file.write?.(0, new TextEncoder().encode(content));
  file.close?.();
  return file;
}

function conflicts(layer: OverlayLayer, lower: Tree): unknown {
  try {
    layer.commitTo(lower);
    return "committed";
  } catch (error) {
    if (error instanceof OverlayConflictError)
      return error.conflicts.map(({ path, reason }) => `${path} ${reason}`);
    throw error;
  }
}

const emptyFolder = (overlay: OverlayTree): void => {
  overlay.remove("d/b");
  overlay.removeDirectory("d/empty");
  overlay.removeDirectory("d");
};

const cases: [string, (overlay: OverlayTree) => void, (lower: Required<Tree>) => void, string[]][] = [
  ["a changed file", (o) => put(o, "a", "X"), (l) => put(l, "a", "longer than before"), ["a changed"]],
  ["a changed file, as long as before", (o) => put(o, "a", "X"), (l) => put(l, "a", "FIRST"), ["a changed"]],
  ["a changed file, replaced", (o) => put(o, "a", "X"), (l) => l.rename("d/b", "a"), ["a changed"]],
  ["a changed file, removed", (o) => put(o, "a", "X"), (l) => l.remove("a"), ["a removed"]],
  [
    "bits of a changed file",
    (o) => o.change("a", { mode: 0o600 }),
    (l) => put(l, "a", "12345"),
    ["a changed"],
  ],
  ["a removed file", (o) => o.remove("a"), (l) => put(l, "a", "news"), ["a changed"]],
  ["a removed link", (o) => o.remove("l"), (l) => l.remove("l"), ["l removed"]],
  ["a moved file", (o) => o.rename("d/b", "b"), (l) => put(l, "d/b", "news"), ["d/b changed"]],
  ["a replaced file", (o) => o.rename("a", "d/b"), (l) => put(l, "d/b", "news"), ["d/b changed"]],
  ["a created file", (o) => put(o, "n", "X"), (l) => put(l, "n", "Y"), ["n created"]],
  ["a created folder", (o) => o.makeDirectory("n", 0o755), (l) => l.makeLink("n", "a"), ["n created"]],
  ["below a removed folder", emptyFolder, (l) => put(l, "d/n", "Y"), ["d/n created"]],
  ["below an empty one", emptyFolder, (l) => put(l, "d/empty/n", "Y"), ["d/empty/n created"]],
  ["in a removed folder", emptyFolder, (l) => put(l, "d/b", "news"), ["d/b changed"]],
  ["a removed folder's file", emptyFolder, (l) => l.remove("d/b"), ["d/b removed"]],
  ["a folder on the way", (o) => put(o, "d/n", "X"), (l) => l.rename("d", "gone"), ["d removed"]],
  [
    "replaced where it was removed",
    (o) => {
      o.remove("a");
      put(o, "a", "X");
    },
    (l) => put(l, "a", "Y"),
    ["a changed"],
  ],
];

test.each(cases)("%s", (_, above, below, expected) => {
  const { lower, layer, overlay } = world();
  above(overlay);
  below(lower);
  const found = conflicts(layer, lower);
  expect(found).toEqual(expected);
});

test.each(cases)("%s is committed when nothing happened underneath", async (_, above) => {
  const { lower, layer, overlay } = world();
  above(overlay);
  const shown = await viewOf(overlay);
  expect(conflicts(layer, lower)).toBe("committed");
  expect(await viewOf(lower)).toEqual(shown);
});

test("what happens elsewhere underneath does not matter, nor below a folder that was moved", async () => {
  const { lower, layer, overlay } = world();
  overlay.rename("d", "moved");
  put(overlay, "n", "X");
  put(lower, "a", "elsewhere");
  put(lower, "d/news", "seen through the move");
  const shown = await viewOf(overlay);
  expect(shown.get("moved/news")).toContain("seen through the move");
  expect(conflicts(layer, lower)).toBe("committed");
  expect(await viewOf(lower)).toEqual(shown);
});

test("bytes that were copied are compared although size and times are the same", () => {
  const { lower, layer, overlay } = world();
  const { modifiedNs } = lower.stat("a") as { modifiedNs: bigint };
  put(overlay, "a", "X");
  put(lower, "a", "Secret");
  const file = lower.open("a", writing) as TreeFile;
  file.truncate?.(5);
  file.change?.({ modifiedNs });
  file.close?.();
  expect(conflicts(layer, lower)).toEqual(["a changed"]);
});

test("a file that is open for writing holds a commit back; the changes stay", () => {
  const { lower, layer, overlay } = world();
  const file = overlay.open("a", writing) as TreeFile;
  file.write?.(0, new Uint8Array([88]));
  expect(conflicts(layer, lower)).toEqual(["a open"]);
  file.close?.();
  expect(conflicts(layer, lower)).toBe("committed");
});

test.each(["n", "a"])(
  "a file that is open for writing and has no name holds nothing back: %s",
  async (path) => {
    const { lower, layer, overlay } = world();
    const file = overlay.open(path, writing) as TreeFile;
    overlay.remove(path);
    put(overlay, "result", "X");
    expect(conflicts(layer, lower)).toBe("committed");
    expect([...(await viewOf(lower)).keys()]).not.toContain(path);

    // It is whose it was, before and after what became of the changes.
    file.write?.(0, new TextEncoder().encode("mine"));
    layer.discard();
    file.write?.(4, new TextEncoder().encode(", still"));
    const shown = file.read?.(0, 20) as Uint8Array;
    expect(new TextDecoder().decode(shown)).toBe("mine, still");
    file.close?.();
    expect(layer.changes(lower)).toEqual([]);
  },
);

test("a file that changed underneath while parts of it were copied is not read as a mixture", () => {
  const { lower, overlay } = world();
  put(overlay, "a", "X");
  overlay.rename("d/b", "b");
  put(lower, "d/b", "something else");
  const file = overlay.open("b", { ...writing, write: false }) as TreeFile;
  expect(() => file.read?.(0, 10)).toThrow(expect.objectContaining({ name: "EIO" }));
});

test("a file that was open when its changes were discarded can be read, and refuses to be changed", () => {
  const { lower, layer, overlay } = world();
  const [touched, untouched] = ["a", "d/b"].map((path) => overlay.open(path, writing) as TreeFile);
  touched?.write?.(0, new Uint8Array([88]));
  layer.discard();
  for (const file of [touched, untouched])
    expect(() => file?.write?.(0, new Uint8Array([89]))).toThrow(expect.objectContaining({ name: "EIO" }));
  expect(new TextDecoder().decode(touched?.read?.(0, 9) as Uint8Array)).toBe("Xirst");
  touched?.close?.();
  untouched?.close?.();
  expect(layer.changes(lower)).toEqual([]);
});

test("discard forgets everything", async () => {
  const { lower, layer, overlay } = world();
  const before = await viewOf(lower);
  emptyFolder(overlay);
  put(overlay, "n", "X");
  layer.discard();
  expect(await viewOf(overlay)).toEqual(before);
  expect(layer.room.quota.usedBytes).toBe(0);
});
