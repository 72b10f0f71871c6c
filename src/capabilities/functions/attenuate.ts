// A function that can do less than another one: with some arguments fixed, others narrowed, less of it; or an object with fewer names.
import { GuestException } from "../../errors/guest-exception.ts";
import { isRecord } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";
import { now, run, type Steps } from "../../filesystems/later.ts";
import { optionalText, optionFields } from "../option-fields.ts";
import { changedFunction, demandCallable } from "./around-function.ts";
import { branded } from "./brand.ts";
import { type CheckedInput, checkedInput } from "./checked-input.ts";
import type {
  Arguments,
  FunctionCall,
  FunctionCapability,
  ObjectCapability,
  Parameter,
} from "./function-capability.ts";
import { checkLimitOptions, type FunctionLimitOptions, narrowerLimits } from "./function-limits.ts";
import { argumentsByName, takesKeywords } from "./given-arguments.ts";
import type { InputSchema } from "./schemas.ts";
import { inPythonOrder } from "./signature-of-schema.ts";

/** In what a function is made less. Whatever is left out or undefined stays as it is. */
export interface FunctionAttenuation {
  /** By parameter: values that the guest can neither give nor see. The parameters are gone from the signature. */
  readonly fixed?: Readonly<Record<string, unknown>> | undefined;
  /** Of an object with some of the parameters: checks them before the function's own schema does, and what it gives is given on. */
  readonly input?: InputSchema | undefined;
  /** The narrower of these and the function's own. */
  readonly limits?: FunctionLimitOptions | undefined;
  /** The docstring in place of the function's own. */
  readonly description?: string | undefined;
}

/** In what an object is made less. Whatever is left out or undefined stays as it is. */
export interface ObjectAttenuation {
  /** Those that stay. Default: all. */
  readonly methods?: readonly string[] | undefined;
  /** Those that stay. Default: all. */
  readonly attributes?: readonly string[] | undefined;
  /** The docstring in place of the object's own. */
  readonly description?: string | undefined;
}

/**
 * The same function with arguments fixed, others checked more narrowly, and less of it; or the same object with fewer names. What is given
 * is left as it is. Throws OptionError for parameters and names that are not there.
 */
export function attenuate(capability: FunctionCapability, change: FunctionAttenuation): FunctionCapability;
export function attenuate(capability: ObjectCapability, change: ObjectAttenuation): ObjectCapability;
export function attenuate(
  capability: FunctionCapability | ObjectCapability,
  change: FunctionAttenuation | ObjectAttenuation,
): FunctionCapability | ObjectCapability {
  const inner = demandCallable("attenuate", capability);
  return inner.kind === "function"
    ? attenuatedFunction(inner, change as FunctionAttenuation)
    : attenuatedObject(inner, change as ObjectAttenuation);
}

function attenuatedFunction(inner: FunctionCapability, given: FunctionAttenuation): FunctionCapability {
  const change = optionFields("attenuate", given, [
    "fixed",
    "input",
    "limits",
    "description",
  ]) as FunctionAttenuation;
  const own = inner.signature.parameters;
  const fixed = fixedArguments(own, change.fixed);
  const left = own.filter(({ name }) => !fixed.has(name));
  const narrower = change.input === undefined ? undefined : narrowerInput(left, change.input);
  const parameters = narrower === undefined ? left : left.map((one) => narrowed(one, narrower));
  const { description = inner.signature.description } = change;
  return changedFunction(inner, {
    signature: Object.freeze({
      ...inner.signature,
      parameters: inPythonOrder(parameters),
      description: optionalText("attenuate description", description),
    }),
    limits: narrowerLimits(inner.limits, checkLimitOptions("attenuate limits", change.limits, inner.limits)),
    invoke: (args, call) => {
      function* steps(): Steps<unknown> {
        const checked = narrower === undefined ? args : yield* narrowedArguments(left, narrower, args, call);
        return yield* now(inner.invoke(withFixed(fixed, checked, call), call));
      }
      return run(steps());
    },
  });
}

