// What a run is asked with and what it gives back.

import type { ValueOptions } from "../capabilities/functions/function-capability.ts";
import { OptionError } from "../errors/option-error.ts";
import {
  LimitError,
  type LimitName,
  SandboxLostError as Lost,
  PythonError,
  RunError,
  type SandboxLostError,
} from "../errors/run-errors.ts";
import type { Outcome } from "../interpreter/interpreter.ts";
import { decodeMarshal, decodeValue, MarshalFormatError } from "../interpreter/marshal/decode.ts";
import { encodeMarshal, encodeValue } from "../interpreter/marshal/encode.ts";
import { demandJson, NotJsonError } from "../interpreter/marshal/json-shape.ts";
import { UnsupportedValueError } from "../interpreter/marshal/unsupported-value-error.ts";
import type { GuestValue } from "../interpreter/marshal/values.ts";
import type { StopReason } from "../kernel/guest-stop.ts";
import { monotonicMs } from "../platform/node/powers.ts";
import type { ObserveCalls } from "./calls/embedder.ts";
import type { SessionReport } from "./meters.ts";
import { optionRecord } from "./options/option-record.ts";
import { checkSignal } from "./options/signal-option.ts";
import type { SandboxPlan } from "./plan.ts";
import type { Usage } from "./usage.ts";
import type { TakeOutput } from "./walls/wall.ts";

export interface RunOptions {
  /** Variables to set before the source runs, by name: at most 64 MiB when encoded, with the source. */
  readonly inputs?: Readonly<Record<string, unknown>> | undefined;
  /** How inputs and the result cross; by default dicts become Maps, and what contains itself is refused. */
  readonly values?: Partial<ValueOptions> | undefined;
  /** The name that tracebacks show, and the program finds as `__file__`. Default: "<run N>", and no `__file__`. */
  readonly filename?: string | undefined;
  /**
   * Stops the run at once, as RunError; the sandbox is lost until reset(). Aborted before, its reason is thrown and nothing runs. Inline,
   * that is when it calls `onOutput`, or while it waits at a top-level `await` of a function of the host.
   */
  readonly signal?: AbortSignal | undefined;
  /** Whether the value of a last expression is wanted. Default true. With false nothing is copied: `value` is null. */
  readonly value?: boolean | undefined;
  /** Treats the source as a whole program: at its end atexit handlers run, files are closed and all variables go. Default false. */
  readonly finalize?: boolean | undefined;
  /**
   * Called with output as it comes. Bytes are the guest's: escape them before a person reads them. What it throws ends the run and is
   * thrown by it; look at `sandbox.state`, which may then be "lost".
   */
  readonly onOutput?: TakeOutput | undefined;
  /** Called when the guest calls a function of the host, and when that has answered; what it throws is a warning of the process. */
  readonly onCall?: ObserveCalls | undefined;
}

export interface Run {
  /**
   * Value of the last expression statement; null when the source does not end in one, undefined when it ended in SystemExit. The README
   * has the mapping.
   */
  readonly value: GuestValue;
  readonly stdout: string;
  readonly stderr: string;
  /** What SystemExit carried; 0 when the source ran to its end. */
  readonly exitCode: number;
  /** The limit that the guest was told of and then ended by itself within its grace time (`limits.soft`). */
  readonly softStop?: LimitName;
  readonly usage: Usage;
}

const maxRequestBytes = 64 * 2 ** 20;

const optionNames = [
  "inputs",
  "values",
  "filename",
  "value",
  "signal",
  "finalize",
  "onOutput",
  "onCall",
] satisfies (keyof RunOptions)[];

/** Throws OptionError for whatever a run cannot be asked with. */
export function encodeRun(source: string, options: RunOptions): Uint8Array {
  if (typeof source !== "string") throw new OptionError("source", source, "Python source text");
  optionRecord("", options, optionNames);
  const { inputs = {}, filename = null, finalize = false, value = true, values } = options;
  checkOptions(options);
  checkValueOptions(values);
  const request = { action: "run", source, filename, ...crossing(inputs, values), finalize, value };
  try {
    return encodeMarshal(request, { maxBytes: maxRequestBytes, root: "run" });
  } catch (cause) {
    // Texts, flags and bytes can only be too large.
    if (!(cause instanceof UnsupportedValueError)) throw cause;
    const accepted = "source and inputs of at most 64 MiB in all";
    throw new OptionError(cause.path.replace(/^run\./, ""), cause.found, accepted, { cause });
  }
}

/** What has records must be restored in there; most runs have no inputs at all. */
function crossing(
  inputs: Readonly<Record<string, unknown>>,
  values: Partial<ValueOptions> | undefined,
): object {
  if (Object.keys(inputs).length === 0) return { inputs: {}, records: null };
  try {
    const { references } = values ?? {};
    const { bytes, records } = encodeValue(inputs, { maxBytes: maxRequestBytes, references });
    return { inputs: bytes, records };
  } catch (cause) {
    if (!(cause instanceof UnsupportedValueError)) throw cause;
    throw new OptionError(cause.path, cause.message, "what docs/values.md lists", { cause });
  }
}

function checkOptions({ inputs, filename, value, finalize, signal, onOutput, onCall }: RunOptions): void {
  const demand = (option: string, value: unknown, isAccepted: boolean, accepted: string): void => {
    if (value !== undefined && !isAccepted) throw new OptionError(option, value, accepted);
  };
  demand("inputs", inputs, isPlain(inputs), "an object whose members are the variables");
  demand(
    "filename",
    filename,
    typeof filename === "string" && filename !== "" && !filename.includes("\0"),
    "a name",
  );
  demand("value", value, typeof value === "boolean", "true or false");
  demand("finalize", finalize, typeof finalize === "boolean", "true or false");
  checkSignal(signal);
  demand("onOutput", onOutput, typeof onOutput === "function", "a function");
  demand("onCall", onCall, typeof onCall === "function", "a function");
}

/** What a Map or an instance of a class holds would be passed over. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const shapes: readonly unknown[] = ["maps", "objects", "json"];

function checkValueOptions(values: Partial<ValueOptions> | undefined): void {
  if (values === undefined) return;
  optionRecord("values", values, ["shape", "references", "exactFloats"]);
  const { shape = "maps", references = "refuse", exactFloats = false } = values;
  if (!shapes.includes(shape)) throw new OptionError("values.shape", shape, '"maps", "objects", "json"');
  if (references !== "refuse" && references !== "keep")
    throw new OptionError("values.references", references, '"refuse", "keep"');
  if (typeof exactFloats !== "boolean")
    throw new OptionError("values.exactFloats", exactFloats, "true or false");
}

type Ending =
  | Pick<Run, "value" | "exitCode" | "softStop">
  | { readonly error: PythonError | LimitError | SandboxLostError | RunError };

/** Turns what came through the wall into a value or the error to throw. An answer's bytes are hostile. */
export function endingOf(report: SessionReport, plan: SandboxPlan, values?: Partial<ValueOptions>): Ending {
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

function readAnswer(bytes: Uint8Array, values: Partial<ValueOptions> = {}): Ending {
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
