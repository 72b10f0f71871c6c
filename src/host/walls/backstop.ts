// Ends a guest from outside when it did not end from inside: a loop in C of the plain interpreter never asks. Timers of the
// host thread, armed for a little more than the limits themselves, so that the inside, which can go on afterwards, comes first.
import { LimitError } from "../../errors/run-errors.ts";
import { monotonicMs } from "../../platform/node/powers.ts";
import type { SandboxPlan } from "../plan.ts";

/** What is asked of the inside when a timer fires. */
export interface OutsideView {
  /** Milliseconds of processor time of the guest's thread; undefined where the system does not tell. */
  cpuMs(): number | undefined;
  /** Whether wall time stands still now, and how long it has in this run. */
  pause(): { readonly now: boolean; readonly totalMs: number };
}

const slackMs = 25;
const pausePollMs = 50;

export class Backstop {
  readonly #plan: SandboxPlan;
  readonly #view: OutsideView;
  readonly #end: (error: LimitError) => void;
  readonly #startMs = monotonicMs();
  readonly #cpuStartMs: number | undefined;
  #wallTimer: ReturnType<typeof setTimeout> | undefined;
  #cpuTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(plan: SandboxPlan, view: OutsideView, end: (error: LimitError) => void) {
    this.#plan = plan;
    this.#view = view;
    this.#end = end;
    const { wallMs, cpuMs } = plan.limits;
    if (wallMs !== Number.POSITIVE_INFINITY) this.#armWall(wallMs + this.#graceMs);
    if (cpuMs !== Number.POSITIVE_INFINITY && cpuMs < wallMs) {
      this.#cpuStartMs = view.cpuMs();
      if (this.#cpuStartMs !== undefined) this.#armCpu(cpuMs + this.#graceMs);
    }
  }

  disarm(): void {
    clearTimeout(this.#wallTimer);
    clearTimeout(this.#cpuTimer);
  }

  get #graceMs(): number {
    return slackMs + (this.#plan.soft?.graceMs ?? 0);
  }

  #armWall(afterMs: number): void {
    this.#wallTimer = setTimeout(
      () => {
        const { now, totalMs } = this.#view.pause();
        const used = monotonicMs() - this.#startMs - totalMs;
        const { wallMs } = this.#plan.limits;
        const missing = wallMs + this.#graceMs - used;
        if (now) this.#armWall(pausePollMs);
        else if (missing > 1) this.#armWall(missing);
        else this.#end(new LimitError("wall", wallMs, Math.round(used), "lost"));
      },
      Math.min(afterMs, 2 ** 31 - 1),
    );
  }

  #armCpu(afterMs: number): void {
    this.#cpuTimer = setTimeout(
      () => {
        const total = this.#view.cpuMs();
        if (total === undefined || this.#cpuStartMs === undefined) return;
        const used = total - this.#cpuStartMs;
        const { cpuMs } = this.#plan.limits;
        const missing = cpuMs + this.#graceMs - used;
        if (missing > 1) this.#armCpu(missing);
        else this.#end(new LimitError("cpu", cpuMs, Math.round(used), "lost"));
      },
      Math.min(afterMs, 2 ** 31 - 1),
    );
  }
}
