// A function each call of which waits for a yes, from a person or from code of the embedder's. Everything but a plain yes is a no.
import { OptionError } from "../../errors/option-error.ts";
import { now, run, type Steps } from "../../filesystems/later.ts";
import { type Callable, changedEach, changedFunction, demandCallable, refusal } from "./around-function.ts";
import { isAsyncFunction } from "./async-function.ts";
import type { Arguments } from "./function-capability.ts";

/** The call that is to be approved. */
export interface ApprovalRequest {
  /** As the guest calls it. */
  readonly name: string;
  /** As the guest gave them: hostile, and not yet checked by the function's own schema. */
  readonly arguments: Arguments;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Only `true`, alone or as `approved`, is a yes. `reason` is told the guest with a no. */
export type Approval = boolean | { readonly approved: boolean; readonly reason?: string | undefined };

/**
 * `ask` is called before each call; for an object, of each method and attribute. What is not approved is a PermissionError in the guest, with
 * the reason if one is given. Where `ask` is an async function, so is the function in the guest: what a person decides comes later. If `ask`
 * throws, the call fails, and the guest learns no more than that. Throws OptionError for what cannot be called.
 */
export function approved<C extends Callable>(
  capability: C,
  ask: (request: ApprovalRequest) => Approval | PromiseLike<Approval>,
): C {
  demandCallable("approved", capability);
  if (typeof ask !== "function") throw new OptionError("approved ask", ask, "a function");
  return changedEach(capability, (each) =>
    changedFunction(each, {
      signature: isAsyncFunction(ask) ? { ...each.signature, isAsync: true } : each.signature,
      invoke: (given, call) => {
        function* steps(): Steps<unknown> {
          const answer = yield* now(ask({ name: call.name, arguments: given, signal: call.signal }));
          // Whoever asked may have gone meanwhile: a late yes does nothing.
          call.signal.throwIfAborted();
          if (!isYes(answer)) throw refusal(call, `was not approved${reasonOf(answer)}`);
          return yield* now(each.invoke(given, call));
        }
        return run(steps());
      },
    }),
  );
}

function isYes(answer: unknown): boolean {
  if (typeof answer !== "object" || answer === null) return answer === true;
  return "approved" in answer && answer.approved === true;
}

function reasonOf(answer: unknown): string {
  const reason =
    typeof answer === "object" && answer !== null && "reason" in answer ? answer.reason : undefined;
  return typeof reason === "string" && reason !== "" ? `: ${reason}` : "";
}
