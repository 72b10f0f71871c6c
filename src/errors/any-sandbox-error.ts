// All errors of this package as one union, so that TypeScript tells them apart by their `code`. Nothing of it is there at run time.
import type { GuestFileError } from "./guest-file-error.ts";
import type { ImageError } from "./image-error.ts";
import type { OptionError } from "./option-error.ts";
import type { OverlayCommitError, OverlayConflictError } from "./overlay-errors.ts";
import type { PoolError } from "./pool-error.ts";
import type { LimitError, PythonError, RunError, SandboxLostError } from "./run-errors.ts";
import { SandboxError as Root } from "./sandbox-error.ts";

/** Every error of this package: a `switch` on `code` tells which one it is. */
export type AnySandboxError =
  | PythonError
  | LimitError
  | SandboxLostError
  | RunError
  | OptionError
  | PoolError
  | ImageError
  | GuestFileError
  | OverlayConflictError
  | OverlayCommitError;

/** The root of all errors of this package. After `instanceof SandboxError` an error is known as AnySandboxError. */
export type SandboxError = Root;
/** The root of all errors of this package. After `instanceof SandboxError` an error is known as AnySandboxError. */
export const SandboxError: typeof Root & { [Symbol.hasInstance](value: unknown): value is AnySandboxError } =
  Root as never;
