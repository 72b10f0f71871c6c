// Before a directory moves up: whether the links in it would still be safe for others, who follow them on the host. A link that may
// climb two directories where it is may climb one less from one directory higher.
import { isSafeTarget, maxLookedForLinks } from "../../../filesystems/inner-links.ts";
import { statOf, targetAt } from "./open-at.ts";
import type { OpenedFolder } from "./opened-folder.ts";

/** Beyond it the answer is no: each directory in between holds a descriptor. */
const maxDepth = 100;

/** `depth` is how many directories will lie between the root and what is in the directory. */
export function linksStaySafe(folder: OpenedFolder, directoryFd: number, depth: number): boolean {
  let looked = 0;
  const safe = (fd: number, level: number): boolean => {
    const names = folder.names(fd);
    looked += names.length;
    if (looked > maxLookedForLinks) return false;
    return folder
      .entries(fd, names, (place, name) => {
        const stats = statOf(place);
        if (stats.isSymbolicLink()) {
          const target = targetAt(fd, name);
          return target.startsWith("/") || isSafeTarget(target, level);
        }
        return !stats.isDirectory() || (level - depth < maxDepth && safe(place, level + 1));
      })
      .every((good) => good);
  };
  return safe(directoryFd, depth);
}
