// What the embedder asked for cannot be done. Thrown before anything starts: no sandbox was made, or the one that was asked is as it was.
import { SandboxError, type SandboxState } from "./sandbox-error.ts";

/** What was asked for cannot be done, and nothing of it was begun. The message names the option, what was found, and what is accepted. */
export class OptionError extends SandboxError {
  override readonly name = "OptionError";
  readonly code = "BAD_OPTION";
  readonly sandbox: SandboxState;
  /** Where it stands, e.g. `limits.memory` or `files["/in/a.csv"]`. */
  readonly option: string;
  /** What is accepted there. */
  readonly accepted: string;

  /** `found` is shown shortened; `accepted` completes "accepted: …". */
  constructor(option: string, found: unknown, accepted: string, options?: ErrorOptions) {
    super(`${option}: ${show(found)} is not accepted; accepted: ${accepted}`, options);
    this.sandbox = "none";
    this.option = option;
    this.accepted = accepted;
  }
}

/** Checks what a sandbox is asked for, which is in this state. */
export function checkedFor<T>(sandbox: SandboxState, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof OptionError) Object.assign(error, { sandbox });
    throw error;
  }
}

function show(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
  // Decimal text of a long one, which may come from a guest, takes far longer than it is long.
  if (typeof value === "bigint")
    return BigInt.asIntN(128, value) === value ? `${value}n` : "a bigint of more than 128 bits";
  if (typeof value === "object" && value !== null)
    return `an object of type ${value.constructor?.name ?? "null-prototype"}`;
  return typeof value === "symbol" || typeof value === "function" ? `a ${typeof value}` : String(value);
}
