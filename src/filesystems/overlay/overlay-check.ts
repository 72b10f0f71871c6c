// Whether the lower tree still is what an overlay's changes were made over. What was replaced, removed, moved or given other
// attributes must be as it was (same-origin.ts), what was copied must have the same bytes, what is new must not stand there already,
// and a folder that was removed must hold nothing but what was removed with it.
import type { OverlayConflict } from "../../errors/overlay-errors.ts";
import { now, type Steps } from "../later.ts";
import type { Tree, TreeEntry, TreeFile, TreePath } from "../tree.ts";
import { childPath, pathBytes } from "../tree-path.ts";
import { reading } from "./lower-tree.ts";
import { listed } from "./overlay-changes.ts";
import { sameOrigin } from "./same-origin.ts";
import type { Hidden, UpperDirectory, UpperFile, UpperNode } from "./upper-node.ts";
import type { UpperRoom } from "./upper-room.ts";

/** One for each path. */
export function* conflictsOf(room: UpperRoom, lower: Tree): Steps<OverlayConflict[]> {
  const found = yield* allConflicts(room, lower);
  return [...new Map(found.map((conflict) => [conflict.path, conflict])).values()];
}

function* allConflicts(room: UpperRoom, lower: Tree): Steps<OverlayConflict[]> {
  const conflicts: OverlayConflict[] = [...room.writers]
    .filter(([file]) => file.named)
    .map(([, path]) => ({ path, reason: "open" }));
  const rest: { node: UpperNode; inPlace: boolean }[] =
    room.root === undefined ? [] : [{ node: room.root, inPlace: true }];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    const { node, inPlace } = at;
    if (node.origin !== undefined && (node.kind === "directory" || touched(node) || !inPlace))
      conflicts.push(...(yield* changedAt(lower, node.origin.path, node.origin.entry)));
    if (node.kind === "file") conflicts.push(...(yield* changedBytes(lower, node)));
    if (node.kind !== "directory") continue;
    for (const [name, slot] of node.slots) {
      const lowerPath = node.lowerPathOf(name);
      const merged = node.merges(name, slot.node);
      if (slot.hidden !== undefined) conflicts.push(...(yield* conflictsOfHidden(lower, slot.hidden)));
      else if (!merged && lowerPath !== undefined && (yield* now(lower.stat(lowerPath))) !== undefined)
        conflicts.push({ path: lowerPath, reason: "created" });
      if (slot.node !== undefined) rest.push({ node: slot.node, inPlace: merged });
    }
  }
  return conflicts;
}

/** What does not fit of something that was removed or moved away; `at` is where it stands now. */
export function* conflictsOfHidden(
  lower: Tree,
  hidden: Hidden,
  at: TreePath = hidden.path,
): Steps<OverlayConflict[]> {
  const conflicts: OverlayConflict[] = [];
  const rest: { hidden: Hidden; path: TreePath }[] = [{ hidden, path: at }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { path } = next;
    const { entry, node, path: origin } = next.hidden;
    const found = yield* changedAt(lower, path, entry);
    conflicts.push(...found.map(({ reason }) => ({ path: origin, reason })));
    // What is in a folder that was moved is taken as it is: it shows in the overlay, too.
    if (found.length > 0 || entry.kind !== "directory" || node?.named) continue;
    for (const { name } of yield* listed(lower, path)) {
      const child = node?.slots.get(pathBytes(name))?.hidden;
      if (child === undefined) conflicts.push({ path: childPath(origin, name), reason: "created" });
    }
    for (const slot of node?.slots.values() ?? [])
      if (slot.hidden !== undefined)
        rest.push({ hidden: slot.hidden, path: path + slot.hidden.path.slice(origin.length) });
  }
  return conflicts;
}

function* changedAt(lower: Tree, path: TreePath, was: TreeEntry): Steps<OverlayConflict[]> {
  const entry = yield* now(lower.stat(path));
  if (entry === undefined) return [{ path, reason: "removed" }];
  return sameOrigin(entry, was) ? [] : [{ path, reason: "changed" }];
}

function touched(node: UpperFile | Exclude<UpperNode, UpperDirectory>): boolean {
  return node.attributesChanged || (node.kind === "file" && node.written);
}

/** Bytes that were copied may have changed although size and times are the same. */
function* changedBytes(lower: Tree, node: UpperFile): Steps<OverlayConflict[]> {
  const { origin, content } = node;
  if (origin === undefined || !node.written || !content.copied) return [];
  if ((yield* now(lower.stat(origin.path)))?.size !== origin.entry.size) return [];
  let opened: TreeFile | undefined;
  try {
    const same = yield* content.matches(function* () {
      opened ??= yield* now(lower.open(origin.path, reading));
      return opened;
    });
    return same ? [] : [{ path: origin.path, reason: "changed" }];
  } finally {
    if (opened?.close !== undefined) yield* now(opened.close());
  }
}
