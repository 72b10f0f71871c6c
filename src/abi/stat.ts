// struct stat, struct statfs and dirent64 as musl lays them out on wasm32 (Emscripten bits/stat.h, bits/statfs.h, dirent.h).
import type { GuestMemory } from "./guest-memory.ts";

export const statBytes = 96;
export const statfsBytes = 88;
/** Bytes of a dirent64 before its name. */
export const direntHeaderBytes = 19;

export interface StatFields {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Bytes. */
  readonly size: number;
  /** 512-byte blocks really held. */
  readonly blocks: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export function writeStat(memory: GuestMemory, address: number, stat: StatFields): void {
  const at = memory.check(address, statBytes);
  const view = memory.view;
  view.setUint32(at, stat.dev, true);
  view.setUint32(at + 4, stat.mode, true);
  view.setUint32(at + 8, stat.nlink, true);
  view.setUint32(at + 12, stat.uid, true);
  view.setUint32(at + 16, stat.gid, true);
  view.setUint32(at + 20, stat.rdev, true);
  view.setBigInt64(at + 24, BigInt(stat.size), true);
  view.setInt32(at + 32, 4096, true);
  view.setInt32(at + 36, Math.min(stat.blocks, 0x7fffffff), true);
  writeTimespec(view, at + 40, stat.atimeNs);
  writeTimespec(view, at + 56, stat.mtimeNs);
  writeTimespec(view, at + 72, stat.ctimeNs);
  view.setBigInt64(at + 88, BigInt(stat.ino), true);
}

/** struct timespec, 16 bytes: seconds i64 (floored), nanoseconds i32, padding. */
function writeTimespec(view: DataView, at: number, ns: bigint): void {
  let seconds = ns / 1_000_000_000n;
  let rest = ns % 1_000_000_000n;
  if (rest < 0n) {
    seconds -= 1n;
    rest += 1_000_000_000n;
  }
  view.setBigInt64(at, seconds, true);
  view.setInt32(at + 8, Number(rest), true);
  view.setInt32(at + 12, 0, true);
}

interface StatfsFields {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
  readonly maxNameBytes: number;
  /** ST_RDONLY is 1. */
  readonly flags: number;
}

export function writeStatfs(memory: GuestMemory, address: number, fields: StatfsFields): void {
  const at = memory.check(address, statfsBytes);
  memory.bytes.fill(0, at, at + statfsBytes);
  const view = memory.view;
  view.setUint32(at + 4, fields.blockBytes, true);
  view.setBigUint64(at + 8, BigInt(fields.blocks), true);
  view.setBigUint64(at + 16, BigInt(fields.freeBlocks), true);
  view.setBigUint64(at + 24, BigInt(fields.freeBlocks), true);
  view.setBigUint64(at + 32, BigInt(fields.files), true);
  view.setBigUint64(at + 40, BigInt(fields.freeFiles), true);
  view.setUint32(at + 56, fields.maxNameBytes, true);
  view.setUint32(at + 60, fields.blockBytes, true);
  view.setUint32(at + 64, fields.flags, true);
}
