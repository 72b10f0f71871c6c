// Node's clock, entropy, hashing and inflating, as the powers that the core asks for.
import { createHash, randomFillSync } from "node:crypto";
import { inspect } from "node:util";
import { inflateRawSync } from "node:zlib";
import type { ClockPower, EntropyPower } from "../../kernel/powers.ts";

const neverWoken = new Int32Array(new SharedArrayBuffer(4));

export const nodeClock: ClockPower = {
  wallNs: () => BigInt(Date.now()) * 1_000_000n,
  monotonicNs: () => process.hrtime.bigint(),
  sleepMs: (milliseconds) => {
    Atomics.wait(neverWoken, 0, 0, milliseconds);
    return undefined;
  },
};

export const nodeEntropy: EntropyPower = {
  fill: (target) => {
    randomFillSync(target);
  },
};

/** Lower-case hexadecimal SHA-256. */
export function sha256(...parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

export function inflateRaw(compressed: Uint8Array, sizeBytes: number): Uint8Array {
  return inflateRawSync(compressed, { maxOutputLength: Math.max(1, sizeBytes) });
}

const zeros = new Uint8Array(65_536);

/** Zeroes what is not zero, piece by piece: comparing reads the system's one shared zero page where nothing was written. */
export function clearMemory(gap: Uint8Array): void {
  for (let at = 0; at < gap.length; at += zeros.length) {
    const piece = gap.subarray(at, at + zeros.length);
    const blank = piece.length === zeros.length ? zeros : zeros.subarray(0, piece.length);
    if (Buffer.compare(piece, blank) !== 0) piece.fill(0);
  }
}

/** Milliseconds since the epoch. */
export function nowMs(): number {
  return Date.now();
}

/** Milliseconds from an arbitrary origin. */
export function monotonicMs(): number {
  return performance.now();
}

/** After what the event loop has at hand by now. */
export function afterThisTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A warning of the process, with what caused it: for what would be lost otherwise. */
export function warn(text: string, cause: unknown): void {
  process.emitWarning(`${text}: ${inspect(cause, { depth: 1 }).slice(0, 2000)}`, "SandboaWarning");
}
