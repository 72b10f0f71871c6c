// The guest's clocks. They start at policy, not at the machine: `coarse` hides fine timing, `frozen` moves only when the
// guest sleeps. The monotonic clock counts from the sandbox's own start, so the host's uptime does not show.
import type { ClockPower } from "./powers.ts";

/** What the guest's clocks show: microseconds, milliseconds, or nothing but how long the guest has slept. */
export type ClockPolicy = "real" | "coarse" | "frozen";

/** Resolution of the clocks under each policy, in nanoseconds. */
export const clockStepNs: Readonly<Record<ClockPolicy, bigint>> = {
  real: 1_000n,
  coarse: 1_000_000n,
  frozen: 1_000_000n,
};

const nsPerMs = 1_000_000;
/** A single wait never overshoots by more than this share of the time that the guest has already slept. */
const overshootShare = 0.01;
const longestSliceMs = 20;

export class Clocks {
  readonly policy: ClockPolicy;
  readonly #power: ClockPower;
  readonly #originNs: bigint;
  readonly #frozenWallNs: bigint;
  #sleptNs = 0n;
  #spinningSinceMs: number | undefined;

  constructor(policy: ClockPolicy, power: ClockPower) {
    this.policy = policy;
    this.#power = power;
    this.#originNs = power.monotonicNs();
    this.#frozenWallNs = power.wallNs();
  }

  get stepNs(): bigint {
    return clockStepNs[this.policy];
  }

  /** Wall clock, nanoseconds since the epoch. */
  wallNs = (): bigint => {
    this.#spinningSinceMs = undefined;
    return this.#coarsen(
      this.policy === "frozen" ? this.#frozenWallNs + this.#sleptNs : this.#power.wallNs(),
    );
  };

  /** Nanoseconds since the sandbox started; never goes back. */
  monotonicNs(): bigint {
    this.#spinningSinceMs = undefined;
    return this.#coarsen(this.#elapsedNs());
  }

  /** Blocks for `milliseconds`; under the frozen policy only the clock moves. `false` when a signal ended it early. */
  sleepMs(milliseconds: number): boolean {
    if (this.policy === "frozen") {
      if (milliseconds === Number.POSITIVE_INFINITY) return this.#power.sleepMs(milliseconds) !== false;
      this.#sleptNs += BigInt(Math.ceil(milliseconds * nsPerMs));
      return true;
    }
    const untilNs =
      this.#elapsedNs() +
      BigInt(Math.ceil(Math.min(milliseconds, Number.MAX_SAFE_INTEGER / nsPerMs) * nsPerMs));
    for (let leftNs = untilNs - this.#elapsedNs(); leftNs > 0n; leftNs = untilNs - this.#elapsedNs()) {
      if (this.#power.sleepMs(Number(leftNs) / nsPerMs) === false) return false;
    }
    return true;
  }

  /** Blocks while somebody else is waited for: real time passes under every policy, and a frozen clock does not show it. `false` as above. */
  waitMs(milliseconds: number): boolean {
    return this.#power.sleepMs(milliseconds) !== false;
  }

  /**
   * Milliseconds as emscripten_get_now() shows them. libc's sleep spins on this call until its deadline, which it does not
   * tell (Emscripten system/lib/pthread/emscripten_thread_sleep), so every repeated call without another clock read in
   * between is taken for such a spin and blocks for a slice: 1 ms at first, longer as the sleep goes on. When a signal is
   * pending, the end of time is shown, so that the sleep is over and Python looks at its signals.
   */
  spinningNowMs(): number {
    const nowMs = this.#shownMs();
    if (this.#spinningSinceMs === undefined) {
      this.#spinningSinceMs = nowMs;
      return nowMs;
    }
    const sleptMs = nowMs - this.#spinningSinceMs;
    const undisturbed = this.sleepMs(Math.min(Math.max(sleptMs * overshootShare, 1), longestSliceMs));
    return undisturbed ? this.#shownMs() : Number.POSITIVE_INFINITY;
  }

  #shownMs(): number {
    return Number(this.#coarsen(this.#elapsedNs())) / nsPerMs;
  }

  #elapsedNs(): bigint {
    return this.policy === "frozen" ? this.#sleptNs : this.#power.monotonicNs() - this.#originNs;
  }

  #coarsen(ns: bigint): bigint {
    return ns - (ns % this.stepNs);
  }
}
