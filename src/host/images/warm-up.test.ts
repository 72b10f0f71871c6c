// The warm-up ends when the probe has become quick, and at its limit when it never does.
import { expect, test } from "vitest";
import { warmUp } from "./warm-up.ts";

test("ends once probes are quick several times in a row", async () => {
  let probes = 0;
  await warmUp(async (source) => {
    if (!source.startsWith("_probe")) return 10;
    probes += 1;
    // One quick one in between proves nothing.
    return probes <= 6 && probes !== 5 ? 40 : 1;
  });
  expect(probes).toBe(8);
});

test("gives up at its limit, for nothing gets quicker", async () => {
  let probes = 0;
  await warmUp(async () => {
    probes += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 5;
  }, 60);
  expect(probes).toBeLessThan(20);
});

test("passes on that the interpreter failed", async () => {
  await expect(warmUp(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
});
