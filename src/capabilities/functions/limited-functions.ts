// Functions with a budget. The number of calls belongs to the capability: all sandboxes that have it spend from it, and a reset does not
// fill it again. Bytes and concurrency are limits that the host counts for each grant.
import { optionFields } from "../option-fields.ts";
import { count, type Quantity } from "../quantity.ts";
import { type Callable, changedEach, changedFunction, refusal } from "./around-function.ts";
import { endingFunction } from "./ended-functions.ts";
import { checkLimitOptions, narrowerLimits } from "./function-limits.ts";

/** A budget for calls. What is left out or undefined is without limit, as far as the function's own limits go. */
export interface CallLimits {
  /** Calls of all sandboxes, together; of an object, of all its methods and attributes. A call costs one, whatever comes of it. */
  readonly calls?: number | undefined;
  /** Encoded arguments and answers, for each name that it is granted under and each lifetime of a sandbox. */
  readonly bytes?: Quantity | undefined;
  /** Calls at once, for each name and lifetime. */
  readonly concurrency?: number | undefined;
  /** When the use ends: a date, or a duration (milliseconds, or "30 s") from the first call on. */
  readonly until?: Date | Quantity | undefined;
}

const unlimited = { calls: Infinity, concurrency: Infinity, bytes: Infinity };

export function limitedFunction<C extends Callable>(inner: C, given: CallLimits): C {
  const known = ["calls", "bytes", "concurrency", "until"];
  const { calls, bytes, concurrency, until } = optionFields("limited", given, known) as CallLimits;
  const narrower = checkLimitOptions("limited", definedOf({ bytes, concurrency }), unlimited);
  const most = calls === undefined ? Infinity : count("limited calls", calls);
  let left = most;
  const counted = changedEach(inner, (each) =>
    changedFunction(each, {
      limits: narrowerLimits(each.limits, narrower),
      invoke: (args, call) => {
        if (left <= 0) throw refusal(call, `may be called no more: ${usedUp(most)}`);
        left -= 1;
        return each.invoke(args, call);
      },
    }),
  );
  return until === undefined ? counted : endingFunction(counted, "limited until", until);
}

function usedUp(calls: number): string {
  return calls === 1 ? "its one call is used up" : `its ${calls} calls are used up`;
}

function definedOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
