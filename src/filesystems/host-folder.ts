// A granted folder of the host as plain data, which crosses between threads: descriptors belong to the process.
import type { AllowanceWords } from "./allowance.ts";

export const hostDirectoryModes = ["read", "write", "create-only"] as const;
/** What a granted folder of the host may be used for; see hostDirectory. */
export type HostDirectoryMode = (typeof hostDirectoryModes)[number];

export interface HostFolderTicket {
  /** The folder itself, opened once; undefined when the ticket was released. */
  fd: number | undefined;
  readonly mode: HostDirectoryMode;
  /** Undefined: everything. */
  readonly match: readonly string[] | undefined;
  /** How much the folder may grow by this grant, in bytes. */
  readonly growth: AllowanceWords;
  /** How many names the grant may make. */
  readonly names: AllowanceWords;
}
