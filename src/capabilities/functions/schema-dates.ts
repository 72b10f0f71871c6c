// A datetime of Python's where a library's schema wants a Date, the only moment that those libraries know: as one.
import type { JsonSchema } from "./function-capability.ts";
import { isSchemaObject } from "./json-schema-annotation.ts";
import { onlyMember, schemaAt } from "./schema-at.ts";
import { topOf } from "./signature-of-schema.ts";

const mostDepth = 16;

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
export function withDates(value: unknown, schema: unknown, root: JsonSchema, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > mostDepth) return value;
  const at = onlyMember(topOf(schema, root), root);
  if (isMoment(value))
    return isSchemaObject(at) && at.format === "date-time" && at.type === undefined
      ? (value.toDate() ?? value)
      : value;
  const inner = (item: unknown, key: PropertyKey): unknown =>
    withDates(item, schemaAt(at, key, root), root, depth + 1);
  if (Array.isArray(value)) {
    const items = value.map(inner);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isPlain(value)) return value;
  const changed = Object.entries(value).flatMap(([key, member]) => {
    const dated = inner(member, key);
    return dated === member ? [] : [[key, dated] as const];
  });
  return changed.length === 0
    ? value
    : Object.assign(Object.create(null), value, Object.fromEntries(changed));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** What a guest makes has no prototype with methods; this is a class of ours. */
function isMoment(value: object): value is Moment {
  return !isPlain(value) && typeof (value as Partial<Moment>).toDate === "function";
}
