// What the inside of a wall is told about a lifetime: plain data, made by the host from checked options. No authority is in it
// but the descriptors behind the tickets.

import type { HostFileMode, HostFileTicket } from "../filesystems/host-file.ts";
import type { ClockPolicy } from "../kernel/clocks.ts";

export type PlannedPlace =
  | {
      readonly kind: "hostFile";
      readonly mode: HostFileMode;
      readonly maxBytes: number;
      readonly ticket: HostFileTicket;
    }
  | { readonly kind: "memoryFile"; readonly bytes: Uint8Array }
  | {
      readonly kind: "scratch";
      readonly quotaBytes: number;
      readonly maxFiles: number;
      readonly maxDepth: number;
      readonly maxNameBytes: number;
    }
  /** Behind it stands a tree of the host's side. One whose root does not exist yet is taken for a file that may be made. */
  | { readonly kind: "tree"; readonly root: TreeRoot; readonly confinesLinks: boolean };

export type TreeRoot = "file" | "directory" | "missing";

/** Infinity stands for "unlimited", which only the embedder's own word makes. */
export interface PlannedLimits {
  readonly memoryBytes: number;
  readonly hostMemoryBytes: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly fuel: number;
  readonly outputBytes: number;
  readonly valueBytes: number;
  readonly openFiles: number;
  readonly recursion: number;
}

/** A first, friendly stop: the guest sees `raise` when a limit of time or fuel is spent, and has `graceMs` to end by itself. */
export interface SoftStop {
  readonly graceMs: number;
  readonly raise: "KeyboardInterrupt" | "TimeoutError";
}

export type PlannedHostFile = Extract<PlannedPlace, { kind: "hostFile" }>;

export interface SandboxPlan {
  /** Guest path to place. */
  readonly places: readonly (readonly [string, PlannedPlace])[];
  readonly environment: readonly (readonly [string, string])[];
  readonly args: readonly string[];
  /** What standard input holds; "host" is the process's own. */
  readonly stdin: Uint8Array | "host";
  readonly clock: ClockPolicy;
  readonly timeZone: string;
  readonly limits: PlannedLimits;
  readonly soft: SoftStop | undefined;
  /** Whether wall time stands still while the host answers the guest. */
  readonly wallPauses: boolean;
  /** Whether functions of the host were granted. */
  readonly functions: boolean;
  /** Whether strings hash the same in every sandbox, so that the same program spends the same fuel. */
  readonly fixedHashes: boolean;
}

/** The granted file of the host at that number in the plan. Throws RangeError where there is none. */
export function hostFileAt(plan: SandboxPlan, number: number): PlannedHostFile {
  const place = plan.places[number]?.[1];
  if (place?.kind !== "hostFile") throw new RangeError(`place ${number} is no file of the host`);
  return place;
}

/** Of an interpreter that waits: nothing is granted, and none of the guest's code runs. */
export const idlePlan: SandboxPlan = {
  places: [],
  environment: [],
  args: [""],
  stdin: new Uint8Array(0),
  clock: "coarse",
  timeZone: "UTC",
  limits: {
    memoryBytes: 2 ** 26,
    hostMemoryBytes: 2 ** 20,
    wallMs: Number.POSITIVE_INFINITY,
    cpuMs: Number.POSITIVE_INFINITY,
    fuel: Number.POSITIVE_INFINITY,
    outputBytes: 2 ** 16,
    valueBytes: 2 ** 16,
    openFiles: 64,
    recursion: 1000,
  },
  soft: undefined,
  wallPauses: false,
  functions: false,
  fixedHashes: false,
};
