// Long work in one tree, such as a commit: step after step is taken near the one before. Below a folder of the host each step is a walk
// from the root, so that what is deep would cost its depth again with every step.
import type { Tree } from "./tree.ts";

export const keeping = Symbol("keeping");

/** A tree of our own that finds what lies near the last thing in less time, from the call on until what it gave is called. */
export interface KeepingTree extends Tree {
  [keeping](): () => void;
}

/** Where the tree can do that. What is returned must be called when the work is done: the tree may hold things open until then. */
export function keep(tree: Tree): () => void {
  return (tree as Partial<KeepingTree>)[keeping]?.() ?? (() => {});
}
