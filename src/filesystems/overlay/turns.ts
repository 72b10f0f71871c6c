// One step after the other: what begins while an earlier one still waits begins when that has ended. When nothing waits, the answer
// is there in the same turn. Invariant: no two steps of one room are interleaved.
import { isPending, run, type Steps } from "../later.ts";
import type { Later } from "../tree.ts";

export class Turns {
  #last: PromiseLike<unknown> | undefined;

  /** Whether something waits, so that what is asked for now will begin later. */
  get busy(): boolean {
    return this.#last !== undefined;
  }

  take<T>(steps: () => Steps<T>): Later<T> {
    if (this.#last !== undefined) return this.#note(this.#last.then(() => run(steps())));
    const answer = run(steps());
    return isPending(answer) ? this.#note(answer) : answer;
  }

  #note<T>(answer: PromiseLike<T>): PromiseLike<T> {
    const over = (): void => {
      if (this.#last === settled) this.#last = undefined;
    };
    const settled: PromiseLike<void> = answer.then(over, over);
    this.#last = settled;
    return answer;
  }
}
