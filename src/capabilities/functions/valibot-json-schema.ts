// The JSON Schema of a valibot schema, from the fields that its schemas have; valibot itself leaves that to another package.
import type { JsonSchema } from "./function-capability.ts";
import { isSchemaObject } from "./json-schema-annotation.ts";
import { bigintSchema, dateSchema } from "./library-kinds.ts";

const mostDepth = 12;

interface ValibotFields {
  readonly type?: unknown;
  readonly entries?: unknown;
  readonly rest?: unknown;
  readonly wrapped?: unknown;
  readonly item?: unknown;
  readonly items?: unknown;
  readonly value?: unknown;
  readonly options?: unknown;
  readonly literal?: unknown;
  readonly default?: unknown;
  readonly pipe?: unknown;
}

export function valibotJsonSchema(schema: unknown, depth = 0): JsonSchema {
  if (typeof schema !== "object" || schema === null || depth > mostDepth) return {};
  const fields: ValibotFields = schema;
  const found = ofType(fields, depth);
  const described = descriptionOf(fields.pipe);
  return described === undefined ? found : { ...found, description: described };
}

function ofType(fields: ValibotFields, depth: number): JsonSchema {
  const inner = (schema: unknown): JsonSchema => valibotJsonSchema(schema, depth + 1);
  switch (fields.type) {
    case "string":
    case "boolean":
    case "null":
      return { type: fields.type };
    case "number":
      return { type: isInteger(fields.pipe) ? "integer" : "number" };
    case "bigint":
      return bigintSchema;
    case "date":
      return dateSchema;
    case "array":
      return { type: "array", items: inner(fields.item) };
    case "tuple":
    case "strict_tuple":
      return { type: "array", prefixItems: membersOf(fields.items).map(inner), items: false };
    case "record":
      return { type: "object", additionalProperties: inner(fields.value) };
    case "picklist":
    case "enum":
      return { enum: fields.options };
    case "literal":
      return { const: fields.literal };
    case "nullable":
    case "nullish":
      return withDefault({ anyOf: [inner(fields.wrapped), { type: "null" }] }, fields);
    case "optional":
    case "exact_optional":
      return withDefault(inner(fields.wrapped), fields);
    case "union":
    case "variant":
      return { anyOf: membersOf(fields.options).map(inner) };
    case "object":
    case "strict_object":
    case "loose_object":
    case "object_with_rest":
      return objectOf(fields, inner);
    default:
      return {};
  }
}

const leavingOut: readonly unknown[] = ["optional", "exact_optional", "nullish"];

function objectOf(fields: ValibotFields, inner: (schema: unknown) => JsonSchema): JsonSchema {
  const properties: Record<string, unknown> = Object.create(null);
  const required: string[] = [];
  for (const [name, entry] of Object.entries(isSchemaObject(fields.entries) ? fields.entries : {})) {
    properties[name] = inner(entry);
    if (!leavingOut.includes((entry as ValibotFields | null)?.type)) required.push(name);
  }
  const more =
    fields.type === "loose_object" ? true : fields.type === "object_with_rest" ? inner(fields.rest) : false;
  return { type: "object", properties, required, additionalProperties: more };
}

/** A default may be a function; then it is not known. */
function withDefault(schema: JsonSchema, fields: ValibotFields): JsonSchema {
  const isKnown = fields.default !== undefined && typeof fields.default !== "function";
  return isKnown ? { ...schema, default: fields.default } : schema;
}

function membersOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isInteger(pipe: unknown): boolean {
  return membersOf(pipe).some((action) =>
    ["integer", "safe_integer"].includes(String((action as ValibotFields).type)),
  );
}

function descriptionOf(pipe: unknown): string | undefined {
  for (const action of membersOf(pipe)) {
    const { type, description } = action as { readonly type?: unknown; readonly description?: unknown };
    if (type === "description" && typeof description === "string") return description;
  }
  return undefined;
}
