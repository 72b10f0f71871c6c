// A function of the embedder's for the guest to call: its signature from a schema, its arguments checked by the schema, and of what it throws
// only what the embedder chose.

import { GuestException } from "../../errors/guest-exception.ts";
import { OptionError } from "../../errors/option-error.ts";
import { isPending, now, run, type Steps } from "../../filesystems/later.ts";
import type { Later } from "../../filesystems/tree.ts";
import { optionalFlag, optionalFunction, optionalText, optionFields } from "../option-fields.ts";
import { checkAnnotation } from "./annotation-text.ts";
import { isAsyncFunction } from "./async-function.ts";
import { branded } from "./brand.ts";
import { type CheckedInput, checkedInput, demandSchema } from "./checked-input.ts";
import { eachItem } from "./each-item.ts";
import type {
  Arguments,
  FunctionCall,
  FunctionCapability,
  GivenValueOptions,
  JsonSchema,
  Parameter,
  Signature,
} from "./function-capability.ts";
import { checkLimitOptions, checkValueOptions, type FunctionLimitOptions } from "./function-limits.ts";
import { argumentsByName, argumentsInOrder, positionalsOf } from "./given-arguments.ts";
import { annotationOf, isSchemaObject } from "./json-schema-annotation.ts";
import { jsonSchemaOf } from "./json-schema-of.ts";
import { type InputSchema, isStandardSchema, type StandardSchema } from "./schemas.ts";

/** What can be said of a function besides its input. An option that is undefined is as one that is left out. */
export interface FunctionTerms {
  /** The docstring. Default: none. */
  readonly description?: string | undefined;
  /** Checks what is given, or each item of a stream. What it refuses is the embedder's fault: the call fails. Default: anything is given. */
  readonly output?: StandardSchema | undefined;
  /** What it gives: an annotation of Python or a JSON Schema. Default: from `output`, else Any. */
  readonly returns?: string | JsonSchema | undefined;
  /** Whether async Python awaits it. Default: whether it is an async function or an async generator function. */
  readonly async?: boolean | undefined;
  /** Whether it gives an iterator. Default: whether it is a generator function, async or not. */
  readonly streams?: boolean | undefined;
  /** What the guest sees of an error that was thrown. Nothing returned, or no `errors`: that the function failed, and no more. */
  readonly errors?: ((error: unknown) => GuestException | undefined) | undefined;
  /** How often, how many at once and how many bytes; by default 100,000 calls, 16 at once and "1 GiB". */
  readonly limits?: FunctionLimitOptions | undefined;
  /** How arguments and answers cross. Default: dicts as objects, cycles refused, floats as numbers. */
  readonly values?: GivenValueOptions | undefined;
}

/** What `execute` gets for this schema. */
export type InputOf<S> = S extends { readonly "~standard": { readonly types?: infer T } }
  ? NonNullable<T> extends { readonly output: infer O }
    ? O
    : unknown
  : S extends { readonly validate?: ((value: unknown) => infer R) | undefined; readonly jsonSchema: unknown }
    ? Extract<Awaited<R>, { readonly success: true }> extends { readonly value: infer V }
      ? V
      : unknown
    : Arguments;

/**
 * What `execute` may give where `output` is a schema of this type: what that takes, a promise of it, or an iterator of it. Anything, where
 * the schema does not tell what it takes. A value of type unknown, which the schema is to check, is given `as never`.
 */
export type AnswerOf<O> = O extends { readonly "~standard": { readonly types?: infer T } }
  ? NonNullable<T> extends { readonly input: infer I }
    ? I | Items<I> | PromiseLike<I | Items<I>>
    : unknown
  : unknown;

type Items<I> = Iterable<I> | AsyncIterable<I>;

/** `S` and `O` are the types of `input` and `output`, from which follows what `execute` gets and may give. */
export interface HostFunctionOptions<
  S = undefined,
  O extends StandardSchema | undefined = StandardSchema | undefined,
> extends FunctionTerms {
  /** Checks the arguments: one object of all, by name; or the only argument, where it is no schema of an object. Default: no parameters. */
  readonly input?: S | undefined;
  /** JSON Schema of an object, to make the signature of. Without `input` it checks the arguments, too. Default: from `input`. */
  readonly parameters?: JsonSchema | undefined;
  readonly output?: O | undefined;
  /** Gives the answer, a promise of it, or an iterator. What it throws the guest sees only if it is a GuestException, or `errors` makes one. */
  readonly execute: (input: InputOf<S>, call: FunctionCall) => AnswerOf<O>;
}

export const termNames: readonly string[] = [
  "description",
  "output",
  "returns",
  "async",
  "streams",
  "errors",
  "limits",
  "values",
];
const optionNames: readonly string[] = [...termNames, "input", "parameters", "execute"];

/**
 * A function for the guest. In the short form a plain function is called with what the guest gives by position, values of any kind.
 * Throws OptionError for options, schemas and annotations that are none.
 *
 * **Ambient authority**: whatever `execute` can do, the guest can make it do, with arguments of its choice as far as `input` accepts them.
 */
export function hostFunction(
  execute: (...args: never[]) => unknown,
  options?: FunctionTerms,
): FunctionCapability;
// The last one: of overloads that do not fit TypeScript tells what is wrong with the last.
export function hostFunction<
  const S extends InputSchema | undefined = undefined,
  O extends StandardSchema | undefined = undefined,
