// How much a grant may still use, counted in shared memory: the count goes on when a thread is ended or a sandbox is reset, and
// threads that share a grant share it. Nothing is ever given back for what was removed, because removing frees nothing for certain.

export interface AllowanceWords {
  readonly limit: number;
  /** One 64-bit word: how much is used. */
  readonly used: SharedArrayBuffer;
}

export function allowanceWords(limit: number): AllowanceWords {
  return { limit, used: new SharedArrayBuffer(8) };
}

export class Allowance {
  readonly limit: number;
  readonly #used: BigInt64Array<SharedArrayBuffer>;

  constructor({ limit, used }: AllowanceWords) {
    this.limit = limit;
    this.#used = new BigInt64Array(used);
  }

  get left(): number {
    return this.limit - Number(Atomics.load(this.#used, 0));
  }

  /** Takes `most`, or what is left of it but at least `least`; undefined, and nothing taken, when there is less. */
  take(most: number, least: number = most): number | undefined {
    for (;;) {
      const before = Atomics.load(this.#used, 0);
      const taken = Math.min(most, this.limit - Number(before));
      if (taken < least) return undefined;
      if (Atomics.compareExchange(this.#used, 0, before, before + BigInt(taken)) === before) return taken;
    }
  }

  /** Of what was taken for something that then was not done. */
  giveBack(amount: number): void {
    if (amount > 0) Atomics.sub(this.#used, 0, BigInt(amount));
  }
}
