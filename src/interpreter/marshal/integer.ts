// Integers beyond 32 bits: marshal writes them as 15-bit digits, least significant first, with the sign in the count.
// Through hexadecimal text both directions stay linear in the length, which multiplying bigints would not.
import { digitBits } from "./tags.ts";

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
  // Four digits are 60 bits, which are fifteen hexadecimal figures: 30 bits and 30 bits make 7 and 8 of them.
  const groups: string[] = [];
  for (let group = Math.ceil(count / 4) - 1; group >= 0; group--) {
    const first = group * 4;
    let low = 0;
    let high = 0;
    for (let index = Math.min(first + 3, count - 1); index >= first; index--) {
      const digit = view.getUint16(start + index * 2, true);
      if (digit >= digitEnd) return undefined;
      if (index - first >= 2) high = high * digitEnd + digit;
      else low = low * digitEnd + digit;
    }
    const upper = high * 4 + Math.floor(low / 2 ** 28);
    groups.push(upper.toString(16).padStart(8, "0"), (low % 2 ** 28).toString(16).padStart(7, "0"));
  }
  return groups.join("");
}
