// The numbers of a function: how often, how many at once, how many bytes, and how its values cross. Who enforces them is the host.
import { OptionError } from "../../errors/option-error.ts";
import { optionalFlag, optionFields } from "../option-fields.ts";
import { bytes, count, type Quantity } from "../quantity.ts";
import type { FunctionLimits, GivenValueOptions, ValueOptions } from "./function-capability.ts";

/** How much of a function the guest can use. Each can be "unlimited". They hold for one lifetime of one sandbox, and for each name that the function is granted under. */
export interface FunctionLimitOptions {
  /** Calls, from 1. Default 100,000. */
  readonly calls?: number | "unlimited" | undefined;
  /** Calls at once, from 1; more wait for their turn. Default 16. */
  readonly concurrency?: number | "unlimited" | undefined;
  /** Encoded arguments and answers, in total. Default "1 GiB". */
  readonly bytes?: Quantity | undefined;
}

export const defaultLimits: FunctionLimits = { calls: 100_000, concurrency: 16, bytes: 2 ** 30 };
export const defaultValues: ValueOptions = { shape: "objects", references: "refuse", exactFloats: false };

export function checkLimitOptions(
  option: string,
  given: unknown,
  otherwise: FunctionLimits = defaultLimits,
): FunctionLimits {
  if (given === undefined) return otherwise;
  const limits = optionFields(option, given, ["calls", "concurrency", "bytes"]) as FunctionLimitOptions;
  const one = (name: keyof FunctionLimits, check: (option: string, value: unknown) => number): number => {
    const value = limits[name];
    if (value === undefined) return otherwise[name];
    return value === "unlimited" ? Infinity : check(`${option} ${name}`, value);
  };
  return Object.freeze({
    calls: one("calls", (name, value) => count(name, value, { from: 1 })),
    concurrency: one("concurrency", (name, value) => count(name, value, { from: 1 })),
    bytes: one("bytes", (name, value) => bytes(name, value)),
  });
}

/** The narrower of both in each respect. */
export function narrowerLimits(one: FunctionLimits, other: FunctionLimits): FunctionLimits {
  return Object.freeze({
    calls: Math.min(one.calls, other.calls),
    concurrency: Math.min(one.concurrency, other.concurrency),
    bytes: Math.min(one.bytes, other.bytes),
  });
}

export function checkValueOptions(option: string, given: unknown): ValueOptions {
  if (given === undefined) return defaultValues;
  const { shape, references, exactFloats } = optionFields(option, given, [
    "shape",
    "references",
    "exactFloats",
  ]) as GivenValueOptions;
  return Object.freeze({
    shape: oneOf(`${option} shape`, shape, ["objects", "maps", "json"]),
    references: oneOf(`${option} references`, references, ["refuse", "keep"]),
    exactFloats: optionalFlag(`${option} exactFloats`, exactFloats, false),
  });
}

/** The first is the default. */
function oneOf<T extends string>(option: string, value: unknown, accepted: readonly [T, ...T[]]): T {
  const found = value === undefined ? accepted[0] : accepted.find((word) => word === value);
  if (found === undefined)
    throw new OptionError(option, value, accepted.map((word) => `"${word}"`).join(", "));
  return found;
}
