// What is taken is never more than there was, whoever shares it.
import { expect, test } from "vitest";
import { Allowance, allowanceWords } from "./allowance.ts";

test("takes all, or what is left of it, or nothing", () => {
  const allowance = new Allowance(allowanceWords(10));
  expect([
    allowance.take(4),
    allowance.take(7),
    allowance.take(7, 1),
    allowance.take(1, 1),
    allowance.take(0),
  ]).toEqual([4, undefined, 6, undefined, 0]);
  allowance.giveBack(3);
  expect(allowance.left).toBe(3);
});

test("two that have the same words share them", () => {
  const words = allowanceWords(2 ** 53 - 1);
  new Allowance(words).take(2 ** 52);
  expect(new Allowance(structuredClone(words)).left).toBe(2 ** 52 - 1);
});
