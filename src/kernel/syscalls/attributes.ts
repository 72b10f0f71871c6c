// stat, statfs, access, chmod, chown, utimens, truncate, cwd and umask.
import { access, at, mode, utime } from "../../abi/flags.ts";
import { fromLatin1 } from "../../abi/guest-memory.ts";
import { maxNameBytes } from "../../abi/limits.ts";
import { type StatFields, statBytes, statfsBytes, writeStat, writeStatfs } from "../../abi/stat.ts";
import type { Attributes, FileSystem, Node } from "../filesystem.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";
import { pathOf, whileOvertaken } from "../path-walk.ts";
import { demand, demandOwnership, guestOwner, permits } from "../permissions.ts";
import { nodeAt, offset } from "./arguments.ts";

function statOf(kernel: Kernel, attributes: Attributes, fileSystem: FileSystem | undefined): StatFields {
  return { ...attributes, dev: fileSystem ? kernel.process.mounts.deviceNumber(fileSystem) : 0 };
}

/** newfstatat(2): (dirfd, path, stat*, flags). */
export function statAt(
  kernel: Kernel,
  dirfd: number,
  pathAddress: number,
  target: number,
  flags: number,
): number {
  kernel.memory.check(target, statBytes);
  const node = nodeAt(kernel, dirfd, pathAddress, flags);
  writeStat(kernel.memory, target, statOf(kernel, node.attributes(), node.fileSystem));
  return 0;
}

export function stat(kernel: Kernel, pathAddress: number, target: number): number {
  return statAt(kernel, at.FDCWD, pathAddress, target, 0);
}

export function lstat(kernel: Kernel, pathAddress: number, target: number): number {
  return statAt(kernel, at.FDCWD, pathAddress, target, at.SYMLINK_NOFOLLOW);
}

export function fstat(kernel: Kernel, fd: number, target: number): number {
  kernel.memory.check(target, statBytes);
  const file = kernel.process.fds.get(fd);
  writeStat(kernel.memory, target, statOf(kernel, file.attributes(), file.node?.fileSystem));
  return 0;
}

/** statfs(2): (path, 88, statfs*). */
export function statfs(kernel: Kernel, pathAddress: number, size: number, target: number): number {
  demandStatfsSize(kernel, size, target);
  return writeUsage(kernel, nodeAt(kernel, at.FDCWD, pathAddress, 0), target);
}

export function fstatfs(kernel: Kernel, fd: number, size: number, target: number): number {
  demandStatfsSize(kernel, size, target);
  return writeUsage(kernel, kernel.process.fds.get(fd).node ?? fail("ENOSYS"), target);
}

function demandStatfsSize(kernel: Kernel, size: number, target: number): void {
  if (size !== statfsBytes) fail("EINVAL");
  kernel.memory.check(target, statfsBytes);
}

function writeUsage(kernel: Kernel, node: Node, target: number): number {
  const { readOnly, blocks, ...usage } = node.fileSystem.usage();
  // Programs divide by the size of a disk.
  const size = { blocks: Math.max(blocks, 1) };
  writeStatfs(kernel.memory, target, { ...usage, ...size, maxNameBytes, flags: readOnly ? 1 : 0 });
  return 0;
}

/** faccessat(2): real and effective identity are the same, so AT_EACCESS changes nothing. */
export function accessAt(
  kernel: Kernel,
  dirfd: number,
  pathAddress: number,
  wanted: number,
  flags: number,
): number {
  if (wanted & ~7) fail("EINVAL");
  const node = nodeAt(kernel, dirfd, pathAddress, flags & ~at.EACCESS);
  if (!permits(node.attributes(), wanted)) fail("EACCES");
  if (
    wanted & access.WRITE &&
    (node.kind === "file" || node.kind === "directory") &&
    node.fileSystem.usage().readOnly
  )
    fail("EROFS");
  return 0;
}

function chmodNode(node: Node, permissions: number): number {
  demandOwnership(node.attributes());
  // Linux refuses to change the mode of a link itself.
  if (node.kind === "link") fail("EOPNOTSUPP");
  node.setAttributes({ mode: permissions & mode.PERMISSIONS });
  return 0;
}

export function chmod(kernel: Kernel, pathAddress: number, permissions: number): number {
  return chmodNode(nodeAt(kernel, at.FDCWD, pathAddress, 0), permissions);
}

/** fchmodat2(2): flags may hold AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. */
export function chmodAt(
  kernel: Kernel,
  dirfd: number,
  pathAddress: number,
  permissions: number,
  flags: number,
): number {
  return chmodNode(nodeAt(kernel, dirfd, pathAddress, flags), permissions);
}

