// Places at the end of the function table that the kernel fills on behalf of a guest. The table only ever grows up to a fixed
// number of them; given back and after a reset they are null, and they are handed out anew in the same order.

/** Every exported function and as many callbacks: more is a loop, not a program. */
export const maxSlots = 16_384;
const growthSlots = 64;

export class TableSlots {
  readonly #table: WebAssembly.Table;
  /** The table's length when the machine was made. */
  readonly #first: number;
  #taken = 0;
  #returned: number[] = [];

  constructor(table: WebAssembly.Table) {
    this.#table = table;
    this.#first = table.length;
  }

  /** The index of an empty place; undefined when there are no more. */
  take(): number | undefined {
    const again = this.#returned.pop();
    if (again !== undefined) return again;
    if (this.#taken === maxSlots) return undefined;
    const index = this.#first + this.#taken;
    if (index >= this.#table.length) {
      try {
        this.#table.grow(growthSlots);
      } catch {
        return undefined;
      }
    }
    this.#taken += 1;
    return index;
  }

  /** `index` was taken and not given back. */
  fill(index: number, entry: CallableFunction): void {
    this.#table.set(index, entry);
  }

  /** As `fill`. */
  giveBack(index: number): void {
    this.#table.set(index, null);
    this.#returned.push(index);
  }

  clear(): void {
    for (let at = 0; at < this.#taken; at++) this.#table.set(this.#first + at, null);
    this.#taken = 0;
    this.#returned = [];
  }
}
