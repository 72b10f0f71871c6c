// Ends a run at its limits of time and fuel, from the guest's own thread: the kernel asks it whenever the interpreter looks for
// signals, and it sleeps for the guest. Nothing in guest memory takes part. What never comes here (a loop in C of the plain
// interpreter) is ended from outside, by the wall.
import type { Kernel } from "../kernel/kernel.ts";
import type { Overrun, RunMeters } from "./meters.ts";
import type { SandboxPlan, SoftStop } from "./plan.ts";
import type { Control } from "./walls/control.ts";

export interface SupervisorPowers {
  monotonicMs(): number;
  /** Processor time of the calling thread in milliseconds; undefined where the system does not tell. */
  threadCpuMs(): number | undefined;
}

/** Signals of Linux: what Python makes of them is KeyboardInterrupt, and what guest/sandboa/_runner.py makes of the second. */
const signals: Readonly<Record<SoftStop["raise"], number>> = { KeyboardInterrupt: 2, TimeoutError: 14 };

export class Supervisor {
  readonly #control: Control;
  readonly #powers: SupervisorPowers;
  #kernel: Kernel | undefined;
  #plan: SandboxPlan | undefined;
  /** The last one, which may go on. */
  #finished: SandboxPlan | undefined;
  #finishedMs = 0;
  #startMs = 0;
  #cpuStartMs: number | undefined;
  /** Asleep or waiting for the host. */
  #blockedMs = 0;
  /** Of these, what wall time does not count. */
  #pausedMs = 0;
  #answeringSinceMs: number | undefined;
  #nextCpuLookMs = 0;
  /** Spent before the gauge was started anew for the grace time. */
  #fuelBefore = 0;
  #calls = 0;
  #signal = 0;
  #softStop: Overrun | undefined;
  #graceEndMs = 0;

  constructor(control: Control, powers: SupervisorPowers) {
    this.#control = control;
    this.#powers = powers;
  }

  begin(kernel: Kernel, plan: SandboxPlan): void {
    this.#kernel = kernel;
    this.#plan = plan;
    this.#startMs = this.#powers.monotonicMs();
    this.#cpuStartMs = this.#powers.threadCpuMs();
    this.#blockedMs = 0;
    this.#pausedMs = 0;
    this.#nextCpuLookMs = this.#startMs + plan.limits.cpuMs;
    this.#calls = 0;
    this.#signal = 0;
    this.#softStop = undefined;
    this.#fuelBefore = 0;
    kernel.gauge?.start(plan.limits.fuel);
  }

  finish(): RunMeters {
    const meters = this.meters();
    this.#finished = this.#plan;
    this.#finishedMs = this.#powers.monotonicMs();
    this.#fuelBefore = this.#fuel ?? 0;
    this.#plan = undefined;
    // What we do between runs is not the guest's.
    this.#kernel?.gauge?.start();
    return meters;
  }

