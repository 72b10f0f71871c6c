// Inode numbers that tell files apart and tell nothing of the host's: a keyed permutation of device and number (a Feistel network), with
// a key for each grant. Two files never share a number unless 52 bits of 64 collide.
import { fillRandom } from "../entropy.ts";

const rounds = 8;

export class InodeNumbers {
  readonly #keys = new Uint32Array(rounds);

  constructor() {
    fillRandom(new Uint8Array(this.#keys.buffer));
  }

  /** A positive safe integer. */
  of(device: bigint, inode: bigint): number {
    const mixed = BigInt.asUintN(64, inode ^ (device * 0x9e3779b97f4a7c15n));
    let left = Number(mixed >> 32n);
    let right = Number(mixed & 0xffffffffn);
    for (const key of this.#keys) {
      [left, right] = [right, (left ^ scramble((right + key) | 0)) >>> 0];
    }
    return (left & 0xfffff) * 2 ** 32 + right + 1;
  }
}

/** The finalizer of MurmurHash3: every bit of the input changes about half of the output's. */
function scramble(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
