// A transfer that is larger than what crosses a wall at once: a guest expects a file to take, and to give, all that it asks for
// (read(2), write(2)), and each piece is a question of its own.
import { KernelError } from "../../kernel/kernel-error.ts";

/**
 * Gives `move` one piece after the other until one is short, or `isInterrupted`. Returns how many bytes were moved in all; what is refused
 * after some were is for the next call to find.
 */
export function inPieces(
  bytes: Uint8Array,
  pieceBytes: number,
  move: (piece: Uint8Array, done: number) => number,
  isInterrupted: () => boolean = () => false,
): number {
  let done = 0;
  do {
    const piece = bytes.subarray(done, done + pieceBytes);
    let moved: number;
    try {
      moved = move(piece, done);
    } catch (error) {
      if (done > 0 && error instanceof KernelError) break;
      throw error;
    }
    done += moved;
    if (moved < piece.length) break;
  } while (done < bytes.length && !isInterrupted());
  return done;
}
