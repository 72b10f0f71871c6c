// The JSON Schema of what a schema library accepts, as far as the library tells it. Only the signature is made of it: whether arguments
// are right is always asked of the library itself.
import type { JsonSchema } from "./function-capability.ts";
import { isSchemaObject } from "./json-schema-annotation.ts";
import { bigintSchema, dateSchema } from "./library-kinds.ts";
import { type InputSchema, isAiSchema, isStandardSchema } from "./schemas.ts";
import { valibotJsonSchema } from "./valibot-json-schema.ts";

/** Undefined: the library does not tell, and any arguments by name may be meant. */
export function jsonSchemaOf(schema: InputSchema, direction: "input" | "output"): JsonSchema | undefined {
  if (isStandardSchema(schema)) {
    const { vendor } = schema["~standard"];
    const ways = [
      // Its extension says nothing of a bigint.
      () => (vendor === "arktype" && direction === "input" ? arktypeSchema(schema) : undefined),
      () => extension(schema["~standard"].jsonSchema, direction),
      () => arktypeSchema(schema),
      () =>
        ownMethod(schema, "toJSONSchema", [{ io: direction, unrepresentable: "any", override: zodKinds }]),
      () => shapeOf(schema),
      () => (vendor === "valibot" ? valibotJsonSchema(schema) : undefined),
    ];
    for (const way of ways) {
      const found = attempt(way);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return isAiSchema(schema) && isSchemaObject(schema.jsonSchema) && !isPromise(schema.jsonSchema)
    ? schema.jsonSchema
    : undefined;
}

/** Libraries throw for what JSON Schema does not have. */
function attempt(way: () => unknown): JsonSchema | undefined {
  try {
    const found = way();
    return isSchemaObject(found) && !isPromise(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isPromise(value: object): boolean {
  return "then" in value && typeof value.then === "function";
}

/** The extension of Standard Schema: `~standard.jsonSchema`. */
function extension(converter: unknown, direction: "input" | "output"): unknown {
  const convert = (converter as Partial<Record<string, (options: object) => unknown>> | undefined)?.[
    direction
  ];
  return convert?.call(converter, { target: "draft-2020-12" });
}

function ownMethod(schema: object, name: string, given: readonly unknown[]): unknown {
  const method: unknown = (schema as Record<string, unknown>)[name];
  return typeof method === "function" ? Reflect.apply(method, schema, given) : undefined;
}

/** With whatever is known of what arktype calls unrepresentable, and of a bigint all. */
function arktypeSchema(schema: object): unknown {
  const fallback = (met: { readonly base?: unknown; readonly domain?: unknown }): unknown =>
    met.domain === "bigint" ? bigintSchema : (met.base ?? {});
  return ownMethod(schema, "toJsonSchema", [{ fallback }]);
}

interface ZodMet {
  readonly zodSchema: {
    readonly _zod?: { readonly def?: { readonly type?: unknown; readonly values?: readonly unknown[] } };
  };
  readonly jsonSchema: Record<string, unknown>;
}

/** What zod calls unrepresentable, and Python has. */
function zodKinds({ zodSchema, jsonSchema }: ZodMet): void {
  const { type, values = [] } = zodSchema._zod?.def ?? {};
  if (type === "date") Object.assign(jsonSchema, dateSchema);
  if (type === "bigint") Object.assign(jsonSchema, bigintSchema);
  // Written as a number.
  if (type === "literal" && values.every((value) => typeof value === "bigint"))
    jsonSchema.format = bigintSchema.format;
}

/** At least the names of what is in a zod object. */
function shapeOf(schema: object): JsonSchema | undefined {
  const shape = "shape" in schema ? schema.shape : undefined;
  if (typeof shape !== "object" || shape === null) return undefined;
  const properties: Record<string, unknown> = Object.create(null);
  const required: string[] = [];
  for (const [name, property] of Object.entries(shape)) {
    properties[name] = propertyOf(property);
    if (ownMethod(property as object, "isOptional", []) !== true) required.push(name);
  }
  return { type: "object", properties, required };
}

function propertyOf(property: unknown): JsonSchema {
  const found = isStandardSchema(property) ? jsonSchemaOf(property, "input") : undefined;
  const description = (property as { readonly description?: unknown } | null)?.description;
  return { ...found, ...(typeof description === "string" && { description }) };
}
