// The warm-up ends when the probe has become quick, and at its limit when it never does.
import { expect, test } from "vitest";
import { warmUp } from "./warm-up.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("ends once probes are quick several times in a row", async () => {
  let probes = 0;
  await warmUp(async (source) => {
    if (source.startsWith("_probe")) await pause(++probes <= 6 ? 40 : 1);
  });
  expect(probes).toBeGreaterThanOrEqual(10);
  expect(probes).toBeLessThan(30);
});

test("gives up at its limit, for nothing gets quicker", async () => {
  const from = performance.now();
  await warmUp(() => pause(5), 60);
  expect(performance.now() - from).toBeLessThan(1000);
});

test("passes on that the interpreter failed", async () => {
  await expect(warmUp(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
});
