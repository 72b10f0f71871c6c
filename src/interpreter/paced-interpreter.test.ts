// The plain form asks for signals once in many looks, wherever the look is: in the evaluator, or in a loop of C that shipped with a
// call of JavaScript in each turn.
import { beforeAll, expect, test } from "vitest";
import { loadForm, Trial } from "./metered-fixture.ts";

let trial: Trial;
beforeAll(async () => {
  trial = new Trial(await loadForm(false));
});

function asked(source: string): number {
  trial.run(source);
  return trial.asked;
}

test("a Python loop asks every five hundred turns", () => {
  const few = asked("for i in range(100_000): pass");
  const many = asked("for i in range(1_100_000): pass");
  expect(many - few).toBeGreaterThanOrEqual(1_000_000 / 500 - 2);
  expect(many - few).toBeLessThanOrEqual(1_000_000 / 500 + 2);
});

test("big integers do not ask for each row of digits", () => {
  const rows = "x = (1 << 30_000) - 1\nfor i in range(100): x * 12345678901234567890 ** 20";
  expect(asked(rows)).toBeLessThan(100);
});

test("a guest that is told to end when it asks does end", () => {
  expect(trial.run("while True: pass", { maxAsked: 10 })).toMatchObject({ kind: "stopped" });
  trial.reset();
  expect(trial.value("6 * 7")).toBe(42);
});
