// The `limits` option. Every limit has a default; the word "unlimited" is the only way to have none, and only time and fuel
// can be without.
import { wasmPageBytes } from "../../abi/wasm-pages.ts";
import { bytes, count, milliseconds, type Quantity } from "../../capabilities/quantity.ts";
import { OptionError } from "../../errors/option-error.ts";
import type { PlannedLimits, PlannedPlace, SoftStop } from "../plan.ts";
import { optionRecord } from "./option-record.ts";

/** What a sandbox may use. What is left out or undefined has its default; OptionError names what is out of range. */
export interface Limits {
  /** Linear memory of the interpreter, in bytes: 32 MiB to 64 KiB less than 4 GiB, rounded down to 64 KiB. Default "256 MiB". */
  readonly memory?: Quantity | undefined;
  /**
   * What the host holds for the guest, in bytes: file contents, names, open descriptors, pipes, captured output; at least 64 KiB.
   * Default: 64 MiB and what the granted scratch places may hold.
   */
  readonly hostMemory?: Quantity | undefined;
  /** Time from the start of a run to its end, in milliseconds, or "unlimited". Default "10 s". */
  readonly wall?: Quantity | undefined;
  /** Processor time of a run, in milliseconds, or "unlimited". Default: as `wall`. */
  readonly cpu?: Quantity | undefined;
  /**
   * Steps of a run, in units of about one bytecode instruction or one turn of a loop in C, or "unlimited"; at least 1000. Needs the
   * metered interpreter and, in Sandbox.create, chooses it. The same program with the same input is stopped at the same place
   * everywhere. Default where metered: 10 ** 12.
   */
  readonly fuel?: number | "unlimited" | undefined;
  /** What a run may write to stdout and stderr together, in bytes. Default "1 MiB". */
  readonly output?: Quantity | undefined;
  /** Size of a run's encoded result, in bytes: 1 KiB to 1 GiB. Default "16 MiB". */
  readonly value?: Quantity | undefined;
  /** Open descriptors, the three standard streams included: 3 to 4096. Default 256. */
  readonly openFiles?: number | undefined;
  /** Depth of Python calls: beyond it the guest sees RecursionError. 50 to 20,000. Default 1000. */
  readonly recursion?: number | undefined;
  /**
   * When time or fuel is spent, the guest first sees this exception (default "KeyboardInterrupt"), and has `grace` to end by
   * itself: milliseconds of wall time, 1 ms to 10 min. Then, or without `soft`, it is stopped. Default: no soft stop.
   */
  readonly soft?: { readonly grace: Quantity; readonly raise?: SoftStop["raise"] | undefined } | undefined;
  /**
   * Wall time stands still while the host works for the guest, for example while it waits for granted standard input or a function; not while
   * the guest has a callback to do, or nothing under way. Default false.
   */
  readonly wallPausesForHost?: boolean | undefined;
}

const names: readonly (keyof Limits)[] = [
  "memory",
  "hostMemory",
  "wall",
  "cpu",
  "fuel",
  "output",
  "value",
  "openFiles",
  "recursion",
  "soft",
  "wallPausesForHost",
];
const longestMs = 2 ** 31 - 1;

/** All of it becomes a text, and V8 has none of 512 MiB. */
const mostOutputBytes = 511 * 2 ** 20;

interface CheckedLimits {
  readonly limits: PlannedLimits;
  readonly soft: SoftStop | undefined;
  readonly wallPauses: boolean;
}

export function checkLimits(given: unknown = {}): CheckedLimits {
  const limits = optionRecord("limits", given, names) as Limits;
  const { memory = "256 MiB", hostMemory = "64 MiB", wall = "10 s", cpu = wall, fuel = 1e12 } = limits;
  const { output = "1 MiB", value = "16 MiB", openFiles = 256, recursion = 1000 } = limits;
  const { wallPausesForHost: wallPauses = false } = limits;
  const time = (option: string, given: unknown): number =>
    orUnlimited(given, (value) => milliseconds(option, value, { from: 1, to: longestMs }));
  if (typeof wallPauses !== "boolean")
    throw new OptionError("limits.wallPausesForHost", wallPauses, "true or false");
  return {
    limits: {
      memoryBytes: wholePagesWithin(
        bytes("limits.memory", memory, {
          from: 32 * 2 ** 20,
          to: 2 ** 32 - wasmPageBytes,
        }),
      ),
      hostMemoryBytes: bytes("limits.hostMemory", hostMemory, { from: 65_536 }),
      wallMs: time("limits.wall", wall),
      cpuMs: time("limits.cpu", cpu),
      fuel: orUnlimited(fuel, (value) => count("limits.fuel", value, { from: 1000 })),
      outputBytes: bytes("limits.output", output, { to: mostOutputBytes }),
      valueBytes: bytes("limits.value", value, { from: 1024, to: 2 ** 30 }),
      openFiles: count("limits.openFiles", openFiles, { from: 3, to: 4096 }),
      recursion: count("limits.recursion", recursion, { from: 50, to: 20_000 }),
    },
    soft: limits.soft === undefined ? undefined : checkSoft(limits.soft),
    wallPauses,
  };
}

/** Unless the embedder has set a budget, places that were granted room come with the host memory for it. */
export function withRoomFor(
  limits: PlannedLimits,
  given: Limits | undefined,
  places: readonly (readonly [string, PlannedPlace])[],
): PlannedLimits {
  if (given?.hostMemory !== undefined) return limits;
  const content = places.reduce(
    (sum, [, place]) => sum + (place.kind === "scratch" ? place.quotaBytes : 0),
    0,
  );
  return {
    ...limits,
    hostMemoryBytes: Math.min(limits.hostMemoryBytes + content, Number.MAX_SAFE_INTEGER),
  };
}

function checkSoft(given: unknown): SoftStop {
  const soft = optionRecord("limits.soft", given, ["grace", "raise"]) as NonNullable<Limits["soft"]>;
  const { raise = "KeyboardInterrupt" } = soft;
  if (raise !== "KeyboardInterrupt" && raise !== "TimeoutError")
    throw new OptionError("limits.soft.raise", raise, '"KeyboardInterrupt", "TimeoutError"');
  return { graceMs: milliseconds("limits.soft.grace", soft.grace, { from: 1, to: 600_000 }), raise };
}

function orUnlimited(value: unknown, check: (value: unknown) => number): number {
  return value === "unlimited" ? Number.POSITIVE_INFINITY : check(value);
}

function wholePagesWithin(size: number): number {
  return size - (size % wasmPageBytes);
}
