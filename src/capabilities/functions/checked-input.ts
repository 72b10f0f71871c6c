// The arguments of one call as an embedder's schema has checked them. A value that a guest made is never what a promise resolves to, for an
// object of it with a member `then` would be called: it travels in a result of the schema, or through a generator.
import { isError } from "../../errors/object-kinds.ts";
import { OptionError } from "../../errors/option-error.ts";
import { now, type Steps } from "../../filesystems/later.ts";
import { argumentError } from "./argument-errors.ts";
import type { JsonSchema, Parameter } from "./function-capability.ts";
import { annotationOf, isSchemaObject } from "./json-schema-annotation.ts";
import { jsonSchemaCheck } from "./json-schema-check.ts";
import { jsonSchemaOf } from "./json-schema-of.ts";
import { hasLibraryKinds, inLibraryKinds } from "./library-kinds.ts";
import {
  type AiResult,
  type InputSchema,
  isAiSchema,
  isStandardSchema,
  type StandardIssue,
  type StandardResult,
  schemaForm,
} from "./schemas.ts";
import { anyKeywords, isObjectSchema, parametersOf, topOf } from "./signature-of-schema.ts";

export interface CheckedInput {
  readonly parameters: readonly Parameter[];
  /** Whether the schema is about one object of all arguments, not about the only argument. */
  readonly isObject: boolean;
  readonly jsonSchema: JsonSchema | undefined;
  /** Throws GuestException. `name` as the guest calls the function. */
  check(subject: unknown, name: string): Steps<unknown>;
}

/** Throws OptionError. `parameters`: a JSON Schema to make the signature of, whatever `input` says of itself. */
export function checkedInput(option: string, input: unknown, parameters: unknown): CheckedInput {
  if (parameters !== undefined && !isObjectSchema(topOf(parameters)))
    throw new OptionError(`${option} parameters`, parameters, "a JSON Schema of an object");
  const given = parameters as JsonSchema | undefined;
  if (input === undefined) {
    if (given === undefined) return nothing;
    return ofSchema(`${option} parameters`, given, jsonSchemaCheck(`${option} parameters`, given), false);
  }
  const schema = demandSchema(`${option} input`, input);
  const jsonSchema = given ?? jsonSchemaOf(schema, "input");
  const checking =
    !isStandardSchema(schema) && schema.validate === undefined && jsonSchema !== undefined
      ? jsonSchemaCheck(`${option} input`, jsonSchema)
      : schema;
  const isFromLibrary = given === undefined && isStandardSchema(schema);
  return ofSchema(
    given === undefined ? `${option} input` : `${option} parameters`,
    jsonSchema,
    checking,
    isFromLibrary,
  );
}

export function demandSchema(option: string, schema: unknown): InputSchema {
  if (isStandardSchema(schema)) return schema;
  if (!isAiSchema(schema)) throw new OptionError(option, schema, schemaForm);
  const { jsonSchema } = schema;
  if (!isSchemaObject(jsonSchema) || ("then" in jsonSchema && typeof jsonSchema.then === "function"))
    throw new OptionError(`${option} jsonSchema`, jsonSchema, "a JSON Schema, and no promise of it");
  return schema;
}

const nothing: CheckedInput = {
  parameters: [],
  isObject: true,
  jsonSchema: undefined,
  // biome-ignore lint/correctness/useYield: there is nothing to check.
  *check(subject) {
    return subject;
  },
};

function ofSchema(
  option: string,
  jsonSchema: JsonSchema | undefined,
  schema: InputSchema,
  isFromLibrary: boolean,
): CheckedInput {
  const isObject = jsonSchema === undefined || isOfObjects(jsonSchema, jsonSchema, 0);
  const parameters = isObject
    ? parametersOfObject(option, jsonSchema, isFromLibrary)
    : [parameterOfValue(jsonSchema)];
  const adapted =
    isFromLibrary && jsonSchema !== undefined && hasLibraryKinds(jsonSchema) ? jsonSchema : undefined;
  return {
    parameters,
    isObject,
    jsonSchema,
    *check(given, name) {
      const subject = adapted === undefined ? given : inLibraryKinds(given, adapted);
      const result = yield* now(validate(schema, subject));
      if (!("issues" in result) || result.issues === undefined) return (result as { value: unknown }).value;
      throw argumentError(name, result.issues, {
        value: subject,
        jsonSchema,
        parameter: isObject ? undefined : "value",
      });
    },
  };
}

/** An object, or one of several. */
function isOfObjects(schema: unknown, root: JsonSchema, depth: number): boolean {
  const top = topOf(schema, root);
  if (!isSchemaObject(top) || depth > 8) return false;
  const members = top.anyOf ?? top.oneOf ?? top.allOf;
  if (isObjectSchema(top)) return true;
  return (
    Array.isArray(members) && members.length > 0 && members.every((one) => isOfObjects(one, root, depth + 1))
  );
}

function parametersOfObject(
  option: string,
  schema: JsonSchema | undefined,
  isFromLibrary: boolean,
): readonly Parameter[] {
  if (schema === undefined || !isObjectSchema(topOf(schema))) return [anyKeywords];
  const top = topOf(schema) as JsonSchema;
  return top.properties === undefined && top.additionalProperties === undefined
    ? [anyKeywords]
    : parametersOf(option, schema, isFromLibrary);
}

function parameterOfValue(schema: JsonSchema): Parameter {
  const { description } = schema;
  return Object.freeze({
    name: "value",
    annotation: annotationOf(schema),
    kind: "positionalOnly",
    isOptional: "default" in schema,
    description: typeof description === "string" ? description : undefined,
  });
}

function validate(schema: InputSchema, subject: unknown): StandardResult | PromiseLike<StandardResult> {
  if (isStandardSchema(schema)) return schema["~standard"].validate(subject);
  const found = schema.validate?.(subject);
  if (found === undefined) return { value: subject };
  return "success" in found ? standardResult(found) : found.then(standardResult);
}

function standardResult(result: AiResult): StandardResult {
  return result.success ? { value: result.value } : { issues: issuesOf(result.error) };
}

/** Libraries' errors have issues; the AI SDK has errors of its own, with a library's error or its issues as the cause. */
function issuesOf(error: unknown): readonly StandardIssue[] {
  const { cause } = (error ?? {}) as ErrorOptions;
  for (const at of [issuesIn(error), issuesIn(cause), cause])
    if (Array.isArray(at) && at.length > 0) return at as StandardIssue[];
  return [{ message: isError(error) ? error.message : "not accepted" }];
}

function issuesIn(error: unknown): unknown {
  return (error as { readonly issues?: unknown } | null | undefined)?.issues;
}
