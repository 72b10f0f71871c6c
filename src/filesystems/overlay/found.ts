// What stands at a path of an overlay.
import type { TreeEntry, TreePath } from "../tree.ts";
import type { UpperNode } from "./upper-node.ts";

/** A node of the overlay's own, or something of the lower tree that is untouched. */
export type Found =
  | { readonly node: UpperNode }
  | { readonly node?: undefined; readonly lower: TreePath; readonly entry: TreeEntry };

export function kindOf(found: Found): TreeEntry["kind"] {
  return found.node === undefined ? found.entry.kind : found.node.kind;
}
