// The entries of one directory in memory: found by name, read in the order in which they were made. Each has a position that
// it keeps for life, so a reader needs nothing but a number to go on, however much is made and removed meanwhile.
// Invariant: `#order` is ascending by position; a removed entry leaves only its number there, and about half are such at most.
import type { ByteString } from "../kernel/filesystem.ts";

export interface Entry<N> {
  readonly name: ByteString;
  readonly node: N;
  readonly position: number;
}

/** Fewer gaps than this are not worth closing. */
const toleratedGaps = 16;

export class EntryTable<N> {
  readonly #byName = new Map<ByteString, Entry<N>>();
  #order: (Entry<N> | number)[] = [];
  /** Only gaps stand before this index: emptying a directory from its front must not look at them again and again. */
  #first = 0;
  #lastPosition = 0;
  #nameBytes = 0;

  get size(): number {
    return this.#byName.size;
  }
  get nameBytes(): number {
    return this.#nameBytes;
  }
  /** Entries made from now on have a higher position. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  get(name: ByteString): Entry<N> | undefined {
    return this.#byName.get(name);
  }

  /** In order. */
  all(): Entry<N>[] {
    return this.#order.filter((item) => typeof item === "object");
  }

  /** `name` is free, and a string that keeps no longer one alive. */
  add(name: ByteString, node: N): void {
    this.#lastPosition += 1;
    const entry = { name, node, position: this.#lastPosition };
    this.#byName.set(name, entry);
    this.#order.push(entry);
    this.#nameBytes += name.length;
  }

  /** Another node under the same name, in the same position. */
  replace(entry: Entry<N>, node: N): void {
    const successor = { name: entry.name, node, position: entry.position };
    this.#byName.set(entry.name, successor);
    this.#order[this.#indexAfter(entry.position - 1)] = successor;
  }

  remove(entry: Entry<N>): void {
    this.#byName.delete(entry.name);
    this.#nameBytes -= entry.name.length;
    this.#order[this.#indexAfter(entry.position - 1)] = entry.position;
    if (this.#order.length > 2 * this.#byName.size + toleratedGaps) {
      this.#order = this.all();
      this.#first = 0;
    }
    while (typeof this.#order[this.#first] === "number") this.#first += 1;
  }

  /** The first entry beyond `position`. */
  after(position: number): Entry<N> | undefined {
    for (let index = this.#indexAfter(position); index < this.#order.length; index++) {
      const item = this.#order[index];
      if (typeof item === "object") return item;
    }
    return undefined;
  }

  /** Where the first item beyond `position` stands. */
  #indexAfter(position: number): number {
    let low = this.#first;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = this.#order[middle] as Entry<N> | number;
      if ((typeof item === "object" ? item.position : item) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
