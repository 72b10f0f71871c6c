// Making, removing and moving names: mkdir, mknod, symlink, unlink, rmdir, rename, readlink.
import { access, at, mode } from "../../abi/flags.ts";
import { fromLatin1 } from "../../abi/guest-memory.ts";
import type { DirectoryNode, Node } from "../filesystem.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";
import { attributesOfParent, existing, type WalkResult } from "../path-walk.ts";
import { demand, demandRemoval, guestOwner } from "../permissions.ts";
import { nameAt, readPath, walkAt } from "./arguments.ts";

/** Checks that the walk ended at a free name and that the guest may create there. */
function demandFreeName(found: WalkResult): void {
  if (found.node !== undefined) fail("EEXIST");
  demand(attributesOfParent(found), access.WRITE | access.EXECUTE);
}

export function makeDirectory(
  kernel: Kernel,
  dirfd: number,
  pathAddress: number,
  permissions: number,
): number {
  const found = nameAt(kernel, dirfd, pathAddress);
  demandFreeName(found);
  found.parent.createDirectory(found.name, permissions & 0o1777 & ~kernel.process.umask, guestOwner);
  return 0;
}

/** mknod(2): regular files and named pipes; devices need a privilege that no guest has (EPERM). */
export function makeNode(kernel: Kernel, dirfd: number, pathAddress: number, typeAndMode: number): number {
  const found = nameAt(kernel, dirfd, pathAddress);
  const type = typeAndMode & mode.TYPE;
  if (type !== 0 && type !== mode.FILE && type !== mode.PIPE)
    fail(type === mode.CHARACTER || type === 0o060000 ? "EPERM" : "EINVAL");
  if (found.mustBeDirectory && found.node === undefined) fail("ENOENT");
  demandFreeName(found);
  const permissions = typeAndMode & 0o7777 & ~kernel.process.umask;
  if (type === mode.PIPE) found.parent.createPipe(found.name, permissions, guestOwner);
  else found.parent.createFile(found.name, permissions, guestOwner);
  return 0;
}

/** symlinkat(2): (target, dirfd, path). The target is kept as bytes and is checked only when it is followed. */
export function makeLink(kernel: Kernel, targetAddress: number, dirfd: number, pathAddress: number): number {
  const target = readPath(kernel, targetAddress);
  if (target === "") fail("ENOENT");
  const found = nameAt(kernel, dirfd, pathAddress);
  if (found.mustBeDirectory && found.node === undefined) fail("ENOENT");
  demandFreeName(found);
  found.parent.createLink(found.name, target, guestOwner);
  return 0;
}

/** readlinkat(2): bytes written, no NUL; EINVAL when it is not a link. */
export function readLink(
  kernel: Kernel,
  dirfd: number,
  pathAddress: number,
  buffer: number,
  size: number,
): number {
  if (size <= 0) fail("EINVAL");
  const target = kernel.memory.slice(buffer, size);
  const node = existing(walkAt(kernel, dirfd, pathAddress, false));
  if (node.kind !== "link") fail("EINVAL");
  const bytes = fromLatin1(node.target).subarray(0, target.length);
  target.set(bytes);
  return bytes.length;
}

/** unlinkat(2): flags 0 or AT_REMOVEDIR. */
export function unlink(kernel: Kernel, dirfd: number, pathAddress: number, flags: number): number {
  if (flags & ~at.REMOVEDIR) fail("EINVAL");
  const path = readPath(kernel, pathAddress);
  const found = nameAt(kernel, dirfd, pathAddress);
  if (flags & at.REMOVEDIR) removeDirectory(kernel, found, path);
  else removeName(kernel, found);
  return 0;
}

export function rmdir(kernel: Kernel, pathAddress: number): number {
  return unlink(kernel, at.FDCWD, pathAddress, at.REMOVEDIR);
}

function removeName(kernel: Kernel, found: WalkResult): void {
  const node = existing(found);
  if (found.name === "" || (found.mustBeDirectory && node.kind === "directory")) fail("EISDIR");
  demandRemoval(attributesOfParent(found), node.attributes());
  if (node.kind === "directory") fail("EISDIR");
  demandNotMounted(kernel, node);
  found.parent.unlink(found.name);
}

function removeDirectory(kernel: Kernel, found: WalkResult, path: string): void {
  const node = found.node ?? fail("ENOENT");
  if (found.name === "")
    fail(/(^|\/)\.\/*$/.test(path) ? "EINVAL" : /(^|\/)\.\.\/*$/.test(path) ? "ENOTEMPTY" : "EBUSY");
  demandNotMounted(kernel, node);
  demandRemoval(attributesOfParent(found), node.attributes());
  if (node.kind !== "directory") fail("ENOTDIR");
  found.parent.removeDirectory(found.name);
}

function demandNotMounted(kernel: Kernel, node: Node): void {
  if (kernel.process.mounts.isMountPoint(node)) fail("EBUSY");
}

/** renameat(2): replaces the target atomically; the checks come in the order in which Linux makes them. */
export function rename(
  kernel: Kernel,
  fromFd: number,
  fromAddress: number,
  toFd: number,
  toAddress: number,
): number {
  const { mounts } = kernel.process;
  const from = nameAt(kernel, fromFd, fromAddress);
  const to = nameAt(kernel, toFd, toAddress);
  if (from.name === "" || to.name === "") fail("EBUSY");
  const node = existing(from);
  if (to.mustBeDirectory && node.kind !== "directory") fail("ENOTDIR");
  if (from.parent.fileSystem !== to.parent.fileSystem) fail("EXDEV");
  demandNotMounted(kernel, node);
  if (to.node) demandNotMounted(kernel, to.node);
  if (to.node === node) return 0;
  if (node.kind === "directory" && contains(kernel, node, to.parent)) fail("EINVAL");
  if (to.node?.kind === "directory" && contains(kernel, to.node, from.parent)) fail("ENOTEMPTY");
  demandRemoval(attributesOfParent(from), node.attributes());
  if (to.node) demandRemoval(attributesOfParent(to), to.node.attributes());
  else demand(attributesOfParent(to), access.WRITE | access.EXECUTE);
  if (node.kind === "directory") {
    if (to.node && to.node.kind !== "directory") fail("ENOTDIR");
    if (from.parent !== to.parent) demand(node.attributes(), access.WRITE);
  } else if (to.node?.kind === "directory") fail("EISDIR");
  if (mounts.enter(node) !== node) fail("EBUSY");
  from.parent.rename(from.name, to.parent, to.name);
  return 0;
}

/** Whether `directory` is `below` or one of the directories above it. */
function contains(kernel: Kernel, directory: DirectoryNode, below: DirectoryNode): boolean {
  if (directory.isAbove) return directory.isAbove(below);
  const { mounts } = kernel.process;
  let current: DirectoryNode | undefined = below;
  while (current !== undefined) {
    if (current === directory) return true;
    if (current === mounts.root) return false;
    current = mounts.parent(current);
  }
  return false;
}
