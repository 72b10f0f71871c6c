// Checks what an embedder asked for, before anything starts, and turns it into a plan. Every complaint names the option.
import type { FileCapability } from "../capabilities/capability.ts";
import { bytes, count, milliseconds, type Quantity } from "../capabilities/quantity.ts";
import { OptionError } from "../errors/option-error.ts";
import type { ClockPolicy } from "../kernel/clocks.ts";
import { ianaTimeZone } from "../kernel/time-zone.ts";
import {
  grantHostFile,
  HostFileRefusal,
  type HostFileTicket,
  releaseHostFile,
} from "../platform/node/host-files.ts";
import { refusedByDefault } from "./library-choice.ts";
import type { PlannedPlace, SandboxPlan } from "./plan.ts";

export interface Limits {
  /** Linear memory of the interpreter, in bytes: 32 MiB to 4 GiB, rounded down to 64 KiB. Default "256 MiB". */
  readonly memory?: Quantity;
  /** Time from the start of a run to its end, in milliseconds. Default "10 s". */
  readonly wall?: Quantity;
  /** What a run may write to stdout and stderr together, in bytes. Default "1 MiB". */
  readonly output?: Quantity;
  /** Size of a run's encoded result, in bytes. Default "16 MiB". */
  readonly value?: Quantity;
  /** Open descriptors, the three standard streams included. Default 256. */
  readonly openFiles?: number;
}

export interface SandboxOptions {
  /** Guest path -> what is there. */
  readonly files?: Readonly<Record<string, FileCapability>>;
  readonly env?: Readonly<Record<string, string>>;
  /** sys.argv, the program's name first. Default [""]. */
  readonly args?: readonly string[];
  /** What standard input holds (default: nothing); "host" grants the process's own. */
  readonly stdin?: Uint8Array | string | HostInput;
  /** real: microseconds. coarse (default): milliseconds. frozen: moves only when the guest sleeps. */
  readonly clock?: ClockPolicy;
  /** IANA name. Default "UTC". */
  readonly timeZone?: string;
  /** Built-in extension modules to grant beyond the default. */
  readonly modules?: readonly string[];
  readonly limits?: Limits;
}

/** The process's own standard input. **Ambient authority.** */
export interface HostInput {
  readonly kind: "hostStdin";
}
export const hostStdin: HostInput = { kind: "hostStdin" };

export interface CheckedOptions {
  readonly plan: SandboxPlan;
  readonly refusedModules: readonly string[];
  readonly tickets: readonly HostFileTicket[];
}

const optionNames: ReadonlySet<string> = new Set([
  "files",
  "env",
  "args",
  "stdin",
  "clock",
  "timeZone",
  "modules",
  "limits",
]);
const limitNames: ReadonlySet<string> = new Set(["memory", "wall", "output", "value", "openFiles"]);
const clocks: ReadonlySet<unknown> = new Set(["real", "coarse", "frozen"]);
const wasmPageBytes = 65_536;

export function checkOptions(options: SandboxOptions): CheckedOptions {
  record("options", options, optionNames);
  const limits = record("limits", options.limits ?? {}, limitNames) as Limits;
  const clock = options.clock ?? "coarse";
  if (!clocks.has(clock)) throw new OptionError("clock", clock, '"real", "coarse", "frozen"');
  const timeZone = options.timeZone ?? "UTC";
  if (typeof timeZone !== "string" || (timeZone !== "UTC" && ianaTimeZone(timeZone) === undefined)) {
    throw new OptionError("timeZone", timeZone, 'an IANA name such as "Europe/Berlin"');
  }
  const refusedModules = checkModules(options.modules ?? []);
  const checked = {
    environment: checkEnvironment(options.env ?? {}),
    args: checkArgs(options.args ?? [""]),
    stdin: checkStdin(options.stdin),
    clock,
    timeZone,
    limits: {
      memoryBytes: wholePages(
        bytes("limits.memory", limits.memory ?? "256 MiB", {
          from: 32 * 2 ** 20,
          to: 2 ** 32 - wasmPageBytes,
        }),
      ),
      wallMs: milliseconds("limits.wall", limits.wall ?? "10 s", { from: 1, to: 2 ** 31 - 1 }),
      outputBytes: bytes("limits.output", limits.output ?? "1 MiB"),
      valueBytes: bytes("limits.value", limits.value ?? "16 MiB", { from: 1024, to: 2 ** 30 }),
      openFiles: count("limits.openFiles", limits.openFiles ?? 256, { from: 3, to: 4096 }),
    },
  };
  // Last, because it opens files.
  const { places, tickets } = openPlaces(options.files ?? {});
  return { plan: { ...checked, places }, refusedModules, tickets };
}

function wholePages(size: number): number {
  return size - (size % wasmPageBytes);
}

