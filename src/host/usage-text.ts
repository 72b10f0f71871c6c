// What sandboa.usage() reads in the guest: each figure with its limit, null where there is none.
import { clockStepNs } from "../kernel/clocks.ts";
import type { Meters } from "./meters.ts";
import type { SandboxPlan } from "./plan.ts";
import { usageLimits, usageOf } from "./usage.ts";

/** JSON. Times are in seconds. */
export function usageText(plan: SandboxPlan, meters: Partial<Meters>): string {
  const limits = usageLimits(plan, meters.fuel !== undefined);
  const usage = usageOf(limits, meters);
  // No finer than the clock that the guest was given, and not at all where that one stands still.
  const stepMs = Number(clockStepNs[plan.clock]) / 1e6;
  const seconds = (ms: number): number | null =>
    plan.clock === "frozen" ? null : (Math.floor(ms / stepMs) * stepMs) / 1000;
  return JSON.stringify({
    memory: [usage.memoryBytes, limits.memoryBytes],
    host_memory: [usage.hostMemoryBytes, limits.hostMemoryBytes],
    wall: [seconds(usage.wallMs), limits.wallMs / 1000],
    cpu: [seconds(usage.cpuMs), limits.cpuMs / 1000],
    fuel: [usage.fuel, limits.fuel],
    output: [usage.outputBytes, limits.outputBytes],
    open_files: [usage.openFiles, limits.openFiles],
    files: [usage.files, null],
    calls: [usage.calls, null],
  });
}
