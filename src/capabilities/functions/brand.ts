// What tells a capability from a value that was only made to look like one. Dicts of a guest are objects whose names are texts, so none of
// them has a member under a symbol, and nothing that an embedder makes of them by copying has either.
import type { FunctionCapability, ObjectCapability } from "./function-capability.ts";

// Of the registry: what another copy of this package has made is a capability, too.
const brand = Symbol.for("sandboa.capability");

/** The capability that every constructor and wrapper gives. */
export function branded<C extends FunctionCapability | ObjectCapability>(capability: C): C {
  return Object.freeze<C>({ ...capability, [brand]: true });
}

export function isBranded(value: object): boolean {
  return (value as { readonly [brand]?: unknown })[brand] === true;
}
