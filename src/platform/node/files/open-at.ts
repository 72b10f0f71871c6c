// openat(2) and its family for Node, which has none: on Linux, /proc/self/fd/N/name is one name in the directory that N has open,
// whatever became of its path, and /proc/self/fd/N alone is the very thing that N has open. Nothing here follows a link.
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
} from "node:fs";
import type { ByteString } from "../../../kernel/filesystem.ts";
import { fail } from "../../../kernel/kernel-error.ts";
import { attempt } from "./host-errors.ts";

/** O_PATH (Linux, include/uapi/asm-generic/fcntl.h; the same on each architecture that Node runs on). */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

/** A descriptor that stands for a place and opens nothing: devices and pipes do not notice. */
export const placeFlags = O_PATH | O_NOFOLLOW;
export const directoryFlags = O_PATH | O_NOFOLLOW | O_DIRECTORY;

/** What the descriptor has open, as a path that leads to nothing else. */
export function itself(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** One name in an open directory. Throws KernelError for what is no single name: it must never reach the system. */
export function nameIn(directoryFd: number, name: ByteString): string | Buffer {
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) fail("EINVAL");
  const path = `${itself(directoryFd)}/${name}`;
  // Text would be sent as UTF-8; a name is bytes.
  return /^[\x20-\x7e]*$/.test(name) ? path : Buffer.from(path, "latin1");
}

export function openAt(directoryFd: number, name: ByteString, flags: number, mode?: number): number {
  return attempt(() => openSync(nameIn(directoryFd, name), flags, mode));
}

export function statAt(directoryFd: number, name: ByteString): BigIntStats {
  return attempt(() => lstatSync(nameIn(directoryFd, name), { bigint: true }));
}

export function statOf(fd: number): BigIntStats {
  return attempt(() => fstatSync(fd, { bigint: true }));
}

export function targetAt(directoryFd: number, name: ByteString): ByteString {
  return attempt(() => readlinkSync(nameIn(directoryFd, name), "latin1"));
}

/** The path that leads to it now, as the system keeps it; " (deleted)" follows what was removed. ENAMETOOLONG beyond 4095 bytes. */
export function pathOf(fd: number): ByteString {
  return attempt(() => readlinkSync(itself(fd), "latin1"));
}

/** Does the work with a descriptor that is closed afterwards. */
export function withOpen<T>(fd: number, work: (fd: number) => T): T {
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

/** Which mount it was reached through (proc(5), fdinfo): another one even where the same disk is mounted twice. */
export function mountOf(fd: number): string {
  return attempt(() => {
    const text = Buffer.alloc(256);
    withOpen(openSync(`/proc/self/fdinfo/${fd}`, constants.O_RDONLY), (info) => readSync(info, text));
    return /^mnt_id:\t(\d+)$/m.exec(text.toString("latin1"))?.[1] ?? fail("EIO");
  });
}
