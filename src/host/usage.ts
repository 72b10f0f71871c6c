// What a sandbox has used, from what was measured of it.

import type { Usage, UsageLimits } from "../errors/usage.ts";
import type { Meters } from "./meters.ts";
import type { SandboxPlan } from "./plan.ts";

export function usageLimits(plan: SandboxPlan, isMetered: boolean): UsageLimits {
  const { wallMs, cpuMs, fuel, memoryBytes, hostMemoryBytes, outputBytes, openFiles } = plan.limits;
  return {
    wallMs,
    cpuMs,
    fuel: isMetered ? fuel : null,
    memoryBytes,
    hostMemoryBytes,
    outputBytes,
    openFiles,
  };
}

export function usageOf(limits: UsageLimits, meters: Partial<Meters>): Usage {
  const memory = meters.memoryBytes ?? 0;
  return {
    wallMs: meters.wallMs ?? 0,
    cpuMs: meters.cpuMs ?? 0,
    fuel: meters.fuel ?? null,
    memoryBytes: memory,
    memoryPeakBytes: memory,
    hostMemoryBytes: meters.hostMemoryBytes ?? 0,
    hostMemoryPeakBytes: meters.hostMemoryPeakBytes ?? 0,
    outputBytes: meters.outputBytes ?? 0,
    openFiles: meters.openFiles ?? 3,
    files: meters.files ?? 0,
    calls: meters.calls ?? 0,
    limits,
  };
}
