// Whether something of the lower tree is still what it was when it was looked at: kind, size, time of the last change of content in
// nanoseconds, and number. What a tree does not tell cannot differ.
import type { TreeEntry } from "../tree.ts";

export function sameOrigin(entry: TreeEntry | undefined, was: TreeEntry): boolean {
  if (entry === undefined || entry.kind !== was.kind || entry.id !== was.id) return false;
  // A folder's time changes with each name in it; the names are looked at one by one.
  if (entry.kind === "directory") return true;
  return entry.size === was.size && entry.modifiedNs === was.modifiedNs;
}
