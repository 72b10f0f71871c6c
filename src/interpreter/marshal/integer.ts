// Integers beyond 32 bits: marshal writes them as 15-bit digits, least significant first, with the sign in the count.
// Through hexadecimal text both directions stay linear in the length, which multiplying bigints would not.
import { digitBits } from "./tags.ts";
import { decodeAscii } from "./text.ts";

const digitEnd = 1 << digitBits;

/** 2^26 bits: V8 refuses bigints of 2^30 bits and more, and no result needs a sixteenth of that. */
export const maxIntegerDigits = Math.floor(2 ** 26 / digitBits);

/** The digits of a positive integer. */
export function toDigits(value: bigint): number[] {
  const hex = value.toString(16);
  const digits: number[] = [];
  let pending = 0;
  let bits = 0;
  for (let at = hex.length - 1; at >= 0; at--) {
    pending |= Number.parseInt(hex.charAt(at), 16) << bits;
    bits += 4;
    if (bits >= digitBits) {
      digits.push(pending & (digitEnd - 1));
      pending >>>= digitBits;
      bits -= digitBits;
    }
  }
  if (pending > 0) digits.push(pending);
  return digits;
}

/**
 * The integer of `count` digits at `start`, all of which lie in `view`. Undefined when a digit is out of range or the most
 * significant one is 0, which Python never writes.
 */
export function readDigits(
  view: DataView,
  start: number,
  count: number,
  negative: boolean,
): number | bigint | undefined {
  if (count === 0 || view.getUint16(start + (count - 1) * 2, true) === 0) return undefined;
  let size: number | bigint;
  if (count <= 3) {
    size = 0;
    for (let index = count - 1; index >= 0; index--) {
      const digit = view.getUint16(start + index * 2, true);
      if (digit >= digitEnd) return undefined;
      size = size * digitEnd + digit;
    }
  } else {
    const hex = hexOfDigits(view, start, count);
    if (hex === undefined) return undefined;
    size = BigInt(`0x${hex}`);
    if (size <= BigInt(Number.MAX_SAFE_INTEGER)) size = Number(size);
  }
  return negative ? -size : size;
}

function hexOfDigits(view: DataView, start: number, count: number): string | undefined {
  const figures = new Uint8Array(Math.ceil((count * digitBits) / 4));
  let at = figures.length;
  let pending = 0;
  let bits = 0;
  for (let index = 0; index < count; index++) {
    const digit = view.getUint16(start + index * 2, true);
    if (digit >= digitEnd) return undefined;
    pending |= digit << bits;
    for (bits += digitBits; bits >= 4; bits -= 4) {
      figures[--at] = figureOf(pending & 15);
      pending >>>= 4;
    }
  }
  if (bits > 0) figures[--at] = figureOf(pending);
  return decodeAscii(figures, 0, figures.length);
}

function figureOf(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
