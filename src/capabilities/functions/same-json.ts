// Whether two values are the same to JSON Schema: numbers by value, objects by their members. Each comparison is paid for.
import type { CheckWork } from "./check-work.ts";
import { countOf, hasMember, memberOf, namesOf } from "./json-members.ts";
import { jsonTypesOf } from "./json-types.ts";

const mostDepth = 64;

/** `one` is the schema's, `other` the guest's. Worth nothing when the work is spent. */
export function sameJson(one: unknown, other: unknown, work: CheckWork, depth = 0): boolean {
  if (!work.spend(1)) return false;
  if (typeof one === "bigint" || typeof other === "bigint")
    return isNumeric(one) && isNumeric(other) && one <= other && one >= other;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null)
    return one === other;
  if (depth > mostDepth || jsonTypesOf(one)[0] !== jsonTypesOf(other)[0] || jsonTypesOf(one).length === 0)
    return false;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, at) => sameJson(item, other[at], work, depth + 1));
  const names = namesOf(one);
  const count = countOf(other);
  // Of an object it is not known without a look at each.
  if (!(other instanceof Map) && !work.spend(8 * count)) return false;
  return (
    names.length === count &&
    names.every(
      (name) =>
        hasMember(other, name) && sameJson(memberOf(one, name), memberOf(other, name), work, depth + 1),
    )
  );
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}
