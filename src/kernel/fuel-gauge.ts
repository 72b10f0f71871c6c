// How much a metered guest has done, and how much it may still do. The guest counts down in a global that it cannot name; this
// hands it the next slice whenever it has used one up. What a unit stands for: interpreter/wasm/metering/metering.ts.
//
// Invariant: the units spent at any point of a guest's work depend on that work alone. Slices only decide how often the host
// is asked, and a budget ends the guest at the first charge that reaches it, wherever the slices before it ended.

/** The global: a signed 32-bit number. */
export interface FuelCell {
  value: number;
}

/**
 * Units between two questions to the host, which is where it looks at its clock. Ordinary code uses 40,000 to 250,000 of them in
 * a millisecond and a question takes 0.13 microseconds, so asking costs less than 0.4 %. The slowest code that was found uses
 * 6,000 in a millisecond.
 */
const defaultSliceUnits = 10_000;

export class FuelGauge {
  readonly #cell: FuelCell;
  readonly #usualSliceUnits: number;
  #sliceUnits: number;
  #budget = 0;
  #granted = 0;
  /** Units that were charged by the host and have not been taken from the cell yet. */
  #due = 0;

  constructor(cell: FuelCell, sliceUnits: number = defaultSliceUnits) {
    this.#cell = cell;
    this.#usualSliceUnits = sliceUnits;
    this.#sliceUnits = sliceUnits;
  }

  /** Begins to count at 0, with `budget` units to spend: a positive integer or Infinity. */
  start(budget: number = Number.POSITIVE_INFINITY, sliceUnits = this.#usualSliceUnits): void {
    this.#sliceUnits = sliceUnits;
    this.#budget = budget;
    this.#granted = 0;
    this.#due = 0;
    this.#cell.value = 0;
    this.#grant();
  }

  /** Units spent since start. After the budget it is what the last charge made of it, which can be more than the budget. */
  get spent(): number {
    return this.#granted - this.#cell.value + this.#due;
  }

  /**
   * To be called when the guest asks for a signal. Hands out the next slice if the last one is used up, and returns whether the
   * guest may go on. Once it may not, the cell stays at or below 0, so that it asks again at its next charge. Other reasons to
   * stop the guest are to be looked at first, for the same effect: what runs while the stack unwinds must not have a slice.
   */
  refill(): boolean {
    while (this.#cell.value <= 0) {
      if (this.#granted >= this.#budget) return false;
      this.#grant();
    }
    return true;
  }

  /**
   * Charges for what the host did on the guest's behalf: a non-negative integer. The guest asks at its next charge if that was
   * more than its slice.
   */
  charge(units: number): void {
    // What is due beyond the slice is kept here, since the cell holds 32 bits.
    const fromCell = Math.min(units, Math.max(0, this.#cell.value));
    this.#cell.value -= fromCell;
    this.#due += units - fromCell;
  }

  #grant(): void {
    const paid = Math.min(this.#due, this.#budget - this.#granted);
    this.#due -= paid;
    const units = Math.min(this.#sliceUnits, this.#budget - this.#granted - paid);
    this.#granted += paid + units;
    this.#cell.value += units;
  }
}