function fixedArguments(own: readonly Parameter[], given: unknown): ReadonlyMap<string, unknown> {
  if (given === undefined) return new Map();
  if (!isRecord(given)) throw new OptionError("attenuate fixed", given, "{ parameter: value }");
  const takesMore = takesKeywords(own);
  for (const name of Object.keys(given))
    if (!takesMore && !own.some((parameter) => parameter.name === name))
      throw new OptionError(`attenuate fixed ${name}`, name, nameList(own));
  return new Map(Object.entries(given));
}

function nameList(own: readonly Parameter[]): string {
  return own.length === 0 ? "nothing: it has no parameters" : own.map(({ name }) => name).join(", ");
}

/** What is fixed cannot be given by another way, as one of the further names. */
function withFixed(fixed: ReadonlyMap<string, unknown>, given: Arguments, call: FunctionCall): Arguments {
  if (fixed.size === 0) return given;
  const all: Record<string, unknown> = Object.assign(Object.create(null), given);
  for (const [name, value] of fixed) {
    if (Object.hasOwn(given, name))
      throw new GuestException("TypeError", `${call.name}() got an unexpected keyword argument '${name}'`);
    all[name] = value;
  }
  return all;
}

function narrowerInput(left: readonly Parameter[], schema: InputSchema): CheckedInput {
  const narrower = checkedInput("attenuate", schema, undefined);
  if (!narrower.isObject) throw new OptionError("attenuate input", schema, "a schema of an object");
  const takesMore = takesKeywords(left);
  for (const { name, kind } of narrower.parameters)
    if (kind !== "keywords" && !takesMore && !left.some((parameter) => parameter.name === name))
      throw new OptionError(`attenuate input ${name}`, name, nameList(left));
  return narrower;
}

/** As the narrower schema describes it; given it must be if either demands it. */
function narrowed(parameter: Parameter, { parameters }: CheckedInput): Parameter {
  const found = parameters.find(({ name, kind }) => name === parameter.name && kind !== "keywords");
  if (found === undefined) return parameter;
  const isOptional = found.isOptional && (parameter.isOptional || found.defaultText !== undefined);
  return Object.freeze({
    ...parameter,
    annotation: found.annotation === "Any" ? parameter.annotation : found.annotation,
    isOptional,
    defaultText: isOptional ? (found.defaultText ?? parameter.defaultText) : undefined,
    description: found.description ?? parameter.description,
  });
}

function* narrowedArguments(
  left: readonly Parameter[],
  narrower: CheckedInput,
  given: Arguments,
  call: FunctionCall,
): Steps<Arguments> {
  const all = argumentsByName(left, given);
  const names = new Set(narrower.parameters.map(({ name }) => name));
  const takesAll = takesKeywords(narrower.parameters);
  const subject: Record<string, unknown> = Object.create(null);
  const result: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(all))
    (takesAll || names.has(name) ? subject : result)[name] = value;
  const checked = yield* narrower.check(subject, call.name);
  call.signal.throwIfAborted();
  if (typeof checked !== "object" || checked === null)
    throw new TypeError("the narrower schema gave no object");
  // What the narrower schema dropped is not given.
  return Object.assign(result, checked);
}

function attenuatedObject(inner: ObjectCapability, given: ObjectAttenuation): ObjectCapability {
  const change = optionFields("attenuate", given, [
    "methods",
    "attributes",
    "description",
  ]) as ObjectAttenuation;
  const { description = inner.description } = change;
  return branded({
    kind: "object",
    name: inner.name,
    description: optionalText("attenuate description", description),
    methods: only("attenuate methods", inner.methods, change.methods),
    attributes: only("attenuate attributes", inner.attributes, change.attributes),
    target: inner.target,
  });
}

function only(
  option: string,
  all: ReadonlyMap<string, FunctionCapability>,
  names: unknown,
): ReadonlyMap<string, FunctionCapability> {
  if (names === undefined) return all;
  if (!Array.isArray(names)) throw new OptionError(option, names, "a list of names");
  return new Map(
    names.map((name: string) => {
      const found = all.get(name);
      if (found === undefined) throw new OptionError(option, name, [...all.keys()].join(", ") || "none");
      return [name, found] as const;
    }),
  );
}
