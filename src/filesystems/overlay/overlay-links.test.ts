// How far a folder of the lower tree is looked at for links before it moves, and what is taken for granted beyond.
import { expect, test } from "vitest";
import { refusal, scratch, tickingClock } from "../filesystem-fixture.ts";
import { filesystemTree } from "../filesystem-tree.ts";
import type { NamedTreeEntry } from "../tree.ts";
import { OverlayLayer } from "./overlay-layer.ts";
import { OverlayTree } from "./overlay-tree.ts";

function world(entries: number, confinesLinks: boolean) {
  const memory = filesystemTree(scratch()) as Required<ReturnType<typeof filesystemTree>>;
  for (const path of ["d", "d/big", "e"]) memory.makeDirectory(path, 0o755);
  let lists = 0;
  const lower = new Proxy(memory, {
    get: (tree, key) => {
      if (key !== "list") return Reflect.get(tree, key);
      return (path: string): Iterable<NamedTreeEntry> => {
        lists += 1;
        if (path !== "d/big") return memory.list(path) as Iterable<NamedTreeEntry>;
        return Array.from({ length: entries }, (_, at) => ({ name: `f${at}`, kind: "file", size: 0 }));
      };
    },
  });
  const layer = new OverlayLayer(1_000_000, 100);
  return { overlay: new OverlayTree(layer, lower, tickingClock(), confinesLinks), lists: () => lists };
}

test.each([
  [2000, "e/big", "ok"],
  [2000, "big", "ok"],
  [2001, "e/big", "ok"],
  [2001, "big", "EXDEV"],
])("a folder of %d entries is moved to %s: %s", (entries, to, expected) => {
  const { overlay, lists } = world(entries, true);
  expect(refusal(() => overlay.rename("d/big", to))).toBe(expected);
  expect(lists()).toBe(1);
});

test("over a tree that makes any link, nothing is looked at, and any link is made", () => {
  const { overlay, lists } = world(2001, false);
  expect(refusal(() => overlay.makeLink("l", "/etc"))).toBe("ok");
  expect(refusal(() => overlay.rename("d/big", "big"))).toBe("ok");
  expect(lists()).toBe(0);
});
