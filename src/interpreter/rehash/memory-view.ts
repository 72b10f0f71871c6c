// Linear memory at rest, as arrays of each width: the survey reads a copy, so that what it finds cannot change under it.
import { ImageError } from "../../errors/image-error.ts";
import type { Machine } from "../machine.ts";

export interface MemoryView {
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly i16: Int16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
}

export function copyMemory(machine: Machine): MemoryView {
  const u8 = machine.guest.bytes.slice();
  const { buffer } = u8;
  return {
    u8,
    i8: new Int8Array(buffer),
    i16: new Int16Array(buffer),
    i32: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
  };
}

/** The word at a byte address plus an offset in words, signed and unsigned. */
export function signedWord(memory: MemoryView, address: number, offset: number): number {
  return memory.i32[(address >>> 2) + offset] ?? 0;
}
export function word(memory: MemoryView, address: number, offset: number): number {
  return memory.u32[(address >>> 2) + offset] ?? 0;
}

export function inconsistent(what: string, address: number): ImageError {
  return new ImageError(
    "IMAGE_BUILD_FAILED",
    `the hash tables of the snapshot are not as expected: ${what} at ${address}`,
  );
}
