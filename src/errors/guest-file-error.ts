// A file of the guest that the host asked for cannot be read. Nothing happens to the sandbox; paths and their meaning are the guest's.
import { SandboxError, type SandboxState } from "./sandbox-error.ts";

/** Why a file of the guest could not be read; the last: a run or a reset came between two parts of it. */
export type GuestFileCode = "FILE_NOT_FOUND" | "FILE_NOT_READABLE" | "FILE_TOO_LARGE" | "FILE_CHANGED";

/** A file of the guest that `sandbox.files` was asked for cannot be read. Nothing happens to the sandbox. */
export class GuestFileError extends SandboxError {
  override readonly name = "GuestFileError";
  readonly code: GuestFileCode;
  readonly sandbox: SandboxState;
  /** As it was asked for. */
  readonly path: string;
  /** What a program would have been told, such as "ENOENT"; undefined for a refusal of our own. */
  readonly errno: string | undefined;

  /** `reason` completes "PATH: …". */
  constructor(
    code: GuestFileCode,
    path: string,
    reason: string,
    options: ErrorOptions & {
      readonly errno?: string | undefined;
      readonly sandbox?: SandboxState | undefined;
    } = {},
  ) {
    super(`${shown(path)}: ${reason}`, options);
    this.code = code;
    this.path = path;
    this.errno = options.errno;
    this.sandbox = options.sandbox ?? "usable";
  }
}

function shown(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}
