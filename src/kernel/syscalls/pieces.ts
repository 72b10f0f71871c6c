// Work of the host on as many bytes as the guest names: in pieces, each of them charged, and between them the guest may be stopped, which
// nothing can do while the host copies.
import type { Kernel } from "../kernel.ts";

const pieceBytes = 1 << 20;

/** Copies and zeros; transfers of read(2) and its kin are charged likewise. */
export const bytesPerUnit = 64;

/**
 * Gives `work` one part of `target` after the other until it does less than the whole of one. Returns how many bytes it did in all. Throws
 * GuestStop when the guest is to end.
 */
export function inPieces(
  kernel: Kernel,
  target: Uint8Array,
  work: (piece: Uint8Array, done: number) => number,
  perUnit = bytesPerUnit,
): number {
  let done = 0;
  while (done < target.length) {
    const piece = target.subarray(done, done + pieceBytes);
    const count = work(piece, done);
    done += count;
    kernel.charge(Math.ceil(count / perUnit));
    if (count < piece.length) break;
    if (done < target.length) kernel.lookForInterrupt();
  }
  return done;
}
