// The root of every error that this package throws. `code` is stable and has a page in docs/errors.

/** What is left of the sandbox: usable for another run, lost until reset, or none was made. */
export type SandboxState = "usable" | "lost" | "none";

/** Each has a page in docs/errors: whose fault it is, what is left, what to do. */
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

/** The root of all errors of this package; embedders know it as that of any-sandbox-error.ts. */
export abstract class SandboxError extends Error {
  /** Stable; messages are not. */
  abstract readonly code: ErrorCode;
  /** What is left of the sandbox. */
  abstract readonly sandbox: SandboxState;
}
