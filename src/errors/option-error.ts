// What the embedder asked for cannot be done. Thrown before anything starts, so no sandbox exists.
import { SandboxError, type SandboxState } from "./sandbox-error.ts";

export class OptionError extends SandboxError {
  override readonly name = "OptionError";
  readonly code = "BAD_OPTION";
  readonly sandbox: SandboxState = "none";
  /** Where it stands, e.g. `limits.memory` or `files["/in/a.csv"]`. */
  readonly option: string;
  /** What is accepted there. */
  readonly accepted: string;

  /** `found` is shown shortened; `accepted` completes "accepted: …". */
  constructor(option: string, found: unknown, accepted: string, options?: ErrorOptions) {
    super(`${option}: ${show(found)} is not accepted; accepted: ${accepted}`, options);
    this.option = option;
    this.accepted = accepted;
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
