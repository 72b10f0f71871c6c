// The one JSON object of `--json`. In `usage`, what is unlimited (Infinity) or not counted is null.
import {
  type DenialReport,
  LimitError,
  PythonError,
  type Run,
  RunError,
  type SandboxError,
  SandboxLostError,
} from "../../index.ts";
import { jsonValue } from "./json-value.ts";

/** How much of a run its error tells. */
type Failed = SandboxError & Partial<Pick<Run, "stdout" | "stderr" | "usage">>;

export function successReport(run: Run, refused: DenialReport): string {
  return report(run, jsonValue(run.value), null, refused);
}

/** The report of a program that ended well, and whose value alone has failed; undefined for every other error. */
export function reportWithoutValue(error: Failed, refused: DenialReport): string | undefined {
  // A soft stop stands around what came after it.
  const softStop = error instanceof LimitError && error.cause instanceof RunError ? error.limit : undefined;
  const reason = softStop === undefined ? error : (error.cause as RunError);
  const isOfValue =
    reason.code === "VALUE_NOT_COPIED" || (reason instanceof LimitError && reason.limit === "value");
  if (!isOfValue) return undefined;
  const { stdout = "", stderr = "", usage } = error;
  return report({ exitCode: 0, stdout, stderr, usage, softStop }, null, reason.message, refused);
}

function report(
  { exitCode, stdout, stderr, softStop, usage }: { [name in keyof Run]?: Run[name] | undefined },
  value: unknown,
  valueNotCopied: string | null,
  refused: DenialReport,
): string {
  return JSON.stringify({
    ok: exitCode === 0,
    value,
    valueNotCopied,
    exitCode,
    stdout,
    stderr,
    softStop: softStop ?? null,
    error: null,
    usage: usage ?? null,
    ...told(refused),
  });
}

/** The report of what was refused before there was a program, or a sandbox that could run it. */
export function refusalReport(code: string, message: string, sandbox: SandboxError["sandbox"]): string {
  return JSON.stringify({
    ok: false,
    value: null,
    valueNotCopied: null,
    exitCode: null,
    stdout: "",
    stderr: "",
    softStop: null,
    error: { code, message, sandbox },
    usage: null,
    ...told({ denials: [], dropped: 0 }),
  });
}

export function failureReport(error: Failed, refused: DenialReport): string {
  return JSON.stringify({
    ok: false,
    value: null,
    valueNotCopied: null,
    // os._exit is the program's own word; nobody else's end has a number.
    exitCode: (error instanceof SandboxLostError ? error.exitCode : undefined) ?? null,
    stdout: error.stdout ?? "",
    stderr: error.stderr ?? "",
    softStop: null,
    error: {
      code: error.code,
      message: error instanceof PythonError ? error.pythonMessage : error.message,
      sandbox: error.sandbox,
      ...(error instanceof PythonError && { type: error.type, traceback: error.traceback }),
      ...(error instanceof LimitError && { limit: error.limit, budget: error.budget, used: error.used }),
    },
    usage: error.usage ?? null,
    ...told(refused),
  });
}

function told({ denials, dropped }: DenialReport): object {
  return {
    denials: denials.map((denial) => ({
      ...denial,
      errno: denial.errno ?? null,
      allowedBy: denial.allowedBy ?? null,
      flag: denial.flag ?? null,
    })),
    denialsDropped: dropped,
  };
}
