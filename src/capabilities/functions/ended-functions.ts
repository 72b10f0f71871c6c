// Functions whose use ends: when the embedder says so, or at a time.
import { isDate } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";
import { milliseconds, type Quantity } from "../quantity.ts";
import { type Callable, changedEach, changedFunction, refusal } from "./around-function.ts";
import { EndingCalls } from "./ending-calls.ts";
import type { FunctionCall } from "./function-capability.ts";

/** A function or object to grant, and the end of its use. */
export interface RevocableFunction<C extends Callable> {
  readonly capability: C;
  /** Ends all use, now and for good: later calls, and those under way, are a PermissionError. Calling it again does nothing. */
  revoke(): void;
}

export function revocableFunction<C extends Callable>(inner: C): RevocableFunction<C> {
  let revoked = false;
  const calls = new EndingCalls((call) => (revoked ? refusal(call, "was revoked") : undefined));
  return {
    capability: endingEach(inner, calls),
    revoke: () => {
      revoked = true;
      calls.sweep();
    },
  };
}

/** `until`: a date, or a duration that begins with the first call. Nothing is given after it, and no timer runs. */
export function endingFunction<C extends Callable>(inner: C, option: string, until: Date | Quantity): C {
  const end = endOf(option, until);
  return endingEach(
    inner,
    new EndingCalls((call) =>
      end(call) ? refusal(call, "can be called no more: its time is over") : undefined,
    ),
  );
}

function endOf(option: string, until: Date | Quantity): (call: FunctionCall) => boolean {
  if (isDate(until)) {
    const endMs = until.getTime();
    if (Number.isNaN(endMs)) throw new OptionError(option, until, "a valid date");
    return (call) => call.nowMs() >= endMs;
  }
  const lengthMs = milliseconds(option, until);
  let endMs: number | undefined;
  return (call) => {
    const nowMs = call.nowMs();
    endMs ??= nowMs + lengthMs;
    return nowMs >= endMs;
  };
}

function endingEach<C extends Callable>(inner: C, calls: EndingCalls): C {
  return changedEach(inner, (each) =>
    changedFunction(each, {
      invoke: (given, call) => calls.ask(call, each.signature.streams, (below) => each.invoke(given, below)),
    }),
  );
}
