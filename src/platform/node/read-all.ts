// read(2) until all has come: one call may give less than it was asked for.
import { readSync } from "node:fs";

/** False where the file ends before. */
export function readAll(fd: number, target: Uint8Array, position: number): boolean {
  for (let done = 0; done < target.length; ) {
    const count = readSync(fd, target, done, target.length - done, position + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}
