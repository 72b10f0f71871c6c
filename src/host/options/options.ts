// Checks what an embedder asked for, before anything starts, and turns it into a plan. Every complaint names the option.
import type { FileCapability } from "../../capabilities/capability.ts";
import type {
  FunctionCapability,
  FunctionGrants,
  ObjectCapability,
} from "../../capabilities/functions/function-capability.ts";
import { checkFunctions } from "../../capabilities/functions/grants-option.ts";
import { stubText } from "../../capabilities/functions/stub-text.ts";
import { isBytes } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";
import type { HostFileTicket } from "../../filesystems/host-file.ts";
import type { ClockPolicy } from "../../kernel/clocks.ts";
import { ianaTimeZone } from "../../kernel/time-zone.ts";
import { warn } from "../../platform/node/powers.ts";
import { eventSink, type OnEvent } from "../events.ts";
import { refusedByDefault } from "../images/library-choice.ts";
import type { SandboxPlan } from "../plan.ts";
import type { TreeGrant } from "../trees/tree-grants.ts";
import { checkArguments } from "./arguments-option.ts";
import { describePlaces } from "./described-places.ts";
import { checkLimits, type Limits, withRoomFor } from "./limits-option.ts";
import { openPlaces } from "./places-option.ts";

export type { ClockPolicy };

/** What stands between the guest and the embedder besides WebAssembly itself. */
export type Isolation = "inline" | "worker" | "process";

/** What one lifetime of a sandbox is granted and limited to. */
export interface GrantOptions {
  /** Guest path -> what is there. Default: nothing. */
  readonly files?: Readonly<Record<string, FileCapability>> | undefined;
  /** Name -> what the guest can import from `host` under it; a nested object is a module of its own. Default: nothing, and no `host`. */
  readonly functions?: FunctionGrants | undefined;
  /** The guest's whole environment. Default: empty. With `args` up to 2 MiB; bytes that are not UTF-8 as lone surrogates (PEP 383). */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** sys.argv, the program's name first. Default [""]. */
  readonly args?: readonly string[] | undefined;
  /** What standard input holds (default: nothing); hostStdin grants the process's own, unless inline. */
  readonly stdin?: Uint8Array | string | HostInput | undefined;
  /** What the guest's clocks show. "real": microseconds. "coarse" (default): milliseconds. "frozen": moves only when the guest sleeps. */
  readonly clock?: ClockPolicy | undefined;
  /** IANA name. Default "UTC". */
  readonly timeZone?: string | undefined;
  /** Default: those of each limit. */
  readonly limits?: Limits | undefined;
  /**
   * Told of what happens besides results: a place of the embedder's own code that failed (by default a warning of the process), something
   * that the guest was refused.
   */
  readonly onEvent?: OnEvent | undefined;
}

/** What kind of interpreter runs it. */
export interface EngineOptions {
  /**
   * `inline`: the embedder's own thread, which waits for the guest; metered. `worker` (default): a thread of its own.
   * `process`: a process of its own, with nothing of the embedder's.
   */
  readonly isolation?: Isolation | undefined;
  /** Built-in extension modules to grant beyond the default, such as "_ctypes". Default: none. */
  readonly modules?: readonly string[] | undefined;
  /**
   * Whether loops count fuel: needed for `limits.fuel`, and lets every guest be stopped without ending its thread.
   * Default: true for `inline` (always) and where `limits.fuel` is set; in a pool for `inline` only.
   */
  readonly metered?: boolean | undefined;
}

/** All that decides what a sandbox is. */
export interface SandboxOptions extends GrantOptions, EngineOptions {}

/** The process's own standard input. **Ambient authority.** */
export interface HostInput {
  readonly kind: "hostStdin";
}
/** As `stdin`: the process's own standard input, read as the guest reads. Refused inline. **Ambient authority.** */
export const hostStdin: HostInput = { kind: "hostStdin" };

export interface CheckedGrants {
  readonly plan: SandboxPlan;
  readonly tickets: readonly HostFileTicket[];
  /** By place. */
  readonly trees: ReadonlyMap<number, TreeGrant>;
  /** As the embedder granted them, in the order of the plan's places. */
  readonly granted: readonly (readonly [string, FileCapability])[];
  /** By full name, such as "billing.invoice". */
  readonly functions: ReadonlyMap<string, FunctionCapability | ObjectCapability>;
  /** Of the functions, as the guest sees them. */
  readonly stubText: () => string;
  /** Whether the guest's thread can wait for the host's. */
  readonly canWait: boolean;
  /** Never throws. */
  readonly onEvent: OnEvent;
}

