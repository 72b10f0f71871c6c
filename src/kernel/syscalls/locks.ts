// Record locks of fcntl(2): struct flock read and written. Who holds what is known where files are shared between sandboxes; a process
// never conflicts with itself, so what only this one can reach is not asked about.
import { fcntl, maxOffset, open, whence } from "../../abi/flags.ts";
import type { HeldLock, LockRequest } from "../filesystem.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";
import type { OpenFile } from "../open-file.ts";

/** struct flock of musl for wasm32: l_type i16, l_whence i16, l_start i64, l_len i64, l_pid i32. */
const flock = { type: 0, whence: 2, start: 8, length: 16, pid: 24, bytes: 32 } as const;

/** Of whoever holds a lock: as Linux shows processes that are outside of one's pid namespace. */
const unknownPid = 0;

/** Between two looks at a lock that somebody else holds. */
const pollMs = { first: 1, longest: 20 } as const;

const kinds = new Map<number, LockRequest["kind"]>([
  [fcntl.RDLCK, "read"],
  [fcntl.WRLCK, "write"],
  [fcntl.UNLCK, "none"],
]);

/** F_SETLK, F_SETLKW: EAGAIN where somebody else's lock is in the way; waiting ends with EINTR when the guest has a signal. */
export function setLock(kernel: Kernel, file: OpenFile, address: number, waits: boolean): number {
  const lock = kernel.memory.check(address, flock.bytes);
  if (file.flags & open.PATH) fail("EBADF");
  const kind = kinds.get(kernel.memory.getU16(lock + flock.type)) ?? fail("EINVAL");
  const range = readRange(kernel, file, lock);
  const accessMode = file.flags & open.ACCMODE;
  if (kind === "read" && accessMode === open.WRONLY) fail("EBADF");
  if (kind === "write" && accessMode === open.RDONLY) fail("EBADF");
  const request: LockRequest = { act: "set", kind, ...range, waits };
  for (let waitMs: number = pollMs.first; ; waitMs = Math.min(2 * waitMs, pollMs.longest)) {
    if (file.lock(request) === undefined) return 0;
    if (!waits) fail("EAGAIN");
    if (!kernel.process.clocks.waitMs(waitMs)) fail("EINTR");
  }
}

/** F_GETLK: the lock that is in the way, or F_UNLCK in l_type and the rest as it was. */
export function testLock(kernel: Kernel, file: OpenFile, address: number): number {
  const { memory } = kernel;
  const lock = memory.check(address, flock.bytes);
  if (file.flags & open.PATH) fail("EBADF");
  const kind = kinds.get(memory.getU16(lock + flock.type));
  if (kind === undefined || kind === "none") fail("EINVAL");
  const request: LockRequest = { act: "test", kind, ...readRange(kernel, file, lock), waits: false };
  const held = file.lock(request);
  if (held === undefined) memory.setU16(lock + flock.type, fcntl.UNLCK);
  else writeHeld(kernel, lock, held);
  return 0;
}

function writeHeld({ memory }: Kernel, lock: number, { kind, first, last }: HeldLock): void {
  memory.setU16(lock + flock.type, kind === "read" ? fcntl.RDLCK : fcntl.WRLCK);
  memory.setU16(lock + flock.whence, whence.SET);
  memory.setI64(lock + flock.start, first);
  memory.setI64(lock + flock.length, last === maxOffset ? 0n : last - first + 1n);
  memory.setI32(lock + flock.pid, unknownPid);
}

/** As flock64_to_posix_lock of Linux (fs/locks.c): all of it fits into 63 bits, or EINVAL below and EOVERFLOW above. */
function readRange({ memory }: Kernel, file: OpenFile, lock: number): { first: bigint; last: bigint } {
  const start = memory.getI64(lock + flock.start);
  const length = memory.getI64(lock + flock.length);
  const from = origin(file, memory.getU16(lock + flock.whence)) + start;
  if (from > maxOffset) fail("EOVERFLOW");
  if (from < 0n) fail("EINVAL");
  if (length === 0n) return { first: from, last: maxOffset };
  if (length < 0n) return from + length < 0n ? fail("EINVAL") : { first: from + length, last: from - 1n };
  const last = from + length - 1n;
  return last > maxOffset ? fail("EOVERFLOW") : { first: from, last };
}

function origin(file: OpenFile, from: number): bigint {
  switch (from) {
    case whence.SET:
      return 0n;
    case whence.CUR:
      return BigInt(file.lockOrigin("position"));
    case whence.END:
      return BigInt(file.lockOrigin("end"));
    default:
      return fail("EINVAL");
  }
}
