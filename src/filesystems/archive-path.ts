// Which names an archive may hold: only those that can mean one thing, so that a listing, an extraction and the guest all
// see the same file.

import { maxNameBytes, maxPathBytes } from "../abi/limits.ts";
import type { ByteString } from "../kernel/filesystem.ts";

const maxDepth = 64;

/** Whether the path is relative, with no empty, "." or ".." component, NUL or backslash, and not too long or deep. */
export function isPlainPath(path: ByteString): boolean {
  if (path.length > maxPathBytes || path.includes("\0") || path.includes("\\")) return false;
  let depth = 0;
  for (let start = 0; start <= path.length; depth++) {
    const slash = path.indexOf("/", start);
    const end = slash < 0 ? path.length : slash;
    const name = path.slice(start, end);
    if (name === "" || name === "." || name === ".." || name.length > maxNameBytes) return false;
    start = end + 1;
  }
  return depth <= maxDepth;
}