export function fchmod(kernel: Kernel, fd: number, permissions: number): number {
  return chmodNode(kernel.process.fds.get(fd).node ?? fail("EINVAL"), permissions);
}

/** chown(2): the guest may only confirm what is: -1 or its own numbers. */
function chownNode(node: Node, uid: number, gid: number): number {
  demandOwnership(node.attributes());
  if ((uid !== -1 && uid !== guestOwner.uid) || (gid !== -1 && gid !== guestOwner.gid)) fail("EPERM");
  node.setAttributes({});
  return 0;
}

export function chownAt(
  kernel: Kernel,
  dirfd: number,
  pathAddress: number,
  uid: number,
  gid: number,
  flags: number,
): number {
  return chownNode(nodeAt(kernel, dirfd, pathAddress, flags), uid, gid);
}

export function fchown(kernel: Kernel, fd: number, uid: number, gid: number): number {
  return chownNode(kernel.process.fds.get(fd).node ?? fail("EINVAL"), uid, gid);
}

/** utimensat(2): (dirfd, path|0, timespec[2]|0, flags); without a path it is futimens(3). */
export function utimensAt(
  kernel: Kernel,
  dirfd: number,
  pathAddress: number,
  times: number,
  flags: number,
): number {
  const { memory, process } = kernel;
  const now = process.clocks.wallNs();
  const read = (address: number): bigint | undefined => {
    const nanoseconds = memory.getI32(address + 8);
    if (nanoseconds === utime.NOW) return now;
    if (nanoseconds === utime.OMIT) return undefined;
    if (nanoseconds < 0 || nanoseconds > 999_999_999) fail("EINVAL");
    return memory.getI64(address) * 1_000_000_000n + BigInt(nanoseconds);
  };
  if (times !== 0) memory.check(times, 32);
  const atimeNs = times === 0 ? now : read(times);
  const mtimeNs = times === 0 ? now : read(times + 16);
  if (atimeNs === undefined && mtimeNs === undefined) return 0;
  for (const ns of [atimeNs, mtimeNs]) if (ns !== undefined && BigInt.asIntN(80, ns) !== ns) fail("EINVAL");
  const node =
    pathAddress === 0
      ? (process.fds.get(dirfd).node ?? fail("EBADF"))
      : nodeAt(kernel, dirfd, pathAddress, flags);
  // Setting to the present needs write permission or ownership; any other time needs ownership.
  const attributes = node.attributes();
  const present =
    times === 0 || (memory.getI32(times + 8) === utime.NOW && memory.getI32(times + 24) === utime.NOW);
  if (!present) demandOwnership(attributes);
  else if (attributes.uid !== guestOwner.uid) demand(attributes, access.WRITE);
  node.setAttributes({
    ...(atimeNs !== undefined && { atimeNs }),
    ...(mtimeNs !== undefined && { mtimeNs }),
  });
  return 0;
}

export function truncate(kernel: Kernel, pathAddress: number, length: bigint): number {
  const size = offset(length);
  return whileOvertaken(() => {
    const node = nodeAt(kernel, at.FDCWD, pathAddress, 0);
    if (node.kind === "directory") fail("EISDIR");
    if (node.kind !== "file") fail("EINVAL");
    demand(node.attributes(), access.WRITE);
    node.truncate(size);
    return 0;
  });
}

export function chdir(kernel: Kernel, pathAddress: number): number {
  return enter(kernel, nodeAt(kernel, at.FDCWD, pathAddress, 0));
}

export function fchdir(kernel: Kernel, fd: number): number {
  return enter(kernel, kernel.process.fds.get(fd).node ?? fail("ENOTDIR"));
}

function enter(kernel: Kernel, node: Node): number {
  if (node.kind !== "directory") fail("ENOTDIR");
  demand(node.attributes(), access.EXECUTE);
  kernel.process.cwd = node;
  return 0;
}

/** getcwd(2): length with the NUL; EINVAL for size 0, ERANGE when it does not fit, ENOENT when the directory is gone. */
export function getCwd(kernel: Kernel, buffer: number, size: number): number {
  if (size === 0) fail("EINVAL");
  const target = kernel.memory.slice(buffer, size);
  const path = fromLatin1(`${pathOf(kernel.process.mounts, kernel.process.cwd)}\0`);
  if (path.length > target.length) fail("ERANGE");
  target.set(path);
  return path.length;
}

export function umask(kernel: Kernel, mask: number): number {
  const previous = kernel.process.umask;
  kernel.process.umask = mask & 0o777;
  return previous;
}
