// Lists of a plan that are too long to stand in the guest's memory at once: each is cut into portions, which take turns in one place.
// That place is resident in every sandbox afterwards, and a small one stays in the processor's cache.

const portionWords = 4096;
/** Of an item that is not to make its portion larger than others. */
export const mostItemWords = portionWords - 1;

/** Collects portions, each behind the number of its words. */
export class PortionWriter {
  readonly #words: number[] = [];
  #start = 0;

  /** Words of an item that still fits into the present portion. */
  get room(): number {
    return portionWords - Math.max(1, this.#words.length - this.#start - 1);
  }

  /** Adds one item, which is counted at the beginning of its portion. */
  add(words: readonly number[]): void {
    if (words.length > this.room) this.#start = this.#words.length;
    if (this.#start === this.#words.length) this.#words.push(1, 0);
    this.#words[this.#start] = (this.#words[this.#start] ?? 0) + words.length;
    this.#words[this.#start + 1] = (this.#words[this.#start + 1] ?? 0) + 1;
    for (const word of words) this.#words.push(word);
  }

  finish(): Uint32Array {
    return Uint32Array.from(this.#words);
  }
}

/** Views of the portions: the number of items, then the items. */
export function portionsOf(list: Uint32Array): readonly Uint32Array[] {
  const portions: Uint32Array[] = [];
  for (let at = 0; at < list.length; ) {
    const words = list[at] ?? 0;
    portions.push(list.subarray(at + 1, at + 1 + words));
    at += 1 + words;
  }
  return portions;
}
