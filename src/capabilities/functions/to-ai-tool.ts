// A sandbox as a tool of the Vercel AI SDK: a model writes Python, and gets what came of it. The SDK is not imported, nor is the sandbox:
// both are what they look like.
import { OptionError } from "../../errors/option-error.ts";
import { SandboxError } from "../../errors/sandbox-error.ts";
import { optionalFunction, optionalText, optionFields } from "../option-fields.ts";
import { type JsonValue, jsonValue } from "./json-value.ts";

/** What of a Sandbox is used. */
export interface RunsPython {
  /** As of a Sandbox; of errors only those that are a SandboxError become an answer. */
  run(
    source: string,
    options: {
      readonly signal?: AbortSignal;
      readonly onOutput: (stream: "stdout" | "stderr", bytes: Uint8Array<ArrayBuffer>) => void;
    },
  ): Promise<{
    readonly value: unknown;
    /** Absent or undefined is 0. */
    readonly exitCode?: number | undefined;
  }>;
  /** Stub text of what the guest can call and open. */
  describe?(): string;
  /** Called when a run left the sandbox lost. */
  reset?(): Promise<unknown>;
}

/** Of the tool that a sandbox is made. */
export interface ToAiToolOptions {
  /** Before the stub text. Default: that it runs Python, and what is given back. */
  readonly description?: string | undefined;
}

/** What the model is given of a run. */
export interface PythonAnswer {
  /** Whether the program ended well: by no exception, and by no exit code but 0. */
  readonly ok: boolean;
  /** Of the last expression, as JSON has it: what JSON has not as text, and cut if it is large; null where the program did not end well. */
  readonly value: JsonValue;
  readonly stdout: string;
  readonly stderr: string;
  /** What the program ended itself with, unless that is 0. */
  readonly exitCode?: number;
  /** Absent if the program ended well. */
  readonly error?: {
    /** Of an exception its class, which is SystemExit beside an exit code; else the code of the error. */
    readonly type: string;
    readonly message: string;
    readonly traceback?: string;
    /** What of the sandbox is left. */
    readonly sandbox: string;
  };
}

const usual =
  "Runs Python (CPython 3.14) in a sandbox. Gives back the value of the last expression, what was printed, and the error if there was one. " +
  "Variables stay from one call to the next.";

const inputJsonSchema = {
  type: "object",
  properties: { code: { type: "string", description: "Python source text" } },
  required: ["code"],
  additionalProperties: false,
} as const;

type Checked =
  | { readonly success: true; readonly value: { readonly code: string } }
  | { readonly success: false; readonly error: Error };

/**
 * A tool of the Vercel AI SDK with which a model runs Python in `sandbox`. Calls run one after the other. What the embedder did wrong is thrown;
 * what became of the program is given back.
 */
export function toAiTool(sandbox: RunsPython, options: ToAiToolOptions = {}) {
  if (typeof sandbox !== "object" || sandbox === null || typeof sandbox.run !== "function")
    throw new OptionError("toAiTool sandbox", sandbox, "a sandbox");
  const { description } = optionFields("toAiTool", options, ["description"]) as ToAiToolOptions;
  optionalFunction("toAiTool sandbox describe", sandbox.describe);
  optionalFunction("toAiTool sandbox reset", sandbox.reset);
  const stub = optionalText("toAiTool sandbox describe()", sandbox.describe?.());
  const own = optionalText("toAiTool description", description) || usual;
  let before: Promise<unknown> = Promise.resolve();
  return {
    description: stub === "" ? own : `${own}\n\n${stub}`,
    inputSchema,
    execute: (
      { code }: { readonly code: string },
      { abortSignal }: { readonly abortSignal?: AbortSignal | undefined } = {},
    ): Promise<PythonAnswer> => {
      const answer = before.then(() => answerOf(sandbox, code, abortSignal));
      before = answer.catch(() => {});
      return answer;
    },
  };
}

function checkInput(value: unknown): Checked {
  const code: unknown =
    typeof value === "object" && value !== null && "code" in value ? value.code : undefined;
  return typeof code === "string"
    ? { success: true, value: { code } }
    : { success: false, error: new TypeError("code must be a string") };
}

/** A schema of the SDK, which it knows by the symbol, and a Standard Schema, by which its types know it. */
const inputSchema = {
  [Symbol.for("vercel.ai.schema")]: true as const,
  jsonSchema: inputJsonSchema,
  validate: checkInput,
  "~standard": {
    version: 1 as const,
    vendor: "sandboa",
    types: undefined as { readonly input: unknown; readonly output: { readonly code: string } } | undefined,
    validate: (value: unknown) => {
      const checked = checkInput(value);
      return checked.success ? { value: checked.value } : { issues: [{ message: checked.error.message }] };
    },
    jsonSchema: { input: () => ({ ...inputJsonSchema }), output: () => ({ ...inputJsonSchema }) },
  },
};

async function answerOf(
  sandbox: RunsPython,
  code: string,
  signal: AbortSignal | undefined,
): Promise<PythonAnswer> {
  const output = new OutputText();
  try {
    const { value, exitCode = 0 } = await sandbox.run(code, {
      onOutput: output.take,
      ...(signal && { signal }),
    });
    if (exitCode === 0) return { ok: true, value: jsonValue(value), ...output.whole() };
    const message = `the program ended with exit code ${exitCode}`;
    return {
      ok: false,
      value: null,
      ...output.whole(),
      exitCode,
      error: { type: "SystemExit", message, sandbox: "usable" },
    };
  } catch (error) {
    if (error instanceof OptionError) throw error;
    const lost = error instanceof SandboxError && error.sandbox === "lost" && sandbox.reset !== undefined;
    if (lost) await sandbox.reset?.();
    if (!(error instanceof SandboxError) || error.sandbox === "none" || signal?.aborted === true) throw error;
    return {
      ok: false,
      value: null,
      ...output.whole(),
      ...ownExitCode(error),
      error: { ...shown(error), sandbox: lost ? "reset: nothing of before is left" : error.sandbox },
    };
  }
}

/** Of os._exit, which ends the sandbox along with the program. */
function ownExitCode(error: SandboxError): { readonly exitCode?: number } {
  const { exitCode } = error as { readonly exitCode?: unknown };
  return typeof exitCode === "number" && exitCode !== 0 ? { exitCode } : {};
}

/** What a program writes, as a run's own `stdout` and `stderr` are decoded. */
class OutputText {
  readonly #decoders = { stdout: newDecoder(), stderr: newDecoder() };
  readonly #text = { stdout: "", stderr: "" };

  readonly take = (stream: "stdout" | "stderr", bytes: Uint8Array<ArrayBuffer>): void => {
    this.#text[stream] += this.#decoders[stream].decode(bytes, { stream: true });
  };

  /** Asked for once, at the end: a character that is not whole by then never will be. */
  whole(): { readonly stdout: string; readonly stderr: string } {
    const of = (stream: "stdout" | "stderr"): string => this.#text[stream] + this.#decoders[stream].decode();
    return { stdout: of("stdout"), stderr: of("stderr") };
  }
}

const newDecoder = (): TextDecoder => new TextDecoder("utf-8", { ignoreBOM: true });

function shown(error: SandboxError): { type: string; message: string; traceback?: string } {
  const { type, pythonMessage, traceback } = error as Partial<
    Record<"type" | "pythonMessage" | "traceback", unknown>
  >;
  return typeof type === "string" && typeof traceback === "string"
    ? { type, message: String(pythonMessage), traceback }
    : { type: error.code, message: error.message };
}
