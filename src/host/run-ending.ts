// From what came through the wall to a run's value or the error to throw. An answer's bytes are hostile.

import type { GivenValueOptions } from "../capabilities/functions/function-capability.ts";
import {
  LimitError,
  SandboxLostError as Lost,
  PythonError,
  RunError,
  type SandboxLostError,
} from "../errors/run-errors.ts";
import type { Outcome } from "../interpreter/interpreter.ts";
import { decodeMarshal, decodeValue, MarshalFormatError } from "../interpreter/marshal/decode.ts";
import { demandJson, NotJsonError } from "../interpreter/marshal/json-shape.ts";
import type { GuestValue } from "../interpreter/marshal/values.ts";
import type { StopReason } from "../kernel/guest-stop.ts";
import { monotonicMs } from "../platform/node/powers.ts";
import type { SessionReport } from "./meters.ts";
import type { SandboxPlan } from "./plan.ts";
import type { Run } from "./run.ts";

type Ending =
  | Pick<Run, "value" | "exitCode" | "softStop">
  | { readonly error: PythonError | LimitError | SandboxLostError | RunError };

export function endingOf(report: SessionReport, plan: SandboxPlan, values?: GivenValueOptions): Ending {
  const { outcome, meters } = report;
  if (outcome.kind !== "answer") return { error: failureOf(outcome, plan) };
  const ending = readAnswer(outcome.bytes, values);
  const told = meters.softStop;
  if (told === undefined) return ending;
  if (!("error" in ending)) return { ...ending, softStop: told.limit };
  const { limit, budget, used } = told;
  return { error: new LimitError(limit, budget, used, "usable", { cause: ending.error }) };
}

/** The error for an outcome that is no answer. */
export function failureOf(
  outcome: Outcome,
  plan: SandboxPlan | undefined,
): LimitError | SandboxLostError | RunError {
  switch (outcome.kind) {
    case "answer":
      return new Lost("SANDBOX_CRASHED", "the interpreter gave an answer where none was asked for");
    case "oversized":
      return oversizedError(outcome.bytes, plan);
    case "crashed":
      return new Lost("SANDBOX_CRASHED", `the interpreter crashed: ${outcome.detail}`);
    case "stopped":
      return stopError(outcome.reason);
  }
}

/** A result is refused for its own limit, or because what the host may hold has no room for it. */
function oversizedError(bytes: number, plan: SandboxPlan | undefined): LimitError {
  const { valueBytes = 0, hostMemoryBytes = 0 } = plan?.limits ?? {};
  return bytes > valueBytes
    ? new LimitError("value", valueBytes, bytes, "usable")
    : new LimitError("hostMemory", hostMemoryBytes, bytes, "usable");
}

function stopError(reason: StopReason): LimitError | SandboxLostError | RunError {
  switch (reason.kind) {
    case "limit":
      return new LimitError(reason.limit, reason.budget, reason.used, "lost");
    case "cancelled":
      return new RunError("RUN_CANCELLED", "the run was cancelled", "lost");
    case "exit": {
      const message = `the guest ended its process with status ${reason.status}`;
      return new Lost("SANDBOX_EXITED", message, reason.status);
    }
    case "abort":
      return new Lost("SANDBOX_ABORTED", `the interpreter aborted: ${reason.detail}`);
    case "stack":
      return new Lost("SANDBOX_CRASHED", "the interpreter crashed: the engine's stack is exhausted");
    case "refused":
      return new Lost("SANDBOX_CRASHED", `the guest called ${reason.detail}, which no sandbox offers`);
    case "trap":
      return new Lost("SANDBOX_CRASHED", `the interpreter crashed: ${reason.detail}`);
    case "fault":
      return new Lost("SANDBOX_CRASHED", `the kernel failed in ${reason.detail}`);
  }
}

/** What is no value at all can only have been made by a guest that has taken over its interpreter; it is refused like one too deep. */
function endingWith(read: () => GuestValue): Ending {
  try {
    return { value: read(), exitCode: 0 };
  } catch (error) {
    if (!(error instanceof MarshalFormatError || error instanceof NotJsonError)) throw error;
    return {
      error: new RunError("VALUE_NOT_COPIED", `the result cannot be copied: ${error.message}`, "usable"),
    };
  }
}

const unreadable = (): Ending => ({
  error: new Lost("SANDBOX_CRASHED", "the interpreter's answer cannot be read"),
});

function readAnswer(bytes: Uint8Array, values: GivenValueOptions = {}): Ending {
  let answer: GuestValue;
  try {
    answer = decodeMarshal(bytes, { nowMs: monotonicMs, exactFloats: values.exactFloats === true });
  } catch {
    return unreadable();
  }
  if (!(answer instanceof Map)) return unreadable();
  const text = (key: string): string => {
    const value = answer.get(key);
    return typeof value === "string" ? value : "";
  };
  switch (answer.get("end")) {
    case "value":
      return endingWith(() => {
        const value = answer.get("value");
        if (values.shape === "json") demandJson(value);
        return value;
      });
    case "encoded": {
      const content = answer.get("value");
      if (!(content instanceof Uint8Array)) return unreadable();
      const records = answer.get("records") === true;
      return endingWith(() => decodeValue(content, { ...values, records, nowMs: monotonicMs }) as GuestValue);
    }
    case "exit": {
      const status = answer.get("status");
      return { value: undefined, exitCode: typeof status === "number" ? status : 255 };
    }
    case "error": {
      const reported = answer.get("reported") === true;
      return { error: new PythonError(text("type"), text("message"), text("traceback"), reported) };
    }
    default:
      return unreadable();
  }
}
