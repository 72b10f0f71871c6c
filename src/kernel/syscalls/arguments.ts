// Turning raw import arguments into what the kernel works with: paths, starting directories, buffers. Everything here
// checks and none of it has an effect, so handlers call it first.
import { at, open } from "../../abi/flags.ts";
import { maxPathBytes } from "../../abi/limits.ts";
import type { ByteString, DirectoryNode, Node } from "../filesystem.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";
import type { OpenFile } from "../open-file.ts";
import { existing, type WalkResult, walk } from "../path-walk.ts";

export function readPath(kernel: Kernel, address: number): ByteString {
  return kernel.memory.readByteString(address, maxPathBytes) ?? fail("ENAMETOOLONG");
}

/** Where a relative path of an *at() call starts: EBADF or ENOTDIR for a descriptor that is no directory. */
export function startDirectory(kernel: Kernel, dirfd: number, path: ByteString): DirectoryNode {
  if (dirfd === at.FDCWD || path.startsWith("/")) return kernel.process.cwd;
  const { node } = kernel.process.fds.get(dirfd);
  return node?.kind === "directory" ? node : fail("ENOTDIR");
}

export function walkAt(kernel: Kernel, dirfd: number, pathAddress: number, followLast: boolean): WalkResult {
  const path = readPath(kernel, pathAddress);
  return walk(kernel.process.mounts, startDirectory(kernel, dirfd, path), path, { followLast });
}

/** Where a name is to be made, removed or moved. */
export function nameAt(kernel: Kernel, dirfd: number, pathAddress: number): WalkResult {
  const path = readPath(kernel, pathAddress);
  const start = startDirectory(kernel, dirfd, path);
  return walk(kernel.process.mounts, start, path, { followLast: false, byName: true });
}

/** The node that (dirfd, path, flags) names, with AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW; other flags are EINVAL. */
export function nodeAt(kernel: Kernel, dirfd: number, pathAddress: number, flags: number): Node {
  if (flags & ~(at.SYMLINK_NOFOLLOW | at.EMPTY_PATH | at.NO_AUTOMOUNT)) fail("EINVAL");
  const path = readPath(kernel, pathAddress);
  if (path === "" && flags & at.EMPTY_PATH) {
    if (dirfd === at.FDCWD) return kernel.process.cwd;
    return kernel.process.fds.get(dirfd).node ?? fail("EBADF");
  }
  const start = startDirectory(kernel, dirfd, path);
  return existing(walk(kernel.process.mounts, start, path, { followLast: !(flags & at.SYMLINK_NOFOLLOW) }));
}

/** The description behind fd for reading or writing; descriptors opened with O_PATH allow neither. */
export function fileAt(kernel: Kernel, fd: number): OpenFile {
  const file = kernel.process.fds.get(fd);
  if (file.flags & open.PATH) fail("EBADF");
  return file;
}

/** A file offset that the guest passed as i64: EINVAL when negative, EFBIG beyond what a host number holds exactly. */
export function offset(value: bigint): number {
  if (value < 0n) fail("EINVAL");
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) fail("EFBIG");
  return Number(value);
}
