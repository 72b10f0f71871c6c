// Code that works with answers that may come now or later, written once: a generator yields what it waits for, and goes on in the same
// turn when the answer is there already. A tree whose parts answer now answers now, which the inline wall depends on.
import type { Later } from "./tree.ts";

export type Steps<T> = Generator<PromiseLike<unknown>, T, unknown>;

/** The answer's value: `yield* now(answer)` inside of steps. */
export function* now<T>(answer: Later<T>): Steps<T> {
  return isPending(answer) ? ((yield answer) as T) : answer;
}

/** Runs the steps; what they throw is thrown, or rejects. */
export function run<T>(steps: Steps<T>): Later<T> {
  const first = steps.next();
  return first.done ? first.value : goOn(steps, first.value);
}

async function goOn<T>(steps: Steps<T>, first: PromiseLike<unknown>): Promise<T> {
  let pending = first;
  for (;;) {
    let next: IteratorResult<PromiseLike<unknown>, T>;
    try {
      const value = await pending;
      next = steps.next(value);
    } catch (error) {
      next = steps.throw(error);
    }
    if (next.done) return next.value;
    pending = next.value;
  }
}

export function isPending<T>(answer: Later<T>): answer is PromiseLike<T> {
  return (
    typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function"
  );
}
