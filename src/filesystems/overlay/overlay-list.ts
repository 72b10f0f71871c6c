// A folder of an overlay as a listing. Of a large one below, most is only asked for when it is iterated, and meanwhile the overlay may be
// changed: what it holds itself is shown as it was at first, so that no name is there twice.
import type { NamedTreeEntry } from "../tree.ts";
import { isTreeName, pathBytes, treePath } from "../tree-path.ts";
import type { UpperNode } from "./upper-node.ts";
import { shownEntry } from "./upper-room.ts";

/** `node`: the overlay's own, if there is one. `lower`: the entries of the folder below. */
export function overlayList(
  node: UpperNode | undefined,
  lower: Iterable<NamedTreeEntry>,
): Iterable<NamedTreeEntry> {
  const own: NamedTreeEntry[] = [];
  const covered = new Set<string>();
  if (node?.kind === "directory")
    for (const [name, slot] of node.slots) {
      covered.add(name);
      if (slot.node !== undefined) own.push({ ...slot.node.stat(), name: treePath(name) });
    }
  // What a lower tree lists is not checked before: what is no name covers nothing.
  const isCovered = (name: string): boolean => isTreeName(name) && covered.has(pathBytes(name));
  return {
    *[Symbol.iterator]() {
      yield* own;
      for (const entry of lower) if (!isCovered(entry.name)) yield { ...shownEntry(entry), name: entry.name };
    },
  };
}
