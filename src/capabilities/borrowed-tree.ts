// A tree without its end: whoever gets it cannot close what belongs to somebody else.
import type { Tree } from "../filesystems/tree.ts";

const lendable = [
  "list",
  "readLink",
  "makeDirectory",
  "makeLink",
  "remove",
  "removeDirectory",
  "rename",
  "change",
  "room",
] as const satisfies (keyof Tree)[];

/** All that a tree can have. */
export const treeMethods: readonly (keyof Tree)[] = ["stat", "open", ...lendable, "close"];

/** All functions that `tree` has now, but `close`. */
export function borrowedTree(tree: Tree): Tree {
  const borrowed: Partial<Record<(typeof lendable)[number], unknown>> = {};
  for (const name of lendable) if (typeof tree[name] === "function") borrowed[name] = tree[name].bind(tree);
  return { ...(borrowed as Partial<Tree>), stat: tree.stat.bind(tree), open: tree.open.bind(tree) };
}
