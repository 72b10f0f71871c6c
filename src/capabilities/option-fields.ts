// Options of what is granted: unknown names in them are mistakes, and are named.
import { isRecord } from "../errors/object-kinds.ts";
import { OptionError } from "../errors/option-error.ts";

/** `value`, which must be an object that has no other names than these. */
export function optionFields(option: string, value: unknown, names: readonly string[]): object {
  if (!isRecord(value)) throw new OptionError(option, value, `an object with ${names.join(", ")}`);
  for (const name of Object.keys(value))
    if (!names.includes(name))
      throw new OptionError(`${option} ${name}`, "an unknown option", names.join(", "));
  return value;
}

export function optionalText(option: string, value: unknown): string {
  if (value === undefined) return "";
  if (typeof value !== "string") throw new OptionError(option, value, "a string");
  return value;
}

export function optionalFlag(option: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value !== "boolean") throw new OptionError(option, value, "true or false");
  return value;
}

export function demandFunction(option: string, value: unknown, accepted = "a function"): void {
  if (typeof value !== "function") throw new OptionError(option, value, accepted);
}

export function oneOf<T extends string>(option: string, value: unknown, accepted: readonly T[]): T {
  const found = accepted.find((word) => word === value);
  if (found === undefined)
    throw new OptionError(option, value, accepted.map((word) => `"${word}"`).join(", "));
  return found;
}

export function optionalFunction<T>(option: string, value: T): T {
  if (value !== undefined && typeof value !== "function") throw new OptionError(option, value, "a function");
  return value;
}
