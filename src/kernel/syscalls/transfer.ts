// Moving bytes: read, write and their positioned and vectored forms, seek, sync, truncate by descriptor, listing.
// Vectors are checked whole, and their sum is capped, before the first byte moves.
import { open } from "../../abi/flags.ts";
import { direntHeaderBytes } from "../../abi/stat.ts";
import { DirectoryStream } from "../directory-stream.ts";
import type { Node } from "../filesystem.ts";
import type { Kernel } from "../kernel.ts";
import { fail, KernelError } from "../kernel-error.ts";
import type { OpenFile } from "../open-file.ts";
import { fileAt, offset } from "./arguments.ts";
import { bytesPerUnit } from "./pieces.ts";

/** IOV_MAX of Linux (readv(2)). */
const maxVectors = 1024;
/**
 * The most that one call moves; a longer transfer is short, as read(2) allows (Linux does the same at 2 GiB). The host cannot be
 * interrupted while it copies: this is a few milliseconds. Also bounds vectors that cover the same memory again and again.
 */
const maxTransferBytes = 16 * 2 ** 20;

/** The vectors as views, without the empty ones. Nothing in here re-enters the guest, so the views stay attached for the whole call. */
function vectors(kernel: Kernel, address: number, count: number): Uint8Array[] {
  if (count < 0 || count > maxVectors) fail("EINVAL");
  if (count === 0) return [];
  const { memory } = kernel;
  const start = memory.check(address, count * 8);
  const views: Uint8Array[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const length = memory.view.getUint32(start + i * 8 + 4, true);
    const from = memory.view.getUint32(start + i * 8, true);
    const view = memory.slice(from, length).subarray(0, maxTransferBytes - total);
    total += view.length;
    if (view.length > 0) views.push(view);
  }
  return views;
}

/** Runs one transfer per vector until one is short. An error after progress is reported as that progress (read(2)). */
function transfer(
  kernel: Kernel,
  views: readonly Uint8Array[],
  move: (view: Uint8Array, done: number) => number,
): number {
  let done = 0;
  for (const view of views) {
    let moved: number;
    try {
      moved = move(view, done);
    } catch (error) {
      if (done > 0 && error instanceof KernelError) return done;
      throw error;
    }
    done += moved;
    kernel.charge(Math.floor(moved / bytesPerUnit));
    if (moved < view.length) break;
  }
  return done;
}

interface Direction {
  readonly here: (file: OpenFile, view: Uint8Array) => number;
  readonly there: (file: OpenFile, view: Uint8Array, position: number) => number;
}
const reading: Direction = {
  here: (file, view) => file.read(view),
  there: (file, view, at) => file.readAt(view, at),
};
const writing: Direction = {
  here: (file, view) => file.write(view),
  there: (file, view, at) => file.writeAt(view, at),
};
const nothing = new Uint8Array(0);

function atCursor(
  kernel: Kernel,
  direction: Direction,
  fd: number,
  iovs: number,
  count: number,
  done: number,
): number {
  kernel.memory.check(done, 4);
  const file = fileAt(kernel, fd);
  const views = vectors(kernel, iovs, count);
  // An empty transfer still tells whether the descriptor allows it.
  const moved =
    views.length === 0
      ? direction.here(file, nothing)
      : transfer(kernel, views, (view) => direction.here(file, view));
  kernel.memory.setU32(done, moved);
  return 0;
}

function atPosition(
  kernel: Kernel,
  direction: Direction,
  fd: number,
  iovs: number,
  count: number,
  position: bigint,
  done: number,
): number {
  kernel.memory.check(done, 4);
  const start = offset(position);
  const file = fileAt(kernel, fd);
  const views = vectors(kernel, iovs, count);
  const moved =
    views.length === 0
      ? direction.there(file, nothing, start)
      : transfer(kernel, views, (view, already) => direction.there(file, view, start + already));
  kernel.memory.setU32(done, moved);
  return 0;
}

