// Whether two values are the same to JSON Schema: numbers by value, objects by their members.
import { jsonTypesOf } from "./json-types.ts";

const mostDepth = 64;

export function sameJson(one: unknown, other: unknown, depth = 0): boolean {
  if (typeof one === "bigint" || typeof other === "bigint")
    return isNumeric(one) && isNumeric(other) && one <= other && one >= other;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return one === other;
  if (depth > mostDepth || jsonTypesOf(one)[0] !== jsonTypesOf(other)[0] || jsonTypesOf(one).length === 0)
    return false;
  const [left, right] = [membersOf(one), membersOf(other)];
  if (left.size !== right.size) return false;
  for (const [key, value] of left)
    if (!right.has(key) || !sameJson(value, right.get(key), depth + 1)) return false;
  return true;
}

function membersOf(value: object): ReadonlyMap<unknown, unknown> {
  return value instanceof Map ? value : new Map(Object.entries(value));
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}
