// Targets of links in a folder that was granted: which ones lead to a place inside, what the guest is shown of the others, and which
// ones a guest may make. Pure text, as byte strings; `depth` is how many directories lie between the root and the link (0: in the root).

import { maxPathBytes } from "../abi/limits.ts";
import type { ByteString } from "../kernel/filesystem.ts";

/** How many entries below a folder are looked at for links before it moves up: the guest waits, and so may everybody else. */
export const maxLookedForLinks = 2000;

/** What a link shows that leads out: nothing is ever there, and it tells nothing of the host. */
export const brokenTarget: ByteString = "/dev/null/outside";

/**
 * The target as the guest is shown it: one that stays inside as it is, an absolute one below `rootPath` (the folder's real path on
 * the host) as its relative equivalent, every other one as `brokenTarget`. Only names are looked at: a target that climbs out
 * through other links is for the kernel to stop, which confines links as it follows them.
 */
export function shownTarget(target: ByteString, depth: number, rootPath: ByteString): ByteString {
  if (!target.startsWith("/")) return staysInside(target, depth) ? target : brokenTarget;
  const names = namesOf(target);
  const root = namesOf(rootPath);
  if (root.some((name, i) => names[i] !== name)) return brokenTarget;
  const below = names.slice(root.length);
  if (!staysInside(below.join("/"), 0)) return brokenTarget;
  const relative = [...Array.from({ length: depth }, () => ".."), ...below].join("/") || ".";
  return relative.length <= maxPathBytes ? relative : brokenTarget;
}

/**
 * Whether a link with this target is safe for whoever follows it on the host, too. Relative, with all its ".." in front and no more of
 * them than there are directories above: then not even other links in the folder can make it climb further.
 */
export function isSafeTarget(target: ByteString, depth: number): boolean {
  if (target === "" || target.startsWith("/")) return false;
  const names = namesOf(target);
  const ups = names.findIndex((name) => name !== "..");
  const climbs = ups < 0 ? names.length : ups;
  return climbs <= depth && !names.slice(climbs).includes("..");
}

function staysInside(relative: ByteString, depth: number): boolean {
  let level = depth;
  for (const name of namesOf(relative)) {
    level += name === ".." ? -1 : 1;
    if (level < 0) return false;
  }
  return true;
}

function namesOf(path: ByteString): ByteString[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
