// An object of the embedder's with a list of what of it the guest can use. What is called is looked up once, so that the object cannot
// come to grant more than it did; attributes are read anew at each use.
import { isRecord } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";
import { isPythonIdentifier } from "../../errors/python-identifier.ts";
import { optionalText, optionFields } from "../option-fields.ts";
import { checkAnnotation } from "./annotation-text.ts";
import { isFunctionCapability } from "./around-function.ts";
import { branded } from "./brand.ts";
import type { FunctionCapability, ObjectCapability } from "./function-capability.ts";
import { defaultLimits, defaultValues } from "./function-limits.ts";
import { type HostFunctionOptions, orderedFunction, positionalFunction, termNames } from "./host-function.ts";
import type { InputSchema } from "./schemas.ts";

/** As for hostFunction. With `input` or `parameters` the method is called with its arguments in the order of the signature. */
export type MethodTerms = Omit<HostFunctionOptions<InputSchema>, "execute">;

/** What is known of an attribute that the guest can read. */
export interface AttributeTerms {
  /** Of Python. Default: Any. */
  readonly annotation?: string | undefined;
  /** A line of the docstring. Default: none. */
  readonly description?: string | undefined;
}

/** What of an object the guest can use, and what it is told of it. */
export interface HostObjectOptions {
  /** What the guest sees as its class. Default: the name of the object's own class; "HostObject" where that is Object or no name of Python. */
  readonly name?: string | undefined;
  /** The docstring of the class. Default: none. */
  readonly description?: string | undefined;
  /** Names of methods, or what is known of each: options as for hostFunction, or any function in its place. Default: none. */
  readonly methods?:
    | readonly string[]
    | Readonly<Record<string, FunctionCapability | MethodTerms>>
    | undefined;
  /** Names of attributes, or what is known of each. They are read anew at each use. Default: none. */
  readonly attributes?: readonly string[] | Readonly<Record<string, AttributeTerms>> | undefined;
}

const mostNames = 1000;

/**
 * An object for the guest, with the named methods and attributes of `target` and nothing else. Throws OptionError for names that begin with _,
 * that are not there, that are no methods where one is named, or that every object has, and for more than 1,000 of either.
 *
 * **Ambient authority**: the guest can call each named method, with `this` and whatever the method can do.
 */
export function hostObject(target: object, options: HostObjectOptions): ObjectCapability {
  if ((typeof target !== "object" && typeof target !== "function") || target === null)
    throw new OptionError("hostObject target", target, "an object");
  const { name, description, methods, attributes } = optionFields("hostObject", options, [
    "name",
    "description",
    "methods",
    "attributes",
  ]) as HostObjectOptions;
  const offered = new Map<string, FunctionCapability>();
  for (const [method, terms] of entriesOf("hostObject methods", methods))
    offered.set(method, methodOf(target, method, terms));
  const readable = new Map<string, FunctionCapability>();
  for (const [attribute, terms] of entriesOf("hostObject attributes", attributes)) {
    if (offered.has(attribute))
      throw new OptionError(
        `hostObject attributes ${attribute}`,
        attribute,
        "names that are no methods, too",
      );
    readable.set(attribute, attributeOf(target, attribute, terms));
  }
  return branded({
    kind: "object",
    name: className(target, name),
    description: optionalText("hostObject description", description),
    methods: offered,
    attributes: readable,
    target,
  });
}

function className(target: object, name: unknown): string {
  if (name !== undefined) {
    if (isPythonIdentifier(name) && !name.startsWith("_")) return name;
    throw new OptionError("hostObject name", name, "an identifier of Python");
  }
  const own: unknown = target.constructor?.name;
  return isPythonIdentifier(own) && !own.startsWith("_") && own !== "Object" ? own : "HostObject";
}

function entriesOf(option: string, given: unknown): readonly (readonly [string, unknown])[] {
  if (given === undefined) return [];
  if (!Array.isArray(given) && !isRecord(given))
    throw new OptionError(option, given, "an array of names, or an object with what is known of each name");
  const entries: (readonly [unknown, unknown])[] = Array.isArray(given)
    ? given.map((name: unknown) => [name, undefined] as const)
    : Object.entries(given);
  if (entries.length > mostNames)
    throw new OptionError(option, `${entries.length} names`, `at most ${mostNames}`);
  const seen = new Set<unknown>();
  for (const [name] of entries) {
    if (!isPythonIdentifier(name) || name.startsWith("_") || seen.has(name))
      throw new OptionError(
        option,
        name,
        "names that are identifiers of Python, each once, not beginning with _",
      );
    seen.add(name);
  }
  return entries as (readonly [string, unknown])[];
}

function methodOf(target: object, name: string, terms: unknown): FunctionCapability {
  const option = `hostObject methods ${name}`;
  const method = Reflect.get(target, name) as unknown;
  if (typeof method !== "function" || isOfEveryObject(name, method))
    throw new OptionError(option, method, "the name of a method of the object");
  if (isFunctionCapability(terms)) return terms;
  const options = (
    terms === undefined ? {} : optionFields(option, terms, methodTermNames)
  ) as HostFunctionOptions<InputSchema>;
  const bound = boundTo(target, method);
  const { input, parameters, ...rest } = options;
  return input === undefined && parameters === undefined
    ? positionalFunction(option, bound, rest)
    : orderedFunction(option, bound, options);
}

const methodTermNames = [...termNames, "input", "parameters"];

function isOfEveryObject(name: string, value: unknown): boolean {
  if (name === "constructor") return true;
  return [Object.prototype, Function.prototype].some((every) => Reflect.get(every, name) === value);
}

/** Of the same kind as the method, which tells whether it is async and whether it streams. */
function boundTo(target: object, method: object): object {
  const bound = (...args: unknown[]): unknown => Reflect.apply(method as () => unknown, target, args);
  return Object.assign(bound, { [Symbol.toStringTag]: tagOf(method) });
}

function tagOf(method: object): string {
  return Object.prototype.toString.call(method).slice("[object ".length, -1);
}

function attributeOf(target: object, name: string, given: unknown): FunctionCapability {
  const option = `hostObject attributes ${name}`;
  if (!(name in target)) throw new OptionError(option, name, "the name of an attribute of the object");
  const terms = (
    given === undefined ? {} : optionFields(option, given, ["annotation", "description"])
  ) as AttributeTerms;
  const { annotation } = terms;
  return branded({
    kind: "function",
    signature: Object.freeze({
      parameters: Object.freeze([]),
      returns: annotation === undefined ? "Any" : checkAnnotation(`${option} annotation`, annotation),
      description: optionalText(`${option} description`, terms.description),
      isAsync: false,
      streams: false,
    }),
    limits: defaultLimits,
    values: defaultValues,
    invoke: () => Reflect.get(target, name) as unknown,
  });
}
