// A place with a budget: bytes, opened files, time. (Of functions: functions/limited-functions.ts.) The budget belongs to the capability. All sandboxes that have it spend from the
// same one, and a reset does not fill it again; who wants one for each sandbox makes one for each.
import { isDate } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";
import { type Around, aroundTree } from "../../filesystems/around-tree.ts";
import { now, run, type Steps } from "../../filesystems/later.ts";
import type { Later, Tree } from "../../filesystems/tree.ts";
import { fail } from "../../kernel/kernel-error.ts";
import type { FileCapability, Wrapped } from "../capability.ts";
import { type Callable, isCallable } from "../functions/around-function.ts";
import { type CallLimits, limitedFunction } from "../functions/limited-functions.ts";
import { optionFields } from "../option-fields.ts";
import { bytes, count, milliseconds, type Quantity } from "../quantity.ts";
import { endingTree, OpenFiles } from "./revocable.ts";
import { wrapped } from "./wrapped.ts";

/** A budget for a place. What is left out or undefined is without limit. */
export interface FileLimits {
  /** Content read and written, together. */
  readonly bytes?: Quantity | undefined;
  /** Content read. */
  readonly bytesRead?: Quantity | undefined;
  /** Content written. */
  readonly bytesWritten?: Quantity | undefined;
  /** How many files may be opened, one after the other or at once; opening the same one again counts again. */
  readonly opens?: number | undefined;
  /** When the use ends: a date, or a duration (milliseconds, or "30 s") from the first lifetime of a sandbox with it on. */
  readonly until?: Date | Quantity | undefined;
}

/**
 * The same place with a budget of its own, from which all sandboxes that have it spend, and which no reset fills again. What it does not allow any more fails with EDQUOT; a read or write that it allows in part is done in part. After `until` all is
 * as after `revoke` of a revocable. Names, attributes and the size that `truncate` gives a file are no content and cost nothing.
 *
 * Of a function, or an object with all its methods and attributes: what is not allowed any more is a PermissionError.
 */
export function limited<C extends Callable>(capability: C, limits: CallLimits): C;
export function limited(capability: FileCapability, limits: FileLimits): Wrapped;
export function limited(
  capability: Callable | FileCapability,
  limits: CallLimits | FileLimits,
): Callable | Wrapped {
  return isCallable(capability)
    ? limitedFunction(capability, limits as CallLimits)
    : limitedPlace(capability, limits as FileLimits);
}

function limitedPlace(capability: FileCapability, limits: FileLimits): Wrapped {
  optionFields("limited", limits, ["bytes", "bytesRead", "bytesWritten", "opens", "until"]);
  const all = new Budget("bytes", limits.bytes);
  const reading = [all, new Budget("bytesRead", limits.bytesRead)];
  const writing = [all, new Budget("bytesWritten", limits.bytesWritten)];
  const opens = limits.opens === undefined ? Infinity : count("limited opens", limits.opens);
  const budgets = { reading, writing, opening: [new Budget("opens", opens)] };
  const end = new End(limits.until);
  return wrapped(capability, (tree, { nowMs, fault }) => {
    end.start(nowMs());
    return endingTree(budgetedTree(tree, budgets), new OpenFiles(() => end.reached(nowMs()), fault));
  });
}

interface Budgets {
  readonly reading: readonly Budget[];
  readonly writing: readonly Budget[];
  readonly opening: readonly Budget[];
}

function budgetedTree(tree: Tree, { reading, writing, opening }: Budgets): Tree {
  const around: Around = (request, proceed) => {
    switch (request.operation) {
      case "open":
        return spend(
          opening,
          1,
          (granted) => (granted === 0 ? fail("EDQUOT") : proceed(request)),
          () => 1,
        );
      case "read": {
        const { length } = request;
        // Without a budget one byte is looked at all the same, because the end of a file may still be told.
        const ask = (granted: number): Later<unknown> =>
          proceed({ ...request, length: granted === 0 && length > 0 ? 1 : granted });
        return spend(reading, length, ask, (answer) => (answer as Uint8Array).length);
      }
      case "write": {
        const wanted = request.bytes.length;
        const ask = (granted: number): Later<unknown> =>
          granted === 0 && wanted > 0
            ? fail("EDQUOT")
            : proceed({ ...request, bytes: request.bytes.subarray(0, granted) });
        return spend(
          writing,
          wanted,
          ask,
          (answer, granted) => (answer as number | undefined) ?? granted,
          true,
        );
      }
      default:
        return proceed(request);
    }
  };
  return aroundTree(tree, around);
}

/** Takes what there is of `wanted`, asks with that, and gives back what the answer did not use; all of it after a refusal. */
function spend(
  budgets: readonly Budget[],
  wanted: number,
  ask: (granted: number) => Later<unknown>,
  used: (answer: unknown, granted: number) => number,
  told = false,
): Later<unknown> {
  function* steps(): Steps<unknown> {
    const granted = Math.min(wanted, ...budgets.map((budget) => budget.left));
    for (const budget of budgets) budget.left -= granted;
    let spent = 0;
    try {
      const answer = yield* now(ask(granted));
      const amount = used(answer, granted);
      if (amount > granted) fail("EDQUOT");
      spent = amount;
      // Whoever is told nothing believes that all was done.
      return told ? amount : answer;
    } finally {
      for (const budget of budgets) budget.left += granted - spent;
    }
  }
  return run(steps());
}

class Budget {
  left: number;

  constructor(option: string, quantity: Quantity | undefined) {
    this.left =
      quantity === undefined || quantity === Infinity ? Infinity : bytes(`limited ${option}`, quantity);
  }
}

class End {
  readonly #lengthMs: number | undefined;
  #endMs = Infinity;

  constructor(until: Date | Quantity | undefined) {
    if (isDate(until)) {
      this.#endMs = until.getTime();
      if (Number.isNaN(this.#endMs)) throw new OptionError("limited until", until, "a valid date");
    } else if (until !== undefined) this.#lengthMs = milliseconds("limited until", until);
  }

  start(nowMs: number): void {
    if (this.#lengthMs !== undefined && this.#endMs === Infinity) this.#endMs = nowMs + this.#lengthMs;
  }

  reached(nowMs: number): boolean {
    return nowMs >= this.#endMs;
  }
}