>(options: HostFunctionOptions<S, O>): FunctionCapability;
export function hostFunction(given: unknown, terms: unknown = {}): FunctionCapability {
  if (typeof given === "function") return positionalFunction("hostFunction", given, terms);
  const options = optionFields("hostFunction", given, optionNames) as HostFunctionOptions;
  if (typeof options.execute !== "function")
    throw new OptionError("hostFunction execute", options.execute, "a function");
  const { execute } = options;
  const input = checkedInput("hostFunction", options.input, options.parameters);
  return functionOf("hostFunction", options, execute, input.parameters, (subject, call) =>
    checkedCall(input, subject, call, (value) => execute(value as Arguments, call)),
  );
}

export const anyPositionals: Parameter = Object.freeze({
  name: "args",
  annotation: "Any",
  kind: "positionals",
  isOptional: true,
});

export function positionalFunction(option: string, execute: object, terms: unknown): FunctionCapability {
  const options = optionFields(option, terms, termNames) as FunctionTerms;
  const call = execute as (...args: unknown[]) => unknown;
  return functionOf(option, options, execute, [anyPositionals], (given) => {
    const values = positionalsOf(given.args);
    return () => call(...values);
  });
}

/** A function of an object with these terms: arguments in the order of its parameters. */
export function orderedFunction(
  option: string,
  execute: object,
  options: HostFunctionOptions<InputSchema>,
): FunctionCapability {
  const input = checkedInput(option, options.input, options.parameters);
  const invoke = execute as (...args: unknown[]) => unknown;
  return functionOf(option, options, execute, input.parameters, (given, call) =>
    checkedCall(input, given, call, (value) => {
      if (!input.isObject) return invoke(value);
      const isWhole =
        typeof value !== "object" ||
        value === null ||
        input.parameters.some(({ kind }) => kind === "keywords");
      return isWhole ? invoke(value) : invoke(...argumentsInOrder(input.parameters, value as Arguments));
    }),
  );
}

type Ready = () => unknown;

function checkedCall(
  input: CheckedInput,
  given: Arguments,
  call: FunctionCall,
  execute: (value: unknown) => unknown,
): Later<Ready> {
  const subject = input.isObject ? argumentsByName(input.parameters, given) : given.value;
  // In a function: a value of the guest's with a member `then` would be waited for.
  function* steps(): Steps<Ready> {
    const value = yield* input.check(subject, call.name);
    return () => execute(value);
  }
  return run(steps());
}

/** `prepare` checks the arguments; what it gives is the call itself. */
function functionOf(
  option: string,
  terms: FunctionTerms,
  execute: object,
  parameters: readonly Parameter[],
  prepare: (given: Arguments, call: FunctionCall) => Later<Ready>,
): FunctionCapability {
  const signature = signatureOf(option, terms, execute, parameters);
  const output = terms.output === undefined ? undefined : demandOutput(`${option} output`, terms.output);
  const errors = optionalFunction(`${option} errors`, terms.errors);
  const thrown = (error: unknown): unknown => shownError(error, errors);
  const done = (answer: unknown): unknown => {
    if (signature.streams)
      return eachItem(answer, {
        error: thrown,
        ...(output && { item: (value: unknown) => checkedOutput(output, value) }),
      });
    return output === undefined ? answer : run(checkedOutput(output, answer));
  };
  const execution = (ready: Ready): unknown => {
    let answer: unknown;
    try {
      answer = ready();
    } catch (error) {
      throw thrown(error);
    }
    if (!isPending(answer)) return done(answer);
    return Promise.resolve(answer).then(done, (error: unknown) => {
      throw thrown(error);
    });
  };
  return branded({
    kind: "function",
    signature,
    limits: checkLimitOptions(`${option} limits`, terms.limits),
    values: checkValueOptions(`${option} values`, terms.values),
    invoke: (given: Arguments, call: FunctionCall) => {
      const ready = prepare(given, call);
      if (!isPending(ready)) return execution(ready);
      return Promise.resolve(ready).then((late) => {
        // The check has taken its time.
        call.signal.throwIfAborted();
        return execution(late);
      });
    },
  });
}

function signatureOf(
  option: string,
  terms: FunctionTerms,
  execute: object,
  parameters: readonly Parameter[],
): Signature {
  const kind = Object.prototype.toString.call(execute);
  return Object.freeze({
    parameters,
    returns: returnsOf(option, terms),
    description: optionalText(`${option} description`, terms.description),
    isAsync: optionalFlag(`${option} async`, terms.async, isAsyncFunction(execute)),
    streams: optionalFlag(
      `${option} streams`,
      terms.streams,
      kind === "[object GeneratorFunction]" || kind === "[object AsyncGeneratorFunction]",
    ),
  });
}

function returnsOf(option: string, { returns, output }: FunctionTerms): string {
  if (isSchemaObject(returns)) return annotationOf(returns);
  if (returns !== undefined) return checkAnnotation(`${option} returns`, returns);
  return output === undefined
    ? "Any"
    : annotationOf(jsonSchemaOf(demandOutput(`${option} output`, output), "output"));
}

function demandOutput(option: string, output: unknown): StandardSchema {
  const schema = demandSchema(option, output);
  if (!isStandardSchema(schema)) throw new OptionError(option, output, "a Standard Schema");
  return schema;
}

function* checkedOutput(schema: StandardSchema, value: unknown): Steps<unknown> {
  const result = yield* now(schema["~standard"].validate(value));
  if (result.issues === undefined) return result.value;
  const [issue] = result.issues;
  throw new TypeError(
    `execute gave what \`output\` does not accept: ${issue?.message ?? "no reason was told"}`,
  );
}

function shownError(error: unknown, errors: FunctionTerms["errors"]): unknown {
  if (error instanceof GuestException || errors === undefined) return error;
  const shown: unknown = errors(error);
  // An async function by mistake: a rejection that nobody hears would end the embedder's process.
  if (isPending(shown)) shown.then(undefined, () => {});
  return shown instanceof GuestException ? shown : error;
}
