// Shares of time, on a clock of the test.
import { afterEach, beforeEach, expect, test } from "vitest";
import { FairShare } from "./fair-share.ts";

const neighbour = new FairShare();
beforeEach(() => neighbour.begin());
afterEach(() => neighbour.end());

/** A share on a clock that only work and waiting move. */
function shareOn() {
  let now = 1000;
  const share = new FairShare(() => now);
  share.begin();
  return {
    end: () => share.end(),
    work: (milliseconds: number, counts = true) =>
      share.spend(() => {
        now += milliseconds;
        return counts;
      }),
    wait: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test("a little work now and then never waits", () => {
  const { work, wait, end } = shareOn();
  for (let round = 0; round < 100; round++) {
    expect(work(0.5)).toBe(0);
    wait(10);
  }
  end();
});

test("work without end takes a tenth of the time that it waits for", () => {
  const { work, wait, end } = shareOn();
  let busy = 0;
  let waited = 0;
  for (let round = 0; round < 1000; round++) {
    const pause = work(0.4);
    busy += 0.4;
    waited += pause;
    wait(pause);
  }
  expect(busy / waited).toBeGreaterThan(0.1);
  expect(busy / waited).toBeLessThan(0.102);
  end();
});

test("a long piece of work is followed by a pause that is not as long as its share would be", () => {
  const { work, wait, end } = shareOn();
  expect(work(60_000)).toBe(25);
  wait(25);
  expect(work(0)).toBe(0);
  end();
});

test("a long rest saves up no more than a short one", () => {
  const { work, wait, end } = shareOn();
  wait(60_000);
  expect(work(3)).toBeCloseTo(10);
  end();
});

test("what does not count costs nothing and does not wait", () => {
  const { work, end } = shareOn();
  expect(work(1000, false)).toBe(0);
  expect(work(1)).toBe(0);
  expect(work(2)).toBeCloseTo(10);
  expect(work(1000, false)).toBe(0);
  end();
});

test("who runs alone may have all of the time", () => {
  neighbour.end();
  // Twice is as once.
  neighbour.end();
  const { work, end } = shareOn();
  expect(work(1000)).toBe(0);
  neighbour.begin();
  expect(work(1)).toBeGreaterThan(0);
  end();
});
