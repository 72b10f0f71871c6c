// Which JSON types a value of the host has, and which ones a JSON Schema names. An integral float is an integer, too (JSON Schema
// 2020-12, 6.1.1); what JSON does not have, such as a Date, has no type.
import { isMap, isPlainObject } from "../../errors/object-kinds.ts";
import { isSchemaObject, resolveReference } from "./json-schema-annotation.ts";

const mostDepth = 12;

export function jsonTypesOf(value: unknown): readonly string[] {
  switch (typeof value) {
    case "string":
      return ["string"];
    case "boolean":
      return ["boolean"];
    case "bigint":
      return ["integer", "number"];
    case "number":
      return Number.isInteger(value) ? ["integer", "number"] : ["number"];
    case "object":
      return typesOfObject(value);
    default:
      return [];
  }
}

function typesOfObject(value: object | null): readonly string[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return ["array"];
  return isPlainObject(value) || isMap(value) ? ["object"] : [];
}

/** Undefined: it names none, so that any value may be meant. */
export function typesOfSchema(schema: unknown, root: unknown, depth = 0): ReadonlySet<string> | undefined {
  if (!isSchemaObject(schema) || depth > mostDepth) return undefined;
  if (schema.$ref !== undefined) return typesOfSchema(resolveReference(schema.$ref, root), root, depth + 1);
  const found = namedTypes(schema, root, depth);
  return found !== undefined && schema.nullable === true ? new Set([...found, "null"]) : found;
}

function namedTypes(
  schema: Readonly<Record<string, unknown>>,
  root: unknown,
  depth: number,
): ReadonlySet<string> | undefined {
  if (typeof schema.type === "string") return new Set([schema.type]);
  if (Array.isArray(schema.type)) return new Set(schema.type as string[]);
  if ("const" in schema) return new Set(jsonTypesOf(schema.const));
  if (Array.isArray(schema.enum)) return new Set(schema.enum.flatMap((value) => jsonTypesOf(value)));
  const either = schema.anyOf ?? schema.oneOf;
  if (!Array.isArray(either)) return undefined;
  const all = new Set<string>();
  for (const member of either) {
    const types = typesOfSchema(member, root, depth + 1);
    if (types === undefined) return undefined;
    for (const type of types) all.add(type);
  }
  return all;
}
