// open, close, dup, pipe, fcntl: making and sharing descriptors. Out-pointers are checked before anything is made.
import { access, fcntl, ioctl, open } from "../../abi/flags.ts";
import { DeviceFile } from "../character-file.ts";
import { DirectoryStream } from "../directory-stream.ts";
import type { FileAccess, FileNode, Node } from "../filesystem.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";
import type { OpenFile } from "../open-file.ts";
import { PathHandle } from "../path-handle.ts";
import { attributesOfParent, type WalkResult, walk, whileOvertaken } from "../path-walk.ts";
import { demand, guestOwner } from "../permissions.ts";
import { PipeBuffer, PipeEnd } from "../pipe.ts";
import { RegularFile } from "../regular-file.ts";
import { readPath, startDirectory } from "./arguments.ts";
import { setLock, testLock } from "./locks.ts";

/** Flags that F_GETFL shows and F_SETFL may change (fcntl(2)). */
const settableFlags = open.APPEND | open.NONBLOCK;

/** open(2): (dirfd, path, flags, varargs*) -> fd. The mode is read from varargs only when a file may be created. */
export function openAt(
  kernel: Kernel,
  dirfd: number,
  pathAddress: number,
  flags: number,
  varargs: number,
): number {
  const { process } = kernel;
  const path = readPath(kernel, pathAddress);
  if ((flags & open.TMPFILE) !== 0) fail("EOPNOTSUPP");
  if ((flags & open.ACCMODE) === open.ACCMODE) fail("EINVAL");
  const creates = (flags & open.CREAT) !== 0 && (flags & open.PATH) === 0;
  if (creates && flags & open.DIRECTORY) fail("EINVAL");
  const mode = creates ? kernel.memory.getU32(varargs) & 0o7777 & ~process.umask : 0;
  process.fds.reserve(1);
  const followLast = !(flags & open.NOFOLLOW) && !(creates && flags & open.EXCL);
  const options = { followLast, makesFile: creates };
  return whileOvertaken(() => {
    const found = walk(process.mounts, startDirectory(kernel, dirfd, path), path, options);
    const make = (): OpenFile =>
      found.node
        ? openExisting(kernel, found, found.node, flags, creates)
        : create(kernel, found, flags, creates, mode);
    return process.fds.open(make, (flags & open.CLOEXEC) !== 0);
  });
}

function create(kernel: Kernel, found: WalkResult, flags: number, creates: boolean, mode: number): OpenFile {
  if (!creates) fail("ENOENT");
  const { parent, name } = found;
  if (!parent.grantsCreation?.(name)) demand(attributesOfParent(found), access.WRITE | access.EXECUTE);
  // A new file may be opened in any way, whatever its mode says (open(2)).
  const opening = { ...accessOf(flags), exclusive: (flags & open.EXCL) !== 0 };
  return openFile(kernel, parent.createFile(name, mode, guestOwner, opening), flags);
}

function openExisting(
  kernel: Kernel,
  found: WalkResult,
  node: Node,
  flags: number,
  creates: boolean,
): OpenFile {
  if (creates && flags & open.EXCL) fail("EEXIST");
  if (found.mustBeDirectory && node.kind !== "directory") fail("ENOTDIR");
  if (flags & open.DIRECTORY && node.kind !== "directory") fail("ENOTDIR");
  if (flags & open.PATH) return new PathHandle(node, open.PATH, kernel.process.hostMemory);
  const accessMode = flags & open.ACCMODE;
  const wanted =
    (accessMode === open.WRONLY ? 0 : access.READ) |
    (accessMode === open.RDONLY && !(flags & open.TRUNC) ? 0 : access.WRITE);
  if (node.kind === "link") fail("ELOOP");
  if (node.kind === "directory" && (wanted & access.WRITE || creates)) fail("EISDIR");
  demand(node.attributes(), wanted);
  switch (node.kind) {
    case "directory":
      return new DirectoryStream(node, statusFlags(flags), {
        parentOf: (directory) => kernel.process.mounts.parent(directory),
        memory: kernel.process.hostMemory,
      });
    case "device":
      return new DeviceFile(node, statusFlags(flags));
    case "pipe": {
      const buffer = kernel.process.namedPipe(node);
      if (accessMode === open.WRONLY && buffer.readers === 0) fail("ENXIO");
      return new PipeEnd(buffer, statusFlags(flags), { node, ino: 0, madeNs: 0n });
    }
    case "file":
      return openFile(kernel, node, flags);
  }
}

