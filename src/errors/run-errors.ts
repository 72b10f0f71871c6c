// How a run can fail. The guest's doing is PythonError; a budget is LimitError, which no guest can make or catch; a sandbox
// that cannot be used any more is SandboxLostError.
import { SandboxError, type SandboxState } from "./sandbox-error.ts";
import type { Usage } from "./usage.ts";

/** Of a run that had begun: what it wrote before it failed, and what it used. Absent where none had begun. */
abstract class EndedRunError extends SandboxError {
  /** What it wrote before it failed; absent where no run had begun. */
  declare readonly stdout?: string;
  /** Likewise. */
  declare readonly stderr?: string;
  /** What it used; absent where no run had begun. */
  declare readonly usage?: Usage;
}

/** An exception that the guest's program did not catch. All texts are the guest's own: hostile, but bounded. */
export class PythonError extends EndedRunError {
  override readonly name = "PythonError";
  readonly code = "PYTHON_EXCEPTION";
  readonly sandbox: SandboxState = "usable";
  /** Class name, qualified unless it is built in. */
  readonly type: string;
  /** str(exception). */
  readonly pythonMessage: string;
  /** The report as Python prints it, ending in a newline. */
  readonly traceback: string;
  /** A whole program (`finalize`) has told of it by a `sys.excepthook` of its own: then python3 prints no traceback. */
  readonly reported: boolean;

  constructor(type: string, pythonMessage: string, traceback: string, reported = false) {
    super(pythonMessage === "" ? type : `${type}: ${pythonMessage}`);
    this.type = type;
    this.pythonMessage = pythonMessage;
    this.traceback = traceback;
    this.reported = reported;
  }
}

/** The limits that end a run, by their names in `limits`. */
export type LimitName = "wall" | "cpu" | "fuel" | "output" | "value" | "hostMemory";

const kinds = {
  wall: { code: "LIMIT_WALL", unit: "ms" },
  cpu: { code: "LIMIT_CPU", unit: "ms" },
  fuel: { code: "LIMIT_FUEL", unit: "units" },
  output: { code: "LIMIT_OUTPUT", unit: "bytes" },
  value: { code: "LIMIT_VALUE", unit: "bytes" },
  hostMemory: { code: "LIMIT_HOST_MEMORY", unit: "bytes" },
} as const satisfies Readonly<Record<LimitName, { code: string; unit: string }>>;

/** A budget was spent and the guest was stopped. `budget` and `used` are in milliseconds (wall, cpu), units of fuel, or bytes. */
export class LimitError extends EndedRunError {
  override readonly name = "LimitError";
  readonly code: (typeof kinds)[LimitName]["code"];
  readonly sandbox: SandboxState;
  readonly limit: LimitName;
  /** What there was of it: milliseconds, units of fuel, or bytes. */
  readonly budget: number;
  /** What was spent, in the same unit. */
  readonly used: number;

  constructor(limit: LimitName, budget: number, used: number, sandbox: SandboxState, options?: ErrorOptions) {
    super(`the guest was stopped at its limit ${limit}: ${used} of ${budget} ${kinds[limit].unit}`, options);
    this.code = kinds[limit].code;
    this.limit = limit;
    this.budget = budget;
    this.used = used;
    this.sandbox = sandbox;
  }
}

type LostCode = "SANDBOX_EXITED" | "SANDBOX_ABORTED" | "SANDBOX_CRASHED" | "SANDBOX_CLOSED";

/** The guest's interpreter is gone. reset() makes a new one, unless the sandbox was closed. */
export class SandboxLostError extends EndedRunError {
  override readonly name = "SandboxLostError";
  readonly code: LostCode;
  readonly sandbox: SandboxState = "lost";
  /** The status that the guest gave to os._exit, 0..255; undefined for every other end. */
  readonly exitCode: number | undefined;

  constructor(code: LostCode, message: string, exitCode?: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** A run was asked for while another one is under way, was cancelled by its AbortSignal, or has a result that has no copy. */
export class RunError extends EndedRunError {
  override readonly name = "RunError";
  readonly code: "SANDBOX_BUSY" | "RUN_CANCELLED" | "VALUE_NOT_COPIED";
  readonly sandbox: SandboxState;

  constructor(code: RunError["code"], message: string, sandbox: SandboxState, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.sandbox = sandbox;
  }
}
