// Checkouts that wait for an interpreter, first come, first served. One that is withdrawn leaves no trace.
import { PoolError } from "../errors/pool-error.ts";
import { onAbort } from "./abort-listeners.ts";

interface Waiter<T> {
  give(item: T): void;
  refuse(error: unknown): void;
}

export class PoolQueue<T> {
  readonly #limit: number;
  readonly #waiters = new Set<Waiter<T>>();

  /** `limit`: how many may wait until somebody gives something back. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#waiters.size;
  }

  /**
   * `coming`: how many are served though nobody gives anything back; they wait besides the others. Throws PoolError at once when the
   * queue is full; rejects with PoolError when `signal`, which has not fired yet, does.
   */
  wait(signal: AbortSignal | undefined, coming: number): Promise<T> {
    if (this.#waiters.size >= this.#limit + coming) {
      throw new PoolError(
        "POOL_FULL",
        `all interpreters are in use and ${this.#limit} checkouts wait already`,
      );
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        stop();
      };
      const waiter: Waiter<T> = {
        give: (item) => {
          leave();
          resolve(item);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const stop = onAbort(signal, () => waiter.refuse(cancelled(signal)));
      this.#waiters.add(waiter);
    });
  }

  /** Gives `item` to whoever has waited longest; false when nobody waits. */
  give(item: T): boolean {
    const [first] = this.#waiters;
    first?.give(item);
    return first !== undefined;
  }

  refuseFirst(error: unknown): void {
    const [first] = this.#waiters;
    first?.refuse(error);
  }

  refuseAll(error: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.refuse(error);
  }
}

export function cancelled(signal: AbortSignal | undefined): PoolError {
  return new PoolError("POOL_CANCELLED", "the checkout was cancelled", { cause: signal?.reason });
}
