// The arithmetic of slices and budgets, with a guest that is a list of charges.

import fc from "fast-check";
import { expect, test } from "vitest";
import { FuelGauge } from "./fuel-gauge.ts";

/** Charges as a metered module does. Returns how many were made before the guest was stopped, and how often it asked. */
function run(gauge: FuelGauge, cell: { value: number }, charges: readonly number[]) {
  let asked = 0;
  for (const [done, units] of charges.entries()) {
    cell.value -= units;
    if (cell.value > 0) continue;
    asked += 1;
    if (!gauge.refill()) return { done: done + 1, asked };
  }
  return { done: charges.length, asked };
}

test("what is spent is the sum of the charges, whatever the slice", () => {
  for (const slice of [1, 10, 1_000_000]) {
    const cell = { value: 0 };
    const gauge = new FuelGauge(cell, slice);
    gauge.start();
    run(gauge, cell, [1, 32, 70_000, 1]);
    expect(gauge.spent).toBe(70_034);
  }
});

test("a budget ends at the first charge that reaches it, whatever the slice", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 50 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 1000 }),
      (charges, budget, slice) => {
        const cell = { value: 0 };
        const gauge = new FuelGauge(cell, slice);
        gauge.start(budget);
        const { done } = run(gauge, cell, charges);
        let sum = 0;
        const reaching = charges.findIndex((units) => {
          sum += units;
          return sum >= budget;
        });
        expect(done).toBe(reaching < 0 ? charges.length : reaching + 1);
        expect(gauge.spent).toBe(charges.slice(0, done).reduce((total, units) => total + units, 0));
      },
    ),
  );
});

test("the host is asked once a slice", () => {
  const cell = { value: 0 };
  const gauge = new FuelGauge(cell, 10);
  gauge.start();
  expect(run(gauge, cell, new Array<number>(100).fill(1)).asked).toBe(10);
});

test("a guest that has spent its budget is refused until the next start", () => {
  const cell = { value: 0 };
  const gauge = new FuelGauge(cell, 10);
  gauge.start(25);
  expect(run(gauge, cell, [30]).done).toBe(1);
  expect(gauge.refill()).toBe(false);
  expect(cell.value).toBeLessThanOrEqual(0);
  gauge.start(25);
  expect(gauge.spent).toBe(0);
  expect(cell.value).toBe(10);
});

test("being asked too early changes nothing", () => {
  const cell = { value: 0 };
  const gauge = new FuelGauge(cell, 10);
  gauge.start();
  cell.value -= 3;
  expect(gauge.refill()).toBe(true);
  expect({ value: cell.value, spent: gauge.spent }).toEqual({ value: 7, spent: 3 });
});

test("work of the host counts as the guest's, and can end it", () => {
  const cell = { value: 0 };
  const gauge = new FuelGauge(cell, 10);
  gauge.start(100);
  gauge.charge(95);
  expect(gauge.spent).toBe(95);
  expect(run(gauge, cell, [1, 1, 1, 1, 1, 1]).done).toBe(5);
});

test("a charge of any size keeps the cell within 32 bits", () => {
  const cell = new (class {
    readonly #array = new Int32Array(1);
    get value(): number {
      return this.#array[0] ?? 0;
    }
    set value(next: number) {
      this.#array[0] = next;
    }
  })();
  const gauge = new FuelGauge(cell, 10);
  gauge.start();
  gauge.charge(2 ** 40);
  gauge.charge(5);
  expect(gauge.spent).toBe(2 ** 40 + 5);
});