export function read(kernel: Kernel, fd: number, iovs: number, count: number, done: number): number {
  return atCursor(kernel, reading, fd, iovs, count, done);
}
export function write(kernel: Kernel, fd: number, iovs: number, count: number, done: number): number {
  return atCursor(kernel, writing, fd, iovs, count, done);
}
export function readAt(
  kernel: Kernel,
  fd: number,
  iovs: number,
  count: number,
  at: bigint,
  done: number,
): number {
  return atPosition(kernel, reading, fd, iovs, count, at, done);
}
export function writeAt(
  kernel: Kernel,
  fd: number,
  iovs: number,
  count: number,
  at: bigint,
  done: number,
): number {
  return atPosition(kernel, writing, fd, iovs, count, at, done);
}

export function seek(kernel: Kernel, fd: number, distance: bigint, whence: number, target: number): number {
  kernel.memory.check(target, 8);
  const position = fileAt(kernel, fd).seek(distance, whence);
  kernel.memory.setI64(target, BigInt(position));
  return 0;
}

export function sync(kernel: Kernel, fd: number): number {
  fileAt(kernel, fd).sync();
  return 0;
}

export function truncateOpen(kernel: Kernel, fd: number, length: bigint): number {
  fileAt(kernel, fd).truncate(offset(length));
  return 0;
}

/** fallocate(2) with mode 0 only: (fd, mode, offset, length). */
export function allocate(kernel: Kernel, fd: number, how: number, from: bigint, length: bigint): number {
  const file = fileAt(kernel, fd);
  if (how !== 0) fail("ENOTSUP");
  if (length <= 0n) fail("EINVAL");
  file.allocate(offset(from + length - (from < 0n ? fail("EINVAL") : 0n)));
  return 0;
}

/** posix_fadvise(2): advice is accepted and not needed. ESPIPE for what cannot seek. */
export function advise(kernel: Kernel, fd: number): number {
  const file = fileAt(kernel, fd);
  if (file.node === undefined || file.node.kind === "pipe") fail("ESPIPE");
  return 0;
}

/** fd_fdstat_get: 24 bytes. libc's isatty() reads the file type from here. */
export function describe(kernel: Kernel, fd: number, target: number): number {
  const { memory } = kernel;
  const start = memory.check(target, 24);
  const file = kernel.process.fds.get(fd);
  memory.bytes.fill(0, start, start + 24);
  memory.setU8(start, file.fileType);
  // __wasi_fdflags_t: APPEND 1, NONBLOCK 4.
  memory.setU16(start + 2, (file.flags & open.APPEND ? 1 : 0) | (file.flags & open.NONBLOCK ? 4 : 0));
  return 0;
}

/** d_type by node (dirent.h). */
const direntType: Readonly<Record<Node["kind"], number>> = {
  pipe: 1,
  device: 2,
  directory: 4,
  file: 8,
  link: 10,
};

/** However large the guest's buffer is, one call lists no more than this: the time in one call stays small. */
const maxListingBytes = 65_536;

/** getdents64(2): as many whole records as fit; 0 at the end; EINVAL when not even one fits. */
export function listDirectory(kernel: Kernel, fd: number, buffer: number, size: number): number {
  const { memory } = kernel;
  const target = memory.slice(buffer, size).subarray(0, maxListingBytes);
  const stream = fileAt(kernel, fd);
  if (!(stream instanceof DirectoryStream)) fail("ENOTDIR");
  const view = new DataView(target.buffer, target.byteOffset, target.length);
  let used = 0;
  for (let entry = stream.next(); entry !== undefined; entry = stream.next()) {
    const record = (direntHeaderBytes + entry.name.length + 1 + 7) & ~7;
    if (used + record > target.length) {
      if (used === 0) fail("EINVAL");
      break;
    }
    stream.advance(entry);
    target.fill(0, used, used + record);
    view.setBigUint64(used, BigInt(entry.ino), true);
    view.setBigInt64(used + 8, BigInt(entry.position), true);
    view.setUint16(used + 16, record, true);
    target[used + 18] = direntType[entry.kind];
    for (let i = 0; i < entry.name.length; i++)
      target[used + direntHeaderBytes + i] = entry.name.charCodeAt(i);
    used += record;
  }
  return used;
}
