// What the guest is told of arguments that its caller's schema refuses: a TypeError or ValueError that names the argument and says what the
// schema says, within bounds. Paths may have names in them that the guest made.
import { GuestException } from "../../errors/guest-exception.ts";
import { jsonTypesOf, typesOfSchema } from "./json-types.ts";
import { schemaAt } from "./schema-at.ts";
import type { StandardIssue } from "./schemas.ts";

const mostIssues = 5;
const mostCharacters = 1000;
const mostPath = 20;

/** A value that was refused, and the JSON Schema that is known of it. */
interface RefusedInput {
  readonly value: unknown;
  readonly jsonSchema: unknown;
  /** Of the one parameter whose value it is; undefined: the value is an object of all parameters. */
  readonly parameter?: string | undefined;
}

export function argumentError(
  name: string,
  issues: readonly StandardIssue[],
  refused: RefusedInput,
): GuestException {
  const shown = issues.slice(0, mostIssues).map((issue) => `${placeOf(issue, refused)}: ${messageOf(issue)}`);
  const more = issues.length > mostIssues ? [`and ${issues.length - mostIssues} more`] : [];
  const text = `${name}() ${[...shown, ...more].join("; ")}`;
  const [first] = issues;
  const type = first !== undefined && isOfOtherType(pathOf(first), refused) ? "TypeError" : "ValueError";
  return new GuestException(
    type,
    text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1)}…` : text,
  );
}

function messageOf({ message }: StandardIssue): string {
  return typeof message === "string" && message !== "" ? message.slice(0, mostCharacters) : "not accepted";
}

function pathOf({ path }: StandardIssue): readonly PropertyKey[] {
  if (!Array.isArray(path)) return [];
  return path
    .slice(0, mostPath)
    .map((part: PropertyKey | { readonly key: PropertyKey }) => (typeof part === "object" ? part.key : part));
}

/** `argument 'items'[3].id`. */
function placeOf(issue: StandardIssue, { parameter }: RefusedInput): string {
  const path = pathOf(issue);
  const [first, ...rest] = parameter === undefined ? path : [parameter, ...path];
  if (first === undefined) return "arguments";
  return `argument '${short(first)}'${rest.map((part) => (isIndex(part) ? `[${String(part)}]` : `.${short(part)}`)).join("")}`;
}

function short(part: PropertyKey): string {
  const text = String(part);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function isIndex(part: PropertyKey): boolean {
  return typeof part === "number";
}

/** Whether what is there is not of the JSON type that the schema names; false where no type is known. */
function isOfOtherType(path: readonly PropertyKey[], refused: RefusedInput): boolean {
  let { value, jsonSchema: schema } = refused;
  const root = schema;
  for (const key of path) {
    schema = schemaAt(schema, key, root);
    value = valueAt(value, key);
    if (schema === undefined) return false;
  }
  if (value === undefined) return true;
  const accepted = typesOfSchema(schema, root);
  return accepted !== undefined && !jsonTypesOf(value).some((type) => accepted.has(type));
}

function valueAt(value: unknown, key: PropertyKey): unknown {
  if (value instanceof Map) return value.get(key);
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<PropertyKey, unknown>)[key];
}
