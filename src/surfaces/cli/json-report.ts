// The one JSON object of `--json`. Values that JSON lacks become objects with one key that begins with "$"; in `usage`, what is
// unlimited (Infinity) or not counted is null.
import {
  type DenialReport,
  type GuestValue,
  LimitError,
  OpaqueValue,
  PythonComplex,
  PythonError,
  type Run,
  type SandboxError,
} from "../../index.ts";

export function successReport(run: Run, refused: DenialReport): string {
  return JSON.stringify({
    ok: run.exitCode === 0,
    value: plain(run.value),
    exitCode: run.exitCode,
    stdout: run.stdout,
    stderr: run.stderr,
    softStop: run.softStop ?? null,
    error: null,
    usage: run.usage,
    ...told(refused),
  });
}

export function failureReport(
  error: SandboxError & Partial<Pick<Run, "stdout" | "stderr" | "usage">>,
  refused: DenialReport,
): string {
  return JSON.stringify({
    ok: false,
    value: null,
    exitCode: null,
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

function plain(value: GuestValue | undefined): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return { $int: value.toString() };
  if (typeof value === "number") return Number.isFinite(value) ? value : { $float: String(value) };
  if (typeof value !== "object") return value;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (value instanceof PythonComplex) return { $complex: [plain(value.real), plain(value.imag)] };
  if (value instanceof OpaqueValue) return { $object: value.type, repr: value.repr };
  if (value instanceof Set) return { $set: [...value].map(plain) };
  if (value instanceof Map) return plainMap(value);
  return (value as readonly GuestValue[]).map(plain);
}

function plainMap(map: ReadonlyMap<GuestValue, GuestValue>): unknown {
  const keys = [...map.keys()];
  if (!keys.every((key) => typeof key === "string" && !key.startsWith("$"))) {
    return { $map: [...map].map(([key, item]) => [plain(key), plain(item)]) };
  }
  // Without a prototype, "__proto__" is a key like any other.
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, item] of map) object[key as string] = plain(item);
  return object;
}
