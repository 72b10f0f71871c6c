// A listing of an overlay that is read while the overlay is changed.
import { expect, test } from "vitest";
import { scratch, tickingClock } from "../filesystem-fixture.ts";
import { filesystemTree } from "../filesystem-tree.ts";
import type { NamedTreeEntry } from "../tree.ts";
import { OverlayLayer } from "./overlay-layer.ts";
import { OverlayTree } from "./overlay-tree.ts";

test("no name comes twice, whatever is made, removed or changed before the end is read", () => {
  const lower = filesystemTree(scratch()) as Required<ReturnType<typeof filesystemTree>>;
  for (const name of ["a", "b", "c"]) lower.makeDirectory(name, 0o755);
  const overlay = new OverlayTree(new OverlayLayer(2 ** 20, 100), lower, tickingClock());
  overlay.makeDirectory("own", 0o755);
  overlay.removeDirectory("a");
  const list = overlay.list("") as Iterable<NamedTreeEntry>;
  overlay.change("b", { mode: 0o700 });
  overlay.makeDirectory("a", 0o755);
  overlay.makeDirectory("new", 0o755);
  expect(Array.from(list, ({ name }) => name).sort()).toEqual(["b", "c", "own"]);
});
