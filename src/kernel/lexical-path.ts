// The absolute path that a call named, by its letters alone: links are not followed, and nothing need exist.
import { errno as numbers } from "../abi/errno.ts";
import type { ByteString } from "./filesystem.ts";
import type { Kernel } from "./kernel.ts";
import { pathOf } from "./path-walk.ts";
import { readPath, startDirectory } from "./syscalls/arguments.ts";

/** What makes a path differ from its plain spelling: empty components, ".", "..", a slash at the end. */
const notPlain = /\/(?:\/|\.{0,2}$|\.{1,2}\/)/;

/**
 * Undefined when nothing can be said: an empty path, a directory that is gone, or a plain name that is missing in a file system that
 * was granted, which is the most frequent refusal of all and needs no grant. Throws KernelError, GuestRangeFault.
 */
export function absolutePath(
  kernel: Kernel,
  directory: number,
  address: number,
  errno: number,
): ByteString | undefined {
  const path = readPath(kernel, address);
  if (path === "") return undefined;
  if (path.startsWith("/")) return notPlain.test(path) ? plain(path) : path;
  const { mounts } = kernel.process;
  const start = startDirectory(kernel, directory, path);
  const granted = start.fileSystem !== mounts.root.fileSystem;
  if (granted && errno === numbers.ENOENT && !path.includes("..")) return undefined;
  return plain(start === mounts.root ? `/${path}` : `${pathOf(mounts, start)}/${path}`);
}

/** As path.posix.normalize does with an absolute path, without a slash at the end. */
export function plain(path: ByteString): ByteString {
  const names: ByteString[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}
