// What a directory entry may be called. The kernel splits paths, so a slash, NUL, "." or ".." arriving here is a bug above
// us; it is refused all the same, because a name that no path can reach would hold quota for ever.
import { fromLatin1, latin1 } from "../abi/guest-memory.ts";
import { maxNameBytes } from "../abi/limits.ts";
import type { ByteString } from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";

/** Directories inside each other, about as many as the longest path can name: bounds what every way up the tree costs. */
export const maxDepth = 2048;

/** Throws ENOENT (empty), ENAMETOOLONG, EINVAL. */
export function checkNewName(name: ByteString, mostBytes = maxNameBytes): void {
  if (name === "") fail("ENOENT");
  if (name.length > mostBytes) fail("ENAMETOOLONG");
  if (name === "." || name === ".." || name.includes("/") || name.includes("\0")) fail("EINVAL");
}

/**
 * The same string in memory of its own. A name cut out of a path keeps the whole path alive in V8: up to 4 KiB held for a
 * name of 13 bytes, which no quota would have seen.
 */
export function detached(text: ByteString): ByteString {
  return latin1(fromLatin1(text));
}
