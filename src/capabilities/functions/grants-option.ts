// The `functions` option: names and nesting are checked, and everything that can be called is listed under its full name.
import { isPlainObject } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";
import { isPythonIdentifier } from "../../errors/python-identifier.ts";
import { type Callable, isCallable } from "./around-function.ts";
import type { FunctionGrants } from "./function-capability.ts";
import { checkSignature } from "./signature-check.ts";

const mostDepth = 8;
const mostFunctions = 1000;

/** What the guest's module has by itself. */
const ownNames: readonly string[] = ["HostError"];

/** In maps: any name may be that of a member that every object has. */
export type FunctionGroup = ReadonlyMap<string, Callable | FunctionGroup>;

export interface CheckedFunctions {
  /** By full name ("lookup", "billing.invoice"), in the order of the grants. */
  readonly byName: ReadonlyMap<string, Callable>;
  readonly groups: FunctionGroup;
}

/**
 * The grants as they are now. Throws OptionError that names the place, for example `functions.billing.invoice`: names that are no
 * identifiers or begin with _, more than 8 levels, more than 1,000 functions, with the methods and attributes of objects.
 */
export function checkFunctions(grants: FunctionGrants | undefined, option = "functions"): CheckedFunctions {
  const byName = new Map<string, Callable>();
  let count = 0;
  const visit = (given: unknown, path: readonly string[]): FunctionGroup => {
    const at = [option, ...path].join(".");
    if (!isGroup(given))
      throw new OptionError(at, given, "hostFunction(…), hostObject(…), or an object of these");
    if (path.length >= mostDepth) throw new OptionError(at, given, `at most ${mostDepth} levels`);
    const group = new Map<string, Callable | FunctionGroup>();
    for (const [name, value] of Object.entries(given)) {
      const here = [...path, name];
      demandName([option, ...here].join("."), name, path.length === 0);
      if (!isCallable(value)) {
        group.set(name, visit(value, here));
        continue;
      }
      count += value.kind === "function" ? 1 : 1 + value.methods.size + value.attributes.size;
      if (count > mostFunctions)
        throw new OptionError(option, `more than ${mostFunctions} functions`, `at most ${mostFunctions}`);
      checkSignatures([option, ...here].join("."), value);
      byName.set(here.join("."), value);
      group.set(name, value);
    }
    return group;
  };
  const groups = grants === undefined ? new Map() : visit(grants, []);
  return { byName, groups };
}

function checkSignatures(option: string, value: Callable): void {
  if (value.kind === "function") {
    checkSignature(option, value);
    return;
  }
  demandName(`${option} name`, value.name, true);
  for (const members of [value.methods, value.attributes])
    for (const [name, member] of members) {
      demandName(`${option}.${name}`, name, false);
      checkSignature(`${option}.${name}`, member);
    }
}

function isGroup(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  // A place for files, or another capability, is no group of functions.
  if ("kind" in value && typeof value.kind === "string") return false;
  return isPlainObject(value);
}

function demandName(option: string, name: string, isTop: boolean): void {
  if (!isPythonIdentifier(name) || name.startsWith("_") || (isTop && ownNames.includes(name)))
    throw new OptionError(
      option,
      name,
      "an identifier of Python that does not begin with _, is no keyword, and not HostError",
    );
}