  /** Of wall time, as of now; without end where it stands still while the host works. */
  msLeft(isHostBusy: boolean): number {
    const now = this.#powers.monotonicMs();
    if (this.#softStop) return this.#graceEndMs - now;
    const plan = this.#plan ?? this.#finished;
    if (plan === undefined || (plan.wallPauses && isHostBusy)) return Number.POSITIVE_INFINITY;
    return plan.limits.wallMs - (now - this.#startMs - this.#pausedMs);
  }

  /** The run that was finished goes on: in between it waited, for the host or for what only itself can do. */
  goOn(wasHostBusy: boolean): void {
    const kernel = this.#kernel;
    const plan = this.#finished;
    if (kernel === undefined || plan === undefined) throw new RangeError("no run to go on with");
    this.#plan = plan;
    const waited = this.#powers.monotonicMs() - this.#finishedMs;
    this.#blockedMs += waited;
    if (plan.wallPauses && wasHostBusy) this.#pausedMs += waited;
    kernel.gauge?.start(this.#softStop ? undefined : plan.limits.fuel - this.#fuelBefore);
  }

  /** As of now. */
  meters(): RunMeters {
    return {
      wallMs: this.#wallMs(this.#powers.monotonicMs()),
      cpuMs: this.#cpuMs(),
      fuel: this.#fuel,
      calls: this.#calls,
      softStop: this.#softStop,
    };
  }

  /** Asked by the kernel: the number of a signal for the guest, or 0. Throws GuestStop. */
  readonly ask = (kernel: Kernel): number => {
    this.#look();
    kernel.gauge?.refill();
    const signal = this.#signal;
    this.#signal = 0;
    return signal;
  };

  /** Blocks for the guest: ClockPower.sleepMs. */
  sleep(milliseconds: number): false | undefined {
    this.#look();
    if (this.#signal !== 0) return this.#disturbed();
    const start = this.#powers.monotonicMs();
    this.#control.sleep(Math.max(0, Math.min(milliseconds, this.#deadlineMs(start) - start)));
    // While the host answers, all of the time is counted when it has.
    if (this.#answeringSinceMs === undefined) this.#blockedMs += this.#powers.monotonicMs() - start;
    this.#look();
    return this.#signal === 0 ? undefined : this.#disturbed();
  }

  /** Python returns from a sleep as if it were over, so it is given the signal before that. */
  #disturbed(): false {
    this.#kernel?.machine.receiveSignal(this.#signal);
    this.#signal = 0;
    return false;
  }

  /** Lets the host answer the guest: none of it is the guest's processor time, and wall time may stand still. */
  whileHostAnswers<T>(answer: () => T): T {
    const start = this.hostBegins();
    try {
      return answer();
    } finally {
      this.hostEnded(start);
    }
  }

  /**
   * The same in two steps, for what is done a million times a second: gives what `hostEnded` is to be given. `isCall`: whether it counts as
   * one that the guest has made.
   */
  hostBegins(isCall = true): number {
    const start = this.#powers.monotonicMs();
    if (isCall) this.#calls += 1;
    if (this.#plan?.wallPauses === true) this.#control.setPause(true, this.#pausedMs);
    this.#answeringSinceMs = start;
    return start;
  }
  /** `wasHost`: whether it was the host that was waited for, so that wall time may have stood still. */
  hostEnded(start: number, wasHost = true): void {
    const waited = this.#powers.monotonicMs() - start;
    this.#answeringSinceMs = undefined;
    this.#blockedMs += waited;
    if (this.#plan?.wallPauses !== true) return;
    if (wasHost) this.#pausedMs += waited;
    this.#control.setPause(false, this.#pausedMs);
  }

  /** Whether a run is under way: only then may the guest be answered. */
  get running(): boolean {
    return this.#plan !== undefined;
  }

  /** Whether the guest is to be told of a signal. */
  get hasSignal(): boolean {
    return this.#signal !== 0;
  }

  /** Called now and then while the guest waits for an answer that no signal can interrupt. Throws GuestStop. */
  lookWhileWaiting(): void {
    this.#look();
  }

  /** Whoever was closed or cancelled from within a call makes no other one. */
  demandNotCancelled(): void {
    if (this.#control.cancelled && this.#kernel) throw this.#kernel.stop({ kind: "cancelled" });
  }

  #look(): void {
    const kernel = this.#kernel;
    const plan = this.#plan;
    // Between runs the interpreter does our own work only.
    if (kernel === undefined || plan === undefined) return;
    this.demandNotCancelled();
    const now = this.#powers.monotonicMs();
    const overrun = this.#softStop ? this.#graceOverrun(now, this.#softStop) : this.#overrun(now, plan);
    if (overrun) {
      if (plan.soft === undefined || this.#softStop) throw kernel.stop(overrun);
      this.#softStop = overrun;
      this.#graceEndMs = now + plan.soft.graceMs;
      this.#signal = signals[plan.soft.raise];
      this.#fuelBefore = this.#fuel ?? 0;
      kernel.gauge?.start();
    }
  }

  #overrun(now: number, plan: SandboxPlan): Overrun | undefined {
    const { wallMs, cpuMs, fuel } = plan.limits;
    const spent = this.#fuel ?? 0;
    if (spent >= fuel) return limit("fuel", fuel, spent);
    const wallUsed = this.#wallMs(now);
    if (wallUsed >= wallMs) return limit("wall", wallMs, Math.round(wallUsed));
    // Processor time never runs faster than the wall clock: no need to read it before it can be spent.
    if (now < this.#nextCpuLookMs) return undefined;
    const used = this.#cpuMs();
    this.#nextCpuLookMs = now + Math.max(1, cpuMs - used);
    return used >= cpuMs ? limit("cpu", cpuMs, Math.round(used)) : undefined;
  }

  #graceOverrun(now: number, told: Overrun): Overrun | undefined {
    if (now < this.#graceEndMs) return undefined;
    const used = { wall: this.#wallMs(now), cpu: this.#cpuMs(), fuel: this.#fuel ?? 0 };
    return { ...told, used: Math.round(used[told.limit as keyof typeof used]) };
  }

  #deadlineMs(now: number): number {
    if (this.#softStop) return this.#graceEndMs;
    return now + (this.#plan?.limits.wallMs ?? Number.POSITIVE_INFINITY) - this.#wallMs(now);
  }

  get #fuel(): number | undefined {
    const gauge = this.#kernel?.gauge;
    return gauge && this.#fuelBefore + gauge.spent;
  }

  #wallMs(now: number): number {
    const end = this.#plan?.wallPauses === true ? (this.#answeringSinceMs ?? now) : now;
    return end - this.#startMs - this.#pausedMs;
  }

  /** Where the system does not tell, or tells of more than this thread, no more than the time that the guest was not blocked. */
  #cpuMs(): number {
    const end = this.#answeringSinceMs ?? this.#powers.monotonicMs();
    const awakeMs = end - this.#startMs - this.#blockedMs;
    const cpu = this.#powers.threadCpuMs();
    return cpu === undefined || this.#cpuStartMs === undefined
      ? awakeMs
      : Math.min(awakeMs, cpu - this.#cpuStartMs);
  }
}

function limit(name: Overrun["limit"], budget: number, used: number): Overrun {
  return { kind: "limit", limit: name, budget, used };
}
