// The questions that an overlay has for the tree below it, where that may leave them out.
import { fail } from "../../kernel/kernel-error.ts";
import { now, type Steps } from "../later.ts";
import type { NamedTreeEntry, Tree, TreeFile, TreePath } from "../tree.ts";

export const reading = {
  read: true,
  write: false,
  append: false,
  truncate: false,
  create: "never",
  mode: 0,
} as const;

export function* openLower(lower: Tree, path: TreePath): Steps<TreeFile> {
  return yield* now(lower.open(path, reading));
}

/** EACCES for a tree that has no list. */
export function* listLower(lower: Tree, path: TreePath): Steps<Iterable<NamedTreeEntry>> {
  return lower.list === undefined ? fail("EACCES") : yield* now(lower.list(path));
}

/** EACCES for a tree that has no links. */
export function* readLowerLink(lower: Tree, path: TreePath): Steps<string> {
  return lower.readLink === undefined ? fail("EACCES") : yield* now(lower.readLink(path));
}
