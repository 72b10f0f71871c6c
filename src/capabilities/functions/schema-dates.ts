// A datetime of Python's where a library's schema wants a Date, the only moment that those libraries know: as one.
import { isPlainObject } from "../../errors/object-kinds.ts";
import type { JsonSchema } from "./function-capability.ts";
import { isSchemaObject } from "./json-schema-annotation.ts";
import { onlyMember, schemaAt } from "./schema-at.ts";
import { topOf } from "./signature-of-schema.ts";

const mostDepth = 16;
/** Items and members that are gone through, against values that contain themselves many times; what is not reached stays as it is. */
const mostParts = 2 ** 22;

/** A datetime as it crosses; of a naive one it is not known which moment it is. */
interface Moment {
  toDate(): Date | undefined;
}

/** Whether anything in a schema is a Date; the word is none that JSON Schema has without a type. */
export function hasDates(schema: JsonSchema): boolean {
  const text = JSON.stringify(schema, (_, value: unknown) => (typeof value === "bigint" ? null : value));
  return text.includes('"date-time"');
}

/** `value` itself where there is nothing to change. */
export function withDates(value: unknown, root: JsonSchema): unknown {
  return dated(value, root, root, 0, { left: mostParts });
}

function dated(
  value: unknown,
  schema: unknown,
  root: JsonSchema,
  depth: number,
  parts: { left: number },
): unknown {
  if (typeof value !== "object" || value === null || schema === undefined || depth > mostDepth) return value;
  const at = onlyMember(topOf(schema, root), root);
  if (isMoment(value))
    return isSchemaObject(at) && at.format === "date-time" && at.type === undefined
      ? (value.toDate() ?? value)
      : value;
  const inner = (item: unknown, key: PropertyKey): unknown =>
    dated(item, schemaAt(at, key, root), root, depth + 1, parts);
  if (Array.isArray(value)) {
    parts.left -= value.length;
    if (parts.left < 0) return value;
    const items = value.map(inner);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value);
  parts.left -= entries.length;
  if (parts.left < 0) return value;
  const changes = entries.flatMap(([key, member]) => {
    const changed = inner(member, key);
    return changed === member ? [] : [[key, changed] as const];
  });
  return changes.length === 0
    ? value
    : Object.assign(Object.create(null), value, Object.fromEntries(changes));
}

/** What a guest makes has no prototype with methods; this is a class of ours. */
function isMoment(value: object): value is Moment {
  return !isPlainObject(value) && typeof (value as Partial<Moment>).toDate === "function";
}