export interface CheckedEngine {
  readonly isolation: Isolation;
  readonly metered: boolean;
  /** Whether the interpreter notes which pages it writes: for those that are reset often. */
  readonly tracked: boolean;
  readonly refusedModules: readonly string[];
}

export const grantNames: readonly (keyof GrantOptions)[] = [
  "files",
  "functions",
  "env",
  "args",
  "stdin",
  "clock",
  "timeZone",
  "limits",
  "onEvent",
];
export const engineNames: readonly (keyof EngineOptions)[] = ["isolation", "modules", "metered"];
const isolations: readonly unknown[] = ["inline", "worker", "process"] satisfies Isolation[];
const clocks: readonly unknown[] = ["real", "coarse", "frozen"] satisfies ClockPolicy[];

export function checkEngine(options: EngineOptions, usesFuel: boolean, tracked = false): CheckedEngine {
  const { isolation = "worker", modules = [] } = options;
  if (!isolations.includes(isolation))
    throw new OptionError("isolation", isolation, '"inline", "worker", "process"');
  const needed = isolation === "inline" || usesFuel;
  const { metered = needed } = options;
  if (typeof metered !== "boolean" || (needed && !metered)) {
    const why = isolation === "inline" ? "an inline sandbox is always metered" : "limits.fuel needs it";
    throw new OptionError("metered", metered, needed ? `true (${why})` : "true or false");
  }
  return { isolation, metered, tracked, refusedModules: checkModules(modules) };
}

/** Whether these options set a budget of fuel. */
export function usesFuel(options: GrantOptions): boolean {
  return options.limits?.fuel !== undefined;
}

/** Opens granted files: whoever calls this releases them (releasePlaces). */
export function checkGrants(options: GrantOptions, isolation: Isolation): CheckedGrants {
  // Only what is left out has a default: null may be something that is missing.
  const { files = {}, args = [""], env = {}, clock = "coarse", timeZone = "UTC" } = options;
  const { limits, soft, wallPauses } = checkLimits(options.limits);
  if (!clocks.includes(clock)) throw new OptionError("clock", clock, '"real", "coarse", "frozen"');
  if (typeof timeZone !== "string" || (timeZone !== "UTC" && ianaTimeZone(timeZone) === undefined)) {
    throw new OptionError("timeZone", timeZone, 'an IANA name such as "Europe/Berlin"');
  }
  const functions = checkFunctions(options.functions);
  const checked = {
    ...checkArguments(args, env),
    stdin: checkStdin(options.stdin, isolation),
    clock,
    timeZone,
    soft,
    wallPauses,
    functions: functions.byName.size > 0,
    fixedHashes: usesFuel(options),
  };
  if (options.onEvent !== undefined && typeof options.onEvent !== "function")
    throw new OptionError("onEvent", options.onEvent, "a function");
  // Last, because it opens files.
  const { granted, places, tickets, trees } = openPlaces(files);
  const described = describePlaces(granted);
  return {
    plan: { ...checked, limits: withRoomFor(limits, options.limits, places), places },
    tickets,
    trees,
    granted,
    functions: functions.byName,
    stubText: () => stubText(functions.groups, described),
    canWait: isolation !== "inline",
    onEvent: eventSink(options.onEvent, warn),
  };
}

function checkModules(modules: readonly string[]): readonly string[] {
  if (!Array.isArray(modules)) throw new OptionError("modules", modules, "an array of module names");
  for (const name of modules) {
    if (!refusedByDefault.includes(name)) throw new OptionError("modules", name, refusedByDefault.join(", "));
  }
  return refusedByDefault.filter((name) => !modules.includes(name));
}

function checkStdin(stdin: GrantOptions["stdin"], isolation: Isolation): Uint8Array | "host" {
  if (stdin === undefined) return new Uint8Array(0);
  if (typeof stdin === "string") return new TextEncoder().encode(stdin);
  if (isBytes(stdin)) return new Uint8Array(stdin);
  if (stdin === hostStdin) {
    // Waiting for it would hold the embedder's own thread, beyond any deadline.
    if (isolation === "inline") throw new OptionError("stdin", stdin, "a string or a Uint8Array, inline");
    return "host";
  }
  throw new OptionError("stdin", stdin, "a string, a Uint8Array, or hostStdin");
}
