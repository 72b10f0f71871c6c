// What is copied is the source, shared or not; what is cleared is zero wherever in it something stood; timers are as long as they should be.
import { expect, test, vi } from "vitest";
import { nodeMemory, startTimer } from "./powers.ts";

test("copies shared and other memory to the place that is given, and no further", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(300)).map((_, index) => index % 251);
  shared.forEach((_, index) => {
    shared[index] = (index % 251) + 1;
  });
  for (const source of [shared, shared.slice(), shared.subarray(7, 8), shared.subarray(5, 5)]) {
    const memory = new Uint8Array(1000);
    nodeMemory.copy(memory.subarray(100, 600), source);
    const expected = [...new Uint8Array(100), ...source, ...new Uint8Array(900 - source.length)];
    expect([...memory]).toEqual(expected);
  }
});

test("clears every byte, wherever it stands, and nothing around", () => {
  for (const length of [0, 1, 63, 64, 65, 128, 65_536, 65_537, (1 << 20) + 70]) {
    const places = [0, 1, 62, 63, 64, 65, 127, 65_535, 65_536, 1 << 20, length - 1].filter(
      (place) => place >= 0 && place < length,
    );
    for (const place of places) {
      const memory = new Uint8Array(length + 2).fill(9, 0, 1).fill(9, length + 1);
      memory[1 + place] = 1;
      nodeMemory.clear(memory.subarray(1, 1 + length));
      const touched = memory.findIndex((byte, index) => index > 0 && byte !== 0);
      expect([place, touched, memory[0], memory[length + 1]]).toEqual([place, length + 1, 9, 9]);
    }
  }
});

test("a timer that is longer than the system's takes its time, and can be stopped at any time", () => {
  vi.useFakeTimers();
  try {
    const days = 24 * 3600 * 1000;
    let fired = 0;
    const act = (): void => {
      fired += 1;
    };
    startTimer(60 * days, act);
    const stop = startTimer(60 * days, act);
    vi.advanceTimersByTime(59 * days);
    expect(fired).toBe(0);
    stop();
    vi.advanceTimersByTime(2 * days);
    expect([fired, vi.getTimerCount()]).toEqual([1, 0]);
  } finally {
    vi.useRealTimers();
  }
});
