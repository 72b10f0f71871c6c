// Steps answer now when all that they wait for is there, and later otherwise; refusals come out the same way.
import { expect, test } from "vitest";
import { now, run, type Steps } from "./later.ts";
import type { Later } from "./tree.ts";

function* sum(answers: readonly Later<number>[]): Steps<number> {
  let total = 0;
  for (const answer of answers) total += yield* now(answer);
  return total;
}

function* caught(answer: Later<number>): Steps<string> {
  try {
    return String(yield* now(answer));
  } catch (error) {
    return `caught ${(error as Error).message}`;
  }
}

test("what is there already is answered in the same turn", () => {
  expect(run(sum([1, 2, 3]))).toBe(6);
});

test("one answer that comes later makes the whole one come later", async () => {
  const answer = run(sum([1, Promise.resolve(2), 3, Promise.resolve(4)]));
  expect(answer).toBeInstanceOf(Promise);
  expect(await answer).toBe(10);
});

test("a refusal can be caught by the steps, now and later", async () => {
  expect(await run(caught(Promise.reject(new Error("no"))))).toBe("caught no");
  function* throwing(): Steps<never> {
    yield* now(Promise.resolve(1));
    throw new Error("after");
  }
  await expect(run(throwing())).rejects.toThrow("after");
  await expect(run(sum([1, Promise.reject(new Error("late"))]))).rejects.toThrow("late");
  function* atOnce(): Steps<number> {
    yield* now(1);
    throw new Error("at once");
  }
  expect(() => run(atOnce())).toThrow("at once");
});
