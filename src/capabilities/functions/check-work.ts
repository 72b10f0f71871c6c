// What one check of a guest's value may cost the embedder's thread. Whoever does something for each part of a value pays for it here,
// also for what one step costs; when nothing is left the check ends, and the value is refused.

/** A unit is some five nanoseconds. So many are a blink, and enough for a value of a million parts. */
const mostUnits = 2 ** 24;

export class CheckWork {
  #left = mostUnits;

  /** False when nothing is left: then whatever is being found out is worth nothing. */
  spend(units: number): boolean {
    this.#left -= units;
    return this.#left >= 0;
  }

  get isSpent(): boolean {
    return this.#left < 0;
  }
}

/** What arithmetic with an integer of the guest's costs, which may have 2^26 bits. */
export function integerUnits(value: bigint): number {
  let bits = 1024;
  // A truncated copy of each length, until one is the whole: no more work in all than a copy of it.
  while (BigInt.asIntN(bits, value) !== value) bits *= 8;
  return bits / 256;
}

/** The texts in order, and paid for: comparing goes over what they have in common. */
export function sortedTexts(texts: string[], work: CheckWork): readonly string[] {
  const rounds = Math.ceil(Math.log2(texts.length + 1));
  for (const text of texts) if (!work.spend(rounds * (2 + (text.length >>> 6)))) return [];
  return texts.sort();
}
