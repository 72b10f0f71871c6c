// Links in an overlay over a tree that keeps links inside: which ones a commit could make there. A commit makes everything anew that was
// made or moved, so a link that the tree below would refuse must not be made or moved here either: it would hold back all the rest.
import { fail } from "../../kernel/kernel-error.ts";
import { isSafeTarget, maxLookedForLinks } from "../inner-links.ts";
import type { Steps } from "../later.ts";
import type { Tree, TreePath } from "../tree.ts";
import { childPath, isTreeName, pathBytes, pathNames } from "../tree-path.ts";
import { type Found, kindOf } from "./found.ts";
import { listLower, readLowerLink } from "./lower-tree.ts";
import { slotOf, type UpperDirectory } from "./upper-node.ts";

/** EPERM for a link with this target at that path. */
export function demandSafeLink(path: TreePath, target: string): void {
  if (!isSafeTarget(pathBytes(target), pathNames(path).length - 1)) fail("EPERM");
}

/**
 * EPERM for a link that could not be made at `to`, EXDEV for a folder with such a link in it. In a folder with more than can be looked at,
 * links that climb are taken to be there, and links of the host's that lead out are not.
 */
export function* demandSafeMove(lower: Tree, moved: Found, from: TreePath, to: TreePath): Steps<void> {
  const targetAt = (path: TreePath): Steps<string> => readLowerLink(lower, path);
  const kind = kindOf(moved);
  if (kind === "file") return;
  if (kind === "link") {
    const target = moved.node?.kind === "link" ? moved.node.target : undefined;
    return demandSafeLink(to, target ?? (moved.node === undefined ? yield* targetAt(moved.lower) : ""));
  }
  const demandSafe = (target: string, depth: number): void => {
    if (!isSafeTarget(pathBytes(target), depth)) fail("EXDEV");
  };
  const depth = pathNames(to).length;
  const rest: { node: UpperDirectory | undefined; path: TreePath | undefined; depth: number }[] = [];
  if (moved.node === undefined) rest.push({ node: undefined, path: moved.lower, depth });
  else if (moved.node.kind === "directory")
    rest.push({ node: moved.node, path: moved.node.origin?.path, depth });
  let looked = 0;
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    const { node, path } = at;
    for (const { node: child } of node?.slots.values() ?? []) {
      if (child?.kind === "link") demandSafe(child.target, at.depth);
      if (child?.kind === "directory")
        rest.push({ node: child, path: child.origin?.path, depth: at.depth + 1 });
    }
    // What the overlay has of its own costs memory, and was looked at whole.
    if (path === undefined) continue;
    for (const entry of yield* listLower(lower, path)) {
      if (looked > maxLookedForLinks) break;
      if (!isTreeName(entry.name) || slotOf(node, entry.name) !== undefined) continue;
      if (++looked > maxLookedForLinks) break;
      const childAt = childPath(path, entry.name);
      if (entry.kind === "link") demandSafe(yield* targetAt(childAt), at.depth);
      if (entry.kind === "directory") rest.push({ node: undefined, path: childAt, depth: at.depth + 1 });
    }
  }
  if (looked > maxLookedForLinks && depth < pathNames(from).length) fail("EXDEV");
}
