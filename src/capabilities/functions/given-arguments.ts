// Arguments of a call, from the form in which they arrive to the one object, or the list, that an embedder's code takes. What was given
// by further names arrives beside the parameters, under names that the guest made.
import type { Arguments, Parameter } from "./function-capability.ts";

/** All by name, in an object without prototype; further names only where the parameters take them. */
export function argumentsByName(parameters: readonly Parameter[], given: Arguments): Arguments {
  const all: Record<string, unknown> = Object.create(null);
  for (const { name, kind } of parameters)
    if (kind !== "keywords" && Object.hasOwn(given, name)) all[name] = given[name];
  if (takesKeywords(parameters))
    for (const [name, value] of Object.entries(given)) if (!Object.hasOwn(all, name)) all[name] = value;
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

export function takesKeywords(parameters: readonly Parameter[]): boolean {
  return parameters.some(({ kind }) => kind === "keywords");
}
