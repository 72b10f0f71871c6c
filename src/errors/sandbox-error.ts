// The root of every error that this package throws. `code` is stable and has a page in docs/errors.

/** What is left of the sandbox: usable for another run, lost until reset, or none was made. */
export type SandboxState = "usable" | "lost" | "none";

export type ErrorCode =
  | "PYTHON_EXCEPTION"
  | "LIMIT_WALL"
  | "LIMIT_CPU"
  | "LIMIT_FUEL"
  | "LIMIT_HOST_MEMORY"
  | "LIMIT_OUTPUT"
  | "LIMIT_VALUE"
  | "SANDBOX_EXITED"
  | "SANDBOX_ABORTED"
  | "SANDBOX_CRASHED"
  | "SANDBOX_CLOSED"
  | "SANDBOX_BUSY"
  | "RUN_CANCELLED"
  | "VALUE_NOT_COPIED"
  | "POOL_FULL"
  | "POOL_CLOSED"
  | "POOL_CANCELLED"
  | "BAD_OPTION"
  | "OVERLAY_CONFLICT"
  | "OVERLAY_COMMIT_FAILED"
  | "FILE_NOT_FOUND"
  | "FILE_NOT_READABLE"
  | "FILE_TOO_LARGE"
  | "FILE_CHANGED"
  | "IMAGE_UNKNOWN_FILE"
  | "IMAGE_BUILD_FAILED";

export abstract class SandboxError extends Error {
  abstract readonly code: ErrorCode;
  abstract readonly sandbox: SandboxState;
}
