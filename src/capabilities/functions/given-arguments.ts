// Arguments of a call, from the form in which they arrive to the one object, or the list, that an embedder's code takes.
import { GuestException } from "../../errors/guest-exception.ts";
import type { Arguments, Parameter } from "./function-capability.ts";

/** All by name, in an object without prototype; what was given by further names beside the others. Throws GuestException. */
export function argumentsByName(parameters: readonly Parameter[], given: Arguments, name: string): Arguments {
  const all: Record<string, unknown> = Object.create(null);
  for (const { name: parameter, kind } of parameters)
    if (kind !== "keywords" && Object.hasOwn(given, parameter)) all[parameter] = given[parameter];
  for (const [key, value] of keywordsOf(parameters, given)) {
    if (key in all || parameters.some((one) => one.name === key && one.kind !== "keywords"))
      throw new GuestException(
        "TypeError",
        `${name}() got multiple values for argument '${key.slice(0, 100)}'`,
      );
    all[key] = value;
  }
  return all;
}

/** In the order of the parameters; an optional one that was left out is undefined, or not there at the end. */
export function argumentsInOrder(parameters: readonly Parameter[], given: Arguments): readonly unknown[] {
  const all: unknown[] = [];
  let length = 0;
  for (const { name, kind } of parameters) {
    if (kind === "keywords") continue;
    if (kind === "positionals") all.push(...positionalsOf(given[name]));
    else all.push(given[name]);
    if (kind === "positionals" || Object.hasOwn(given, name)) length = all.length;
  }
  return all.slice(0, length);
}

export function positionalsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What was given by names that are no parameter's. */
export function keywordsOf(
  parameters: readonly Parameter[],
  given: Arguments,
): readonly (readonly [string, unknown])[] {
  const taking = parameters.find(({ kind }) => kind === "keywords");
  const value = taking === undefined ? undefined : given[taking.name];
  if (typeof value !== "object" || value === null) return [];
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return entries.filter((entry): entry is [string, unknown] => typeof entry[0] === "string");
}
