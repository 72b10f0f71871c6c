// Whether everything that a JSON Schema demands can be checked here: what could not is refused when a function is made, not passed over.
import { OptionError } from "../../errors/option-error.ts";
import type { JsonSchema } from "./function-capability.ts";
import { isSchemaObject, resolveReference } from "./json-schema-annotation.ts";

const mostDepth = 64;
const unchecked: readonly string[] = [
  ...["$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties", "dependentSchemas"],
  ...["dependencies", "additionalItems", "contentSchema"],
];

/** Where schemas are in a schema: alone, in lists, or by name. */
const schemaKeywords: readonly string[] = [
  ...["items", "prefixItems", "contains", "additionalProperties", "propertyNames"],
  ...["allOf", "anyOf", "oneOf", "not", "if", "then", "else"],
];
const namedSchemas: readonly string[] = ["properties", "patternProperties"];

/** Throws OptionError. */
export function demandCheckable(option: string, schema: JsonSchema): void {
  visit(option, schema, schema, 0, new Set());
}

function visit(option: string, schema: unknown, root: JsonSchema, depth: number, seen: Set<unknown>): void {
  if (Array.isArray(schema)) for (const part of schema) visit(option, part, root, depth, seen);
  if (!isSchemaObject(schema) || seen.has(schema)) return;
  seen.add(schema);
  if (depth > mostDepth)
    throw new OptionError(option, schema, `JSON Schemas nested at most ${mostDepth} deep`);
  for (const keyword of unchecked)
    if (keyword in schema)
      throw new OptionError(`${option} ${keyword}`, keyword, "keywords that can be checked");
  if (schema.pattern !== undefined) patternOf(option, schema.pattern);
  for (const pattern of Object.keys(schema.patternProperties ?? {})) patternOf(option, pattern);
  const below = schemaKeywords.map((keyword) => schema[keyword]);
  for (const keyword of namedSchemas) below.push(...Object.values(schema[keyword] ?? {}));
  if (schema.$ref !== undefined) {
    const target = resolveReference(schema.$ref, root);
    if (target === undefined)
      throw new OptionError(`${option} $ref`, schema.$ref, "references within the schema");
    below.push(target);
  }
  for (const part of below) visit(option, part, root, depth + 1, seen);
}

function patternOf(option: string, pattern: unknown): RegExp {
  try {
    return new RegExp(String(pattern), "u");
  } catch (error) {
    throw new OptionError(`${option} pattern`, pattern, "a regular expression", { cause: error });
  }
}
