// What a worker is told about its sandbox: plain data, made by the host from checked options. No authority is in it but the
// descriptors behind the tickets.

import type { HostFileMode } from "../capabilities/capability.ts";
import type { ClockPolicy } from "../kernel/clocks.ts";
import type { HostFileTicket } from "../platform/node/host-files.ts";

export type PlannedPlace =
  | {
      readonly kind: "hostFile";
      readonly mode: HostFileMode;
      readonly maxBytes: number;
      readonly ticket: HostFileTicket;
    }
  | { readonly kind: "memoryFile"; readonly bytes: Uint8Array }
  | { readonly kind: "scratch"; readonly quotaBytes: number; readonly maxFiles: number };

export interface SandboxPlan {
  /** Guest path to place. */
  readonly places: readonly (readonly [string, PlannedPlace])[];
  readonly environment: readonly (readonly [string, string])[];
  readonly args: readonly string[];
  /** What standard input holds; "host" is the process's own. */
  readonly stdin: Uint8Array | "host";
  readonly clock: ClockPolicy;
  readonly timeZone: string;
  readonly limits: {
    readonly memoryBytes: number;
    readonly wallMs: number;
    readonly outputBytes: number;
    readonly valueBytes: number;
    readonly openFiles: number;
  };
}
