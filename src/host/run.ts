// What a run is asked with and what it gives back.

import { OptionError } from "../errors/option-error.ts";
import {
  LimitError,
  SandboxLostError as Lost,
  PythonError,
  type SandboxLostError,
} from "../errors/run-errors.ts";
import type { Outcome } from "../interpreter/interpreter.ts";
import { decodeMarshal } from "../interpreter/marshal/decode.ts";
import { encodeMarshal } from "../interpreter/marshal/encode.ts";
import { UnsupportedValueError } from "../interpreter/marshal/unsupported-value-error.ts";
import type { GuestValue } from "../interpreter/marshal/values.ts";
import type { OutputStream } from "./output-ring.ts";
import type { SandboxPlan } from "./plan.ts";

export interface RunOptions {
  /** Variables to set before the source runs. */
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** The name that tracebacks show. Default "<run N>". */
  readonly filename?: string;
  /** Stops the run at once; the sandbox is lost until reset(). */
  readonly signal?: AbortSignal;
  /** Treats the source as a whole program: atexit handlers run at its end. */
  readonly finalize?: boolean;
  /** Called with output as it comes. Bytes are the guest's: escape them before a person reads them. */
  readonly onOutput?: (stream: OutputStream, bytes: Uint8Array<ArrayBuffer>) => void;
}

export interface Usage {
  /** From the request to the answer. */
  readonly wallMs: number;
  /** Linear memory of the interpreter after the run. */
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

export interface Run {
  /** Value of the last expression statement; undefined when the source does not end in one. See docs for the mapping. */
  readonly value: GuestValue;
  readonly stdout: string;
  readonly stderr: string;
  /** What SystemExit carried; 0 when the source ran to its end. */
  readonly exitCode: number;
  readonly usage: Usage;
}

const maxRequestBytes = 64 * 2 ** 20;

export function encodeRun(source: string, options: RunOptions): Uint8Array {
  if (typeof source !== "string") throw new OptionError("source", source, "Python source text");
  const request = {
    action: "run",
    source,
    filename: options.filename ?? null,
    inputs: options.inputs ?? {},
    finalize: options.finalize === true,
  };
  try {
    return encodeMarshal(request, { maxBytes: maxRequestBytes });
  } catch (error) {
    if (!(error instanceof UnsupportedValueError)) throw error;
    throw new OptionError(
      error.path,
      error.message,
      "None, numbers, strings, bytes, arrays, Maps, Sets and plain objects of these",
      {
        cause: error,
      },
    );
  }
}

export type Ending =
  | { readonly value: GuestValue; readonly exitCode: number }
  | { readonly error: PythonError | LimitError | SandboxLostError };

/** Turns a worker's outcome into a value or the error to throw. The answer's bytes are hostile. */
export function endingOf(outcome: Outcome, plan: SandboxPlan): Ending {
  switch (outcome.kind) {
    case "answer":
      return readAnswer(outcome.bytes);
    case "oversized":
      return { error: new LimitError("value", plan.limits.valueBytes, outcome.bytes, "usable") };
    case "crashed":
      return { error: new Lost("SANDBOX_CRASHED", `the interpreter crashed: ${outcome.detail}`) };
    case "stopped": {
      const { reason } = outcome;
      switch (reason.kind) {
        case "limit":
          return { error: new LimitError(reason.limit, reason.budget, reason.used, "lost") };
        case "exit":
          return {
            error: new Lost(
              "SANDBOX_EXITED",
              `the guest ended its process with status ${reason.status}`,
              reason.status,
            ),
          };
        case "abort":
          return { error: new Lost("SANDBOX_ABORTED", `the interpreter aborted: ${reason.detail}`) };
        case "refused":
          return {
            error: new Lost("SANDBOX_CRASHED", `the guest called ${reason.detail}, which no sandbox offers`),
          };
        case "trap":
          return { error: new Lost("SANDBOX_CRASHED", `the interpreter crashed: ${reason.detail}`) };
        case "fault":
          return { error: new Lost("SANDBOX_CRASHED", `the kernel failed in ${reason.detail}`) };
      }
    }
  }
}

const unreadable = (): Ending => ({
  error: new Lost("SANDBOX_CRASHED", "the interpreter's answer cannot be read"),
});

function readAnswer(bytes: Uint8Array): Ending {
  let answer: GuestValue;
  try {
    answer = decodeMarshal(bytes);
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
      return { value: answer.get("value"), exitCode: 0 };
    case "exit": {
      const status = answer.get("status");
      return { value: undefined, exitCode: typeof status === "number" ? status : 255 };
    }
    case "error":
      return { error: new PythonError(text("type"), text("message"), text("traceback")) };
    default:
      return unreadable();
  }
}
