// Where a library's schema wants another kind of value than the guest's arrives as: a Date for a datetime, the only moment that those
// libraries know, and a bigint for an int, which is a number as long as that can hold it.
import { isPlainObject } from "../../errors/object-kinds.ts";
import type { JsonSchema } from "./function-capability.ts";
import { isSchemaObject } from "./json-schema-annotation.ts";
import { typesOfSchema } from "./json-types.ts";
import { onlyMember, schemaAt } from "./schema-at.ts";
import { topOf } from "./signature-of-schema.ts";

const mostDepth = 16;
/** Items and members that are gone through, against values that contain themselves many times; what is not reached stays as it is. */
const mostParts = 2 ** 22;

/** Of a Date; the word is none that JSON Schema has without a type. */
export const dateSchema: JsonSchema = { format: "date-time" };
/** Of a bigint; the word is none of JSON Schema's. */
export const bigintSchema: JsonSchema = { type: "integer", format: "bigint" };

/** A datetime as it crosses; of a naive one it is not known which moment it is. */
interface Moment {
  toDate(): Date | undefined;
}

/** Whether anything in a schema is a Date or a bigint. */
export function hasLibraryKinds(schema: JsonSchema): boolean {
  const text = JSON.stringify(schema, (_, value: unknown) => (typeof value === "bigint" ? "bigint" : value));
  return text.includes('"date-time"') || text.includes('"bigint"');
}

/** `value` itself where there is nothing to change. */
export function inLibraryKinds(value: unknown, root: JsonSchema): unknown {
  return adapted(value, root, 0, { root, partsLeft: mostParts, bigints: new Map() });
}

interface Walk {
  readonly root: JsonSchema;
  partsLeft: number;
  /** Schema -> whether a bigint is accepted there, and no number is. */
  readonly bigints: Map<unknown, boolean>;
}

function adapted(value: unknown, schema: unknown, depth: number, walk: Walk): unknown {
  if (schema === undefined || depth > mostDepth) return value;
  if (typeof value === "number")
    return Number.isSafeInteger(value) && wantsBigint(schema, walk) ? BigInt(value) : value;
  if (typeof value !== "object" || value === null) return value;
  const { root } = walk;
  const at = onlyMember(topOf(schema, root), root);
  if (isMoment(value))
    return isSchemaObject(at) && at.format === "date-time" && at.type === undefined
      ? (value.toDate() ?? value)
      : value;
  const inner = (item: unknown, key: PropertyKey): unknown =>
    adapted(item, schemaAt(at, key, root), depth + 1, walk);
  if (Array.isArray(value)) {
    walk.partsLeft -= value.length;
    if (walk.partsLeft < 0) return value;
    const items = value.map(inner);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value);
  walk.partsLeft -= entries.length;
  if (walk.partsLeft < 0) return value;
  const changes = entries.flatMap(([key, member]) => {
    const changed = inner(member, key);
    return changed === member ? [] : [[key, changed] as const];
  });
  return changes.length === 0
    ? value
    : Object.assign(Object.create(null), value, Object.fromEntries(changes));
}

function wantsBigint(schema: unknown, { root, bigints }: Walk): boolean {
  const known = bigints.get(schema);
  if (known !== undefined) return known;
  const top = topOf(schema, root);
  const either = isSchemaObject(top) ? (top.anyOf ?? top.oneOf) : undefined;
  const members: readonly unknown[] = Array.isArray(either) ? either.map((one) => topOf(one, root)) : [top];
  const others = members.filter((one) => !isBigint(one)).map((one) => typesOfSchema(one, root));
  const wanted =
    others.length < members.length &&
    others.every((types) => types !== undefined && !types.has("number") && !types.has("integer"));
  bigints.set(schema, wanted);
  return wanted;
}

function isBigint(schema: unknown): boolean {
  return (
    isSchemaObject(schema) && (schema.format === bigintSchema.format || typeof schema.const === "bigint")
  );
}

/** What a guest makes has no prototype with methods; this is a class of ours. */
function isMoment(value: object): value is Moment {
  return !isPlainObject(value) && typeof (value as Partial<Moment>).toDate === "function";
}
