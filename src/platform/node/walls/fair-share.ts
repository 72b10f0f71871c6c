// A guest that floods its output makes the host's thread work: as much of that thread's time as it can get, at the cost of every other
// sandbox. So while others run no more than a share of it is given to any one; meanwhile the guest waits for its pipe, as for any slow
// reader.
import { monotonicMs } from "../powers.ts";

const share = 0.1;
/** What may be done at once after a time without work. */
const burstMs = 2;
/** However long one piece of work took: what ends a run comes behind its output. */
const longestPauseMs = 25;

/** Of all sandboxes. */
let running = 0;

export class FairShare {
  readonly #now: () => number;
  #runs = false;
  #creditMs = burstMs;
  #sinceMs: number;

  constructor(now: () => number = monotonicMs) {
    this.#now = now;
    this.#sinceMs = now();
  }

  begin(): void {
    if (!this.#runs) running += 1;
    this.#runs = true;
  }

  end(): void {
    if (this.#runs) running -= 1;
    this.#runs = false;
  }

  /** Does the work, which tells whether it counts, and tells for how many milliseconds no more of it should be done. */
  spend(work: () => boolean): number {
    const from = this.#now();
    const credit = Math.min(burstMs, this.#creditMs + share * (from - this.#sinceMs));
    const counts = work();
    this.#sinceMs = this.#now();
    this.#creditMs = counts ? Math.max(-share * longestPauseMs, credit - (this.#sinceMs - from)) : credit;
    return counts && running > 1 ? Math.max(0, -this.#creditMs / share) : 0;
  }
}
