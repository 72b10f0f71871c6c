// The option `signal`: what withdraws a request. Looked at before anything waits for it.
import { OptionError } from "../../errors/option-error.ts";

/** Any AbortSignal, also of another realm or of a library that brings its own. Throws OptionError. */
export function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined;
  const signal = value as Partial<AbortSignal> | null;
  const listens = [signal?.addEventListener, signal?.removeEventListener].every(
    (method) => typeof method === "function",
  );
  if (typeof signal?.aborted !== "boolean" || !listens)
    throw new OptionError("signal", value, "an AbortSignal");
  return value as AbortSignal;
}
