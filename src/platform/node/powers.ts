// Node's clock, hashing and inflating, as the powers that the core asks for.
import { inspect } from "node:util";
import { crc32, inflateRawSync } from "node:zlib";
import type { MemoryPower } from "../../interpreter/snapshot.ts";
import type { ClockPower } from "../../kernel/powers.ts";
import { nodeCrypto } from "./late-modules.ts";

const neverWoken = new Int32Array(new SharedArrayBuffer(4));

export const nodeClock: ClockPower = {
  wallNs: () => BigInt(Date.now()) * 1_000_000n,
  monotonicNs: () => process.hrtime.bigint(),
  sleepMs: (milliseconds) => {
    Atomics.wait(neverWoken, 0, 0, milliseconds);
    return undefined;
  },
};

/** Lower-case hexadecimal SHA-256. */
export function sha256(...parts: readonly Uint8Array[]): string {
  const hash = nodeCrypto().createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** CRC-32, going on from that of what stands before: tells damage and mistakes, not what somebody made to deceive. */
export function checksum(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}

export function inflateRaw(compressed: Uint8Array, sizeBytes: number): Uint8Array {
  return inflateRawSync(compressed, { maxOutputLength: Math.max(1, sizeBytes) });
}

const zeros = new Uint8Array(64);
const largePieceBytes = 1 << 20;
const smallPieceBytes = 1 << 16;

/** Both are one call of the system's memcpy(3) or memcmp(3) per piece. */
export const nodeMemory: MemoryPower = {
  // A TypedArray's set() copies shared memory word by word, which takes twice as long (V8's Relaxed_Memmove).
  copy: (target, source) => {
    if (source.length > 0) Buffer.from(target.buffer, target.byteOffset, source.length).fill(source);
  },
  // Comparing reads the system's one shared zero page where nothing was written.
  clear: (gap) => {
    for (let at = 0; at < gap.length; at += largePieceBytes) {
      const piece = gap.subarray(at, at + largePieceBytes);
      if (!isZero(piece)) clearPieces(piece);
    }
  },
};

function clearPieces(large: Uint8Array): void {
  for (let at = 0; at < large.length; at += smallPieceBytes) {
    const piece = large.subarray(at, at + smallPieceBytes);
    if (!isZero(piece)) piece.fill(0);
  }
}

/** Compares the bytes with those a little further on: half as much to read as comparing them with zeros. */
function isZero(bytes: Uint8Array): boolean {
  const head = Math.min(bytes.length, zeros.length);
  if (Buffer.compare(bytes.subarray(0, head), zeros.subarray(0, head)) !== 0) return false;
  return Buffer.compare(bytes.subarray(0, bytes.length - head), bytes.subarray(head)) === 0;
}

/** Milliseconds since the epoch. */
export function nowMs(): number {
  return Date.now();
}

/** Milliseconds from an arbitrary origin. Without `performance`, of which Node loads the code when it is first used: 1.6 ms. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

export function pauseMs(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Of setTimeout: what is longer fires at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Calls `act` once after that time, however long it is. Returns what stops it. */
export function startTimer(milliseconds: number, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = (leftMs: number): void => {
    const partMs = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (leftMs > partMs ? arm(leftMs - partMs) : act()), partMs);
  };
  arm(milliseconds);
  return () => clearTimeout(timer);
}

/** After what the event loop has at hand by now. */
export function afterThisTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A warning of the process, with what caused it: for what would be lost otherwise. */
export function warn(text: string, cause: unknown): void {
  process.emitWarning(`${text}: ${shown(cause).slice(0, 2000)}`, "SandboaWarning");
}

/** Whatever an embedder's code has thrown, which may throw in its turn when it is looked at. */
function shown(cause: unknown): string {
  try {
    return inspect(cause, { depth: 1 });
  } catch {
    return "something that cannot be shown";
  }
}