function record(option: string, value: unknown, names?: ReadonlySet<string>): object {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new OptionError(option, value, "an object");
  for (const name of Object.keys(value)) {
    if (names && !names.has(name)) {
      throw new OptionError(
        option === "options" ? name : `${option}.${name}`,
        "an unknown option",
        [...names].join(", "),
      );
    }
  }
  return value;
}

function checkModules(modules: readonly string[]): readonly string[] {
  if (!Array.isArray(modules)) throw new OptionError("modules", modules, "an array of module names");
  for (const name of modules) {
    if (!refusedByDefault.includes(name)) throw new OptionError("modules", name, refusedByDefault.join(", "));
  }
  return refusedByDefault.filter((name) => !modules.includes(name));
}

function checkEnvironment(env: Readonly<Record<string, string>>): (readonly [string, string])[] {
  record("env", env);
  return Object.entries(env).map(([name, value]) => {
    if (name === "" || /[=\0]/.test(name))
      throw new OptionError(`env[${JSON.stringify(name)}]`, name, "a name without = and NUL");
    if (typeof value !== "string" || value.includes("\0")) {
      throw new OptionError(`env[${JSON.stringify(name)}]`, value, "a string without NUL");
    }
    return [name, value] as const;
  });
}

function checkArgs(args: readonly string[]): readonly string[] {
  if (!Array.isArray(args) || args.length === 0)
    throw new OptionError("args", args, "an array of strings, the program's name first");
  for (const [index, arg] of args.entries()) {
    if (typeof arg !== "string" || arg.includes("\0"))
      throw new OptionError(`args[${index}]`, arg, "a string without NUL");
  }
  return [...args];
}

function checkStdin(stdin: SandboxOptions["stdin"]): Uint8Array | "host" {
  if (stdin === undefined) return new Uint8Array(0);
  if (typeof stdin === "string") return new TextEncoder().encode(stdin);
  if (stdin instanceof Uint8Array) return new Uint8Array(stdin);
  if (stdin === hostStdin) return "host";
  throw new OptionError("stdin", stdin, "a string, a Uint8Array, or hostStdin");
}

function openPlaces(files: Readonly<Record<string, FileCapability>>): {
  places: (readonly [string, PlannedPlace])[];
  tickets: HostFileTicket[];
} {
  record("files", files);
  const tickets: HostFileTicket[] = [];
  try {
    const paths = Object.keys(files);
    const places = Object.entries(files).map(([path, capability]) => {
      const option = `files[${JSON.stringify(path)}]`;
      checkGuestPath(option, path, paths);
      return [path, openPlace(option, capability, tickets)] as const;
    });
    return { places, tickets };
  } catch (error) {
    for (const ticket of tickets) releaseHostFile(ticket);
    throw error;
  }
}

const reserved = ["/lib/python3.14", "/dev"];

function checkGuestPath(option: string, path: string, all: readonly string[]): void {
  const plain = path.startsWith("/") && path.length > 1 && !path.endsWith("/") && !path.includes("\0");
  const names = path.slice(1).split("/");
  if (!plain || path.length > 1024 || names.some((name) => name === "" || name === "." || name === "..")) {
    throw new OptionError(
      option,
      path,
      "an absolute guest path such as /in/data.csv, without . or .. or a slash at the end",
    );
  }
  for (const place of reserved) {
    if (path === place || path.startsWith(`${place}/`) || place.startsWith(`${path}/`)) {
      throw new OptionError(option, path, `a path outside of ${place}, which is the sandbox's own`);
    }
  }
  const inside = all.find((other) => path.startsWith(`${other}/`));
  if (inside)
    throw new OptionError(option, path, `a path that is not inside of ${inside}, which is granted as well`);
}

function openPlace(option: string, capability: FileCapability, tickets: HostFileTicket[]): PlannedPlace {
  switch (capability?.kind) {
    case "scratch":
      return { kind: "scratch", quotaBytes: capability.quotaBytes, maxFiles: capability.maxFiles };
    case "memoryFile":
      return { kind: "memoryFile", bytes: capability.bytes };
    case "hostFile": {
      const { path, mode, maxBytes } = capability;
      try {
        const ticket = grantHostFile(path, mode);
        tickets.push(ticket);
        return { kind: "hostFile", mode, maxBytes, ticket };
      } catch (error) {
        if (!(error instanceof HostFileRefusal)) throw error;
        const accepted =
          mode === "create" ? "a path where nothing is yet" : `a regular file that can be opened to ${mode}`;
        throw new OptionError(option, path, `${accepted} (${error.message})`);
      }
    }
    default:
      throw new OptionError(option, capability, "hostFile(…), memoryFile(…) or scratch(…)");
  }
}
