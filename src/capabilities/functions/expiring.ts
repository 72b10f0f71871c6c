// Functions and places whose use ends at a time.
import { isDate } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";
import type { FileCapability, Wrapped } from "../capability.ts";
import { optionFields } from "../option-fields.ts";
import { milliseconds, type Quantity } from "../quantity.ts";
import { limited } from "../wrappers/limited.ts";
import { type Callable, isCallable } from "./around-function.ts";
import { endingFunction } from "./ended-functions.ts";

/** When a use ends: exactly one of the two. */
export interface Expiry {
  /** The moment. */
  readonly at?: Date | undefined;
  /** A duration, in milliseconds or as "30 s". Of a function, from its first call on; of a place, from the first sandbox with it on. */
  readonly after?: Quantity | undefined;
}

/**
 * The same function, object or place until a time. What is under way then is not ended, but nothing of it is given any more: a function is a
 * PermissionError, a place as after `revoke` of a revocable. Throws OptionError unless exactly one of `at` and `after` is given.
 */
export function expiring<C extends Callable>(capability: C, expiry: Expiry): C;
export function expiring(capability: FileCapability, expiry: Expiry): Wrapped;
export function expiring(capability: Callable | FileCapability, expiry: Expiry): Callable | Wrapped {
  const { at, after } = optionFields("expiring", expiry, ["at", "after"]) as Expiry;
  if ((at === undefined) === (after === undefined))
    throw new OptionError("expiring", expiry, 'either { at: new Date(…) } or { after: "30 s" }');
  if (at !== undefined && !(isDate(at) && !Number.isNaN(at.getTime())))
    throw new OptionError("expiring at", at, "a valid date");
  const until = at ?? milliseconds("expiring after", after);
  return isCallable(capability)
    ? endingFunction(capability, "expiring after", until)
    : limited(capability, { until });
}
