// What a JSON Schema says of a member of what it is about.
import { isSchemaObject } from "./json-schema-annotation.ts";
import { topOf } from "./signature-of-schema.ts";

/** Undefined: nothing. */
export function schemaAt(schema: unknown, key: PropertyKey, root: unknown): unknown {
  const at = onlyMember(topOf(schema, root), root);
  if (!isSchemaObject(at)) return undefined;
  if (typeof key === "number")
    return Array.isArray(at.prefixItems) && key < at.prefixItems.length ? at.prefixItems[key] : at.items;
  const { properties } = at;
  if (isSchemaObject(properties) && typeof key === "string" && Object.hasOwn(properties, key))
    return properties[key];
  return isSchemaObject(at.additionalProperties) ? at.additionalProperties : undefined;
}

/** What a union with None is otherwise, if that is one schema. */
export function onlyMember(schema: unknown, root: unknown): unknown {
  if (!isSchemaObject(schema)) return schema;
  const either = schema.anyOf ?? schema.oneOf;
  if (!Array.isArray(either)) return schema;
  const others = either.filter((member) => !isSchemaObject(member) || member.type !== "null");
  return others.length === 1 ? topOf(others[0], root) : schema;
}