function openFile(kernel: Kernel, node: FileNode, flags: number): RegularFile {
  const handle = node.open(accessOf(flags));
  try {
    return new RegularFile(node, handle, statusFlags(flags), kernel.process.hostMemory);
  } catch (error) {
    handle.close();
    throw error;
  }
}

function accessOf(flags: number): FileAccess {
  const accessMode = flags & open.ACCMODE;
  return {
    read: accessMode !== open.WRONLY,
    write: accessMode !== open.RDONLY,
    append: (flags & open.APPEND) !== 0,
    truncate: (flags & open.TRUNC) !== 0,
  };
}

function statusFlags(flags: number): number {
  return flags & (open.ACCMODE | settableFlags);
}

/** fd_close: positive errno. */
export function close(kernel: Kernel, fd: number): number {
  kernel.process.fds.close(fd);
  return 0;
}

export function dup(kernel: Kernel, fd: number): number {
  const { fds } = kernel.process;
  return fds.share(fds.get(fd), false);
}

/** dup3(2): EINVAL when both are the same or a flag is unknown. */
export function dup3(kernel: Kernel, from: number, to: number, flags: number): number {
  const { fds } = kernel.process;
  if (from === to || flags & ~open.CLOEXEC) fail("EINVAL");
  fds.replace(to, fds.get(from), (flags & open.CLOEXEC) !== 0);
  return to;
}

/** pipe(2): (int[2]) -> 0. */
export function pipe(kernel: Kernel, target: number): number {
  const { process, memory } = kernel;
  memory.check(target, 8);
  process.fds.reserve(2);
  const buffer = new PipeBuffer(process.hostMemory);
  const place = { ino: process.anonymousIno(), madeNs: process.clocks.wallNs() };
  const reader = process.fds.open(() => new PipeEnd(buffer, open.RDONLY, place), false);
  const writer = process.fds.open(() => new PipeEnd(buffer, open.WRONLY, place), false);
  memory.setI32(target, reader);
  memory.setI32(target + 4, writer);
  return 0;
}

/** fcntl(2): (fd, command, varargs*). */
export function fcntl64(kernel: Kernel, fd: number, command: number, varargs: number): number {
  const { process, memory } = kernel;
  const file = process.fds.get(fd);
  const argument = (): number => memory.getI32(varargs);
  switch (command) {
    case fcntl.DUPFD:
    case fcntl.DUPFD_CLOEXEC:
      return process.fds.share(file, command === fcntl.DUPFD_CLOEXEC, argument());
    case fcntl.GETFD:
      return process.fds.closeOnExec(fd) ? fcntl.FD_CLOEXEC : 0;
    case fcntl.SETFD:
      process.fds.setCloseOnExec(fd, (argument() & fcntl.FD_CLOEXEC) !== 0);
      return 0;
    case fcntl.GETFL:
      return file.flags;
    case fcntl.SETFL:
      if (file.flags & open.PATH) fail("EBADF");
      file.changeFlags((file.flags & ~settableFlags) | (argument() & settableFlags));
      return 0;
    case fcntl.GETLK:
      return testLock(kernel, file, memory.getU32(varargs));
    case fcntl.SETLK:
    case fcntl.SETLKW:
      return setLock(kernel, file, memory.getU32(varargs), command === fcntl.SETLKW);
    default:
      return fail("EINVAL");
  }
}

/** ioctl(2): (fd, request, varargs*). No descriptor is a terminal. */
export function control(kernel: Kernel, fd: number, request: number, varargs: number): number {
  const { process, memory } = kernel;
  const file = process.fds.get(fd);
  switch (request) {
    case ioctl.FIONREAD: {
      const target = memory.check(memory.getU32(varargs), 4);
      memory.setI32(target, Math.min(file.available(), 0x7fffffff));
      return 0;
    }
    case ioctl.FIONBIO: {
      const enabled = memory.getI32(memory.getU32(varargs)) !== 0;
      file.flags = enabled ? file.flags | open.NONBLOCK : file.flags & ~open.NONBLOCK;
      return 0;
    }
    case ioctl.FIOCLEX:
    case ioctl.FIONCLEX:
      process.fds.setCloseOnExec(fd, request === ioctl.FIOCLEX);
      return 0;
    default:
      return fail("ENOTTY");
  }
}
