// The Python annotation of a JSON Schema: what a person or a model needs to call a function, not a proof. What has no short name in
// Python, lies too deep or refers to itself is Any.
import type { JsonSchema } from "./function-capability.ts";
import { stringLiteral, valueLiteral } from "./python-text.ts";

const mostDepth = 12;
const mostMembers = 50;
const mostCharacters = 1000;

/** `root`: where `$ref` is looked up. */
export function annotationOf(schema: unknown, root: unknown = schema): string {
  const text = new Annotations(root).of(schema, 0);
  return text.length > mostCharacters ? "Any" : text;
}

export function isSchemaObject(schema: unknown): schema is JsonSchema {
  return typeof schema === "object" && schema !== null && !Array.isArray(schema);
}

/** The schema that a `$ref` within the same document names; undefined if it is not there. */
export function resolveReference(reference: unknown, root: unknown): unknown {
  if (typeof reference !== "string" || !reference.startsWith("#")) return undefined;
  let at: unknown = root;
  if (reference === "#") return at;
  for (const part of reference.slice(2).split("/")) {
    const name = decodePart(part);
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** JSON Pointer in a URI fragment (RFC 6901). */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return part;
  }
}

class Annotations {
  readonly #root: unknown;
  readonly #resolving = new Set<unknown>();
  /** Against schemas that repeat themselves without end. */
  #left = 1000;

  constructor(root: unknown) {
    this.#root = root;
  }

  of(schema: unknown, depth: number): string {
    this.#left -= 1;
    if (!isSchemaObject(schema) || depth > mostDepth || this.#left < 0) return "Any";
    if (schema.$ref !== undefined) return this.#reference(schema.$ref, depth);
    const plain = this.#plain(schema, depth);
    return schema.nullable === true ? union([plain, "None"]) : plain;
  }

  #reference(reference: unknown, depth: number): string {
    const target = resolveReference(reference, this.#root);
    if (this.#resolving.has(target)) return "Any";
    this.#resolving.add(target);
    try {
      return this.of(target, depth + 1);
    } finally {
      this.#resolving.delete(target);
    }
  }

  #plain(schema: JsonSchema, depth: number): string {
    if ("const" in schema) return literals([schema.const]);
    if (Array.isArray(schema.enum)) return literals(schema.enum);
    const either = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(either)) return this.#union(either, depth);
    if (Array.isArray(schema.allOf) && schema.type === undefined)
      return schema.allOf.length === 1 ? this.of(schema.allOf[0], depth + 1) : "Any";
    if (Array.isArray(schema.type)) {
      const types: unknown[] = schema.type;
      return this.#union(
        types.map((type) => ({ ...schema, type })),
        depth,
      );
    }
    return this.#typed(schema, depth);
  }

  #union(members: readonly unknown[], depth: number): string {
    if (members.length === 0 || members.length > mostMembers) return "Any";
    return union(members.map((member) => this.of(member, depth + 1)));
  }

  #typed(schema: JsonSchema, depth: number): string {
    switch (schema.type) {
      case "string":
        return schema.format === "binary" ? "bytes" : "str";
      case "integer":
        return "int";
      case "number":
        return "float";
      case "boolean":
        return "bool";
      case "null":
        return "None";
      case "array":
        return Array.isArray(schema.prefixItems)
          ? this.#tuple(schema, schema.prefixItems, depth)
          : `list[${this.of(schema.items, depth + 1)}]`;
      case "object":
        return `dict[str, ${this.#values(schema, depth)}]`;
      default:
        // A format without a type is of a value that JSON does not have.
        return schema.type === undefined ? (formats.get(schema.format) ?? "Any") : "Any";
    }
  }

  #tuple(schema: JsonSchema, items: readonly unknown[], depth: number): string {
    const isOpen = schema.items !== false && schema.items !== undefined;
    if (isOpen || items.length === 0 || items.length > mostMembers) return "list[Any]";
    return `tuple[${items.map((item) => this.of(item, depth + 1)).join(", ")}]`;
  }

  #values(schema: JsonSchema, depth: number): string {
    const isOpen = schema.properties === undefined && isSchemaObject(schema.additionalProperties);
    return isOpen ? this.of(schema.additionalProperties, depth + 1) : "Any";
  }
}

const formats: ReadonlyMap<unknown, string> = new Map([
  ["date-time", "datetime.datetime"],
  ["date", "datetime.date"],
  ["time", "datetime.time"],
  ["duration", "datetime.timedelta"],
  ["uuid", "uuid.UUID"],
  ["binary", "bytes"],
]);

/** Of each only one; None last, as people write it. */
function union(members: readonly string[]): string {
  const all = [...new Set(members)];
  if (all.includes("Any")) return "Any";
  const some = all.filter((member) => member !== "None");
  return (some.length < all.length ? [...some, "None"] : some).join(" | ");
}

function literals(values: readonly unknown[]): string {
  if (values.length === 0 || values.length > mostMembers) return "Any";
  const texts = values.filter((value) => value !== null).map(literalOf);
  if (texts.includes(undefined)) return "Any";
  const none = texts.length < values.length ? ["None"] : [];
  return union(texts.length === 0 ? none : [`Literal[${[...new Set(texts)].join(", ")}]`, ...none]);
}

/** What Literal can have. */
function literalOf(value: unknown): string | undefined {
  if (typeof value === "string") return stringLiteral(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  return Number.isSafeInteger(value) || typeof value === "bigint" ? valueLiteral(value) : undefined;
}
