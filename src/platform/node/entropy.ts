// Random bytes of the system's. Node's own way to them is node:crypto, whose code takes 2 ms to load: a thirtieth of what a start
// takes above an empty process. Both give what one generator of the kernel makes (random(4)).
import { closeSync, fstatSync, openSync } from "node:fs";
import type { EntropyPower } from "../../kernel/powers.ts";
import { nodeCrypto } from "./late-modules.ts";
import { readAll } from "./read-all.ts";

const device = "/dev/urandom";
/** Major number 1, minor number 9 (Documentation/admin-guide/devices.txt of Linux). */
const linuxNumber = 0x109;

/** Fills all of `target` with bytes that nobody can foretell. */
export function fillRandom(target: Uint8Array): void {
  if (!fillFromDevice(target, device)) nodeCrypto().randomFillSync(target);
}

/** False where there is no such device, as on Windows, or another in its place, or it cannot be opened, as by a process that is confined. */
export function fillFromDevice(target: Uint8Array, path: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const found = fstatSync(fd);
    const isIt = process.platform === "linux" ? found.rdev === linuxNumber : found.isCharacterDevice();
    return isIt && readAll(fd, target, 0);
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Drawn ahead: a reset asks for ten small pieces, and each draw costs as much as some kilobytes. */
const drawn = new Uint8Array(8192);
let given = drawn.length;

export const nodeEntropy: EntropyPower = {
  fill: (target) => {
    if (target.length > 1024) {
      fillRandom(target);
      return;
    }
    if (given + target.length > drawn.length) {
      fillRandom(drawn);
      given = 0;
    }
    const piece = drawn.subarray(given, given + target.length);
    target.set(piece);
    // What somebody was given is nobody else's to find.
    piece.fill(0);
    given += target.length;
  },
};
