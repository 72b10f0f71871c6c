// Sizes, durations and counts as people write them.
import { expect, test } from "vitest";
import { OptionError } from "../errors/option-error.ts";
import { bytes, count, milliseconds } from "./quantity.ts";

test.each<[read: typeof bytes, text: unknown, amount: number]>([
  [count, "3", 3],
  [count, "3.0", 3],
  [bytes, "1.5 MiB", 1_572_864],
  [bytes, "0.1 GiB", 107_374_182],
  [bytes, "1.1 kB", 1100],
  [bytes, "0.3 KiB", 307],
  [bytes, "0.7 KiB", 717],
  [bytes, " 0 MiB ", 0],
  [milliseconds, "1.1 s", 1100],
  [milliseconds, "0.25 s", 250],
])("%o of %o is %o", (read, text, amount) => {
  expect(read("x", text)).toBe(amount);
});

test.each<[read: typeof bytes, text: unknown]>([
  [count, "1.5"],
  [count, "0.4"],
  [count, 1.5],
  [count, "1 MiB"],
  [bytes, "0.4"],
  [bytes, "1.5 b"],
  [bytes, "0.0001 KiB"],
  [bytes, null],
  [bytes, "1 s"],
  [milliseconds, "0.5"],
  [milliseconds, "0.5 ms"],
])("%o of %o is refused", (read, text) => {
  expect(() => read("x", text)).toThrow(OptionError);
});

test.each<[read: typeof bytes, text: unknown, accepted: string]>([
  [bytes, "1.5 b", "a size in whole bytes"],
  [bytes, 0.5, "a size in whole bytes"],
  [milliseconds, "1.5ms", "a duration in whole milliseconds"],
  [milliseconds, 1.5, "a duration in whole milliseconds"],
  [count, "1.5", "a whole number"],
])("%o of %o: what is accepted says that no parts are", (read, text, accepted) => {
  expect(() => read("x", text)).toThrow(`accepted: ${accepted}`);
});
