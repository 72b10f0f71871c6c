// An open file in a granted folder. Growth is charged before it is written, on the safe side; what the host refuses is thrown at once,
// so nothing is kept back here that the guest was told is written.
import {
  type BigIntStats,
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  readSync,
  writeSync,
} from "node:fs";
import type { Allowance } from "../../../filesystems/allowance.ts";
import { type ReadAheadFile, readsAhead } from "../../../filesystems/first-look.ts";
import { type LockableFile, lockIdentity } from "../../../filesystems/lock-identity.ts";
import type { TreeChange, TreeEntry } from "../../../filesystems/tree.ts";
import { fail } from "../../../kernel/kernel-error.ts";
import { hostFileIdentity } from "./file-identity.ts";
import type { FolderEntries } from "./folder-entries.ts";
import { attempt } from "./host-errors.ts";
import { statOf } from "./open-at.ts";

/** Read without asking how much there is. */
const shortBytes = 65_536;

interface HostTreeFileOptions {
  readonly appends: boolean;
  readonly changeable: boolean;
  readonly growth: Allowance;
  readonly entries: FolderEntries;
}

export class HostTreeFile implements ReadAheadFile, LockableFile {
  readonly [readsAhead] = true;
  readonly #fd: number;
  readonly #options: HostTreeFileOptions;
  #identity: string | undefined;
  #isClosed = false;

  /** The descriptor becomes the file's own. It permits what the file was opened for, and the host enforces that. */
  constructor(fd: number, options: HostTreeFileOptions) {
    this.#fd = fd;
    this.#options = options;
  }

  stat(): TreeEntry {
    return this.#options.entries.entry(statOf(this.#fd));
  }

  read(position: number, length: number): Uint8Array {
    // No more room than there is content: a length is the guest's word.
    const isShort = length <= shortBytes;
    const content = isShort ? length : attempt(() => fstatSync(this.#fd).size) - position;
    const target = new Uint8Array(Math.max(0, Math.min(length, content)));
    let done = 0;
    while (done < target.length) {
      const count = attempt(() => readSync(this.#fd, target, done, target.length - done, position + done));
      if (count === 0) break;
      done += count;
    }
    return target.subarray(0, done);
  }

  write(position: number, bytes: Uint8Array): number {
    if (bytes.length === 0) return 0;
    const before = attempt(() => fstatSync(this.#fd));
    const start = this.#options.appends ? before.size : position;
    // What is written into a hole takes room on the disk although the file grows no longer.
    const hasHoles = before.blocks * 512 < before.size;
    const cost = (length: number): number => {
      const growth = Math.max(0, start + length - before.size);
      return hasHoles ? Math.max(length, growth) : growth;
    };
    const whole = cost(bytes.length);
    const taken = this.#options.growth.take(whole, Math.min(whole, whole - bytes.length + 1));
    if (taken === undefined) fail("EDQUOT");
    let written = 0;
    try {
      const part = bytes.subarray(0, bytes.length - (whole - taken));
      written = attempt(() => writeSync(this.#fd, part, 0, part.length, position));
    } finally {
      this.#options.growth.giveBack(taken - (written === 0 ? 0 : cost(written)));
    }
    return written;
  }

  truncate(size: number): void {
    const growth = Math.max(0, size - attempt(() => fstatSync(this.#fd).size));
    if (this.#options.growth.take(growth) === undefined) fail("EDQUOT");
    try {
      attempt(() => ftruncateSync(this.#fd, size));
    } catch (error) {
      this.#options.growth.giveBack(growth);
      throw error;
    }
  }

  sync(): void {
    attempt(() => fsyncSync(this.#fd));
  }

  change(change: TreeChange): void {
    if (!this.#options.changeable) fail("EPERM");
    const stats = statOf(this.#fd);
    if (change.mode !== undefined) {
      if (isPrivileged(stats)) fail("EPERM");
      const mode = change.mode & 0o777;
      attempt(() => fchmodSync(this.#fd, mode));
    }
    const times = newTimes(change, stats);
    if (times) attempt(() => futimesSync(this.#fd, ...times));
  }

  [lockIdentity](): string | undefined {
    // The number of a descriptor that was closed may be another file's by now.
    if (!this.#isClosed) this.#identity ??= hostFileIdentity(this.#fd);
    return this.#identity;
  }

  close(): void {
    this.#isClosed = true;
    attempt(() => closeSync(this.#fd));
  }
}

/** A program that runs with its owner's rights: whoever could change it would get them. */
export function isPrivileged(stats: BigIntStats): boolean {
  return stats.isFile() && (Number(stats.mode) & 0o6000) !== 0;
}

/** Seconds, to the microsecond, which is what Node keeps. Undefined when no time changes. */
export function newTimes(change: TreeChange, stats: BigIntStats): [string, string] | undefined {
  const { accessedNs, modifiedNs } = change;
  if (accessedNs === undefined && modifiedNs === undefined) return undefined;
  return [secondsOf(accessedNs ?? stats.atimeNs), secondsOf(modifiedNs ?? stats.mtimeNs)];
}

/**
 * Node 20 and 22 cut off what is below a microsecond (uv__fs_to_timespec of libuv), later ones keep it: the number nearest to the time that
 * does not lie below it. As text, since Node takes a negative number for "now".
 */
function secondsOf(timeNs: bigint): string {
  const microseconds = timeNs / 1000n;
  const whole = Number(microseconds / 1_000_000n);
  const rest = Number(microseconds % 1_000_000n);
  let seconds = whole + rest / 1e6;
  while (Math.abs(Math.trunc((seconds - whole) * 1e9)) < Math.abs(rest) * 1000) seconds *= 1 + Number.EPSILON;
  return String(seconds);
}
