// Several names of a path at once, as an overlay shows them: its own nodes as far as they lead, and the lower tree's word from there on.
import { errno } from "../../abi/errno.ts";
import type { TreePath } from "../tree.ts";
import { childPath, pathNames } from "../tree-path.ts";
import { type TrailTree, type TreeTrail, trail } from "../tree-trail.ts";
import { slotOf, type UpperDirectory, type UpperNode } from "./upper-node.ts";
import { shownEntry } from "./upper-room.ts";

export function overlayTrail(
  root: UpperDirectory,
  lower: TrailTree,
  path: TreePath,
  count: number,
): TreeTrail {
  const names = pathNames(path);
  const first = names.length - count + 1;
  const entries = first === 0 ? [root.stat()] : [];
  let node: UpperNode = root;
  for (const [index, name] of names.entries()) {
    if (node.kind !== "directory") return { entries, errno: 0 };
    const slot = slotOf(node, name);
    if (slot === undefined) {
      if (node.origin === undefined) return { entries, errno: errno.ENOENT };
      const told = lower[trail](
        childPath(node.origin.path, names.slice(index).join("/")),
        Math.min(count, names.length - index),
      );
      return { ...told, entries: [...entries, ...told.entries.map(shownEntry)] };
    }
    if (slot.node === undefined) return { entries, errno: errno.ENOENT };
    node = slot.node;
    if (index + 1 >= first) entries.push(node.stat());
  }
  return { entries, errno: 0 };
}
