// Checks a value against a JSON Schema (2020-12) for which no library does it: one that was written by hand, or comes from a tool. A schema
// with a keyword that this does not know how to check is refused when the function is made, not passed over.
import { demandCheckable } from "./checkable-schema.ts";
import type { JsonSchema } from "./function-capability.ts";
import { isSchemaObject, resolveReference } from "./json-schema-annotation.ts";
import { jsonTypesOf } from "./json-types.ts";
import { sameJson } from "./same-json.ts";
import type { StandardIssue, StandardSchema } from "./schemas.ts";

const mostDepth = 64;
/** Against schemas that refer to themselves, and values that repeat: steps of one check. */
const mostSteps = 1_000_000;
const mostIssues = 6;

/** Throws OptionError for what cannot be checked. */
export function jsonSchemaCheck(option: string, schema: JsonSchema): StandardSchema {
  demandCheckable(option, schema);
  return {
    "~standard": {
      version: 1,
      vendor: "sandboa",
      validate: (value) => {
        const check = new Check(schema);
        check.value(schema, value, [], 0);
        return check.issues.length > 0 ? { issues: check.issues } : { value };
      },
    },
  };
}

type Path = readonly PropertyKey[];

/** A bigint as the number that it is the same as, if there is one. */
function plain(value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isFinite(number) && BigInt(number) === value ? number : value;
}

class Check {
  readonly issues: StandardIssue[] = [];
  readonly #root: JsonSchema;
  #steps = 0;

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  value(schema: unknown, value: unknown, path: Path, depth: number): void {
    this.#steps += 1;
    if (depth > mostDepth || this.#steps > mostSteps) {
      this.#refuse(path, "too deep or too large to be checked");
      return;
    }
    if (this.issues.length >= mostIssues || schema === true) return;
    if (schema === false) {
      this.#refuse(path, "not allowed here");
      return;
    }
    if (!isSchemaObject(schema)) return;
    if (schema.$ref !== undefined)
      this.value(resolveReference(schema.$ref, this.#root), value, path, depth + 1);
    this.#plain(schema, value, path);
    if (jsonTypesOf(value).includes("number")) this.#number(schema, value as number | bigint, path);
    if (typeof value === "string") this.#string(schema, value, path);
    if (Array.isArray(value)) this.#array(schema, value, path, depth);
    else if (jsonTypesOf(value).includes("object")) this.#object(schema, value as object, path, depth);
    this.#combined(schema, value, path, depth);
  }

  #refuse(path: Path, message: string): void {
    if (this.issues.length < mostIssues) this.issues.push({ message, path });
  }

  #passes(schema: unknown, value: unknown, depth: number): boolean {
    const issues = this.issues.splice(0);
    this.value(schema, value, [], depth);
    const passes = this.issues.length === 0;
    this.issues.splice(0, this.issues.length, ...issues);
    return passes;
  }

  #plain(schema: JsonSchema, value: unknown, path: Path): void {
    if (schema.type !== undefined) {
      const types = (Array.isArray(schema.type) ? schema.type : [schema.type]) as unknown[];
      const accepted = schema.nullable === true ? [...types, "null"] : types;
      const found = jsonTypesOf(value);
      if (!found.some((type) => accepted.includes(type)))
        this.#refuse(
          path,
          `must be ${accepted.join(" or ")}, not ${found[0] ?? "a value that JSON does not have"}`,
        );
    }
    if (Array.isArray(schema.enum) && !schema.enum.some((one) => sameJson(one, value)))
      this.#refuse(path, `must be one of ${shown(schema.enum)}`);
    if ("const" in schema && !sameJson(schema.const, value))
      this.#refuse(path, `must be ${shown(schema.const)}`);
  }

  #number(schema: JsonSchema, value: number | bigint, path: Path): void {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
    if (isNumber(minimum) && !(value >= minimum)) this.#refuse(path, `must be at least ${minimum}`);
    if (isNumber(maximum) && !(value <= maximum)) this.#refuse(path, `must be at most ${maximum}`);
    if (isNumber(exclusiveMinimum) && !(value > exclusiveMinimum))
      this.#refuse(path, `must be more than ${exclusiveMinimum}`);
    if (isNumber(exclusiveMaximum) && !(value < exclusiveMaximum))
      this.#refuse(path, `must be less than ${exclusiveMaximum}`);
    if (isNumber(multipleOf) && !isMultiple(value, multipleOf))
      this.#refuse(path, `must be a multiple of ${multipleOf}`);
  }

  #string({ minLength, maxLength, pattern }: JsonSchema, value: string, path: Path): void {
    if (isNumber(minLength) || isNumber(maxLength)) {
      // Code points, as JSON Schema and Python count.
      const length = value.length - (value.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
      if (isNumber(minLength) && length < minLength)
        this.#refuse(path, `must have at least ${minLength} characters`);
      if (isNumber(maxLength) && length > maxLength)
        this.#refuse(path, `must have at most ${maxLength} characters`);
    }
    if (pattern !== undefined && !new RegExp(String(pattern), "u").test(value))
      this.#refuse(path, `must match ${String(pattern)}`);
  }

  #array(schema: JsonSchema, value: readonly unknown[], path: Path, depth: number): void {
    const { minItems, maxItems, uniqueItems, contains } = schema;
    if (isNumber(minItems) && value.length < minItems)
      this.#refuse(path, `must have at least ${minItems} items`);
    if (isNumber(maxItems) && value.length > maxItems) {
      this.#refuse(path, `must have at most ${maxItems} items`);
      return;
    }
    const prefix: readonly unknown[] = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
    for (const [at, item] of value.entries()) {
      if (this.issues.length >= mostIssues) return;
      this.value(at < prefix.length ? prefix[at] : schema.items, item, [...path, at], depth + 1);
    }
    if (contains !== undefined) {
      const count = value.filter((item) => this.#passes(contains, item, depth + 1)).length;
      const { minContains = 1, maxContains } = schema;
      if ((isNumber(minContains) && count < minContains) || (isNumber(maxContains) && count > maxContains))
        this.#refuse(path, "has not the items that it must contain");
    }
    if (uniqueItems === true) this.#unique(value, path);
  }

  #unique(items: readonly unknown[], path: Path): void {
    const simple = new Set<unknown>();
    const others: unknown[] = [];
    for (const item of items) {
      const isKnown =
        typeof item === "object" && item !== null
          ? others.some((other) => this.#isSame(other, item))
          : simple.has(plain(item));
      if (this.#steps > mostSteps) {
        this.#refuse(path, "too large to be checked");
        return;
      }
      if (isKnown) {
        this.#refuse(path, "must have no item twice");
        return;
      }
      if (typeof item === "object" && item !== null) others.push(item);
      else simple.add(plain(item));
    }
  }

  #isSame(one: unknown, other: unknown): boolean {
    this.#steps += 1;
    return this.#steps > mostSteps || sameJson(one, other);
  }

  #object(schema: JsonSchema, value: object, path: Path, depth: number): void {
    const members = membersOf(value);
    const { minProperties, maxProperties, required, propertyNames } = schema;
    if (isNumber(minProperties) && members.size < minProperties)
      this.#refuse(path, `must have at least ${minProperties} members`);
    if (isNumber(maxProperties) && members.size > maxProperties) {
      this.#refuse(path, `must have at most ${maxProperties} members`);
      return;
    }
    for (const name of Array.isArray(required) ? required : [])
      if (!members.has(name)) this.#refuse([...path, name], "is required");
    for (const [trigger, names] of Object.entries(schema.dependentRequired ?? {}))
      if (members.has(trigger) && Array.isArray(names))
        for (const name of names)
          if (!members.has(name)) this.#refuse([...path, name], `is required with ${trigger}`);
    for (const [name, member] of members) {
      if (this.issues.length >= mostIssues) return;
      if (propertyNames !== undefined && !this.#passes(propertyNames, name, depth + 1))
        this.#refuse([...path, String(name)], "is no name that is allowed here");
      this.#member(schema, name, member, [...path, String(name)], depth);
    }
  }

  #member(schema: JsonSchema, name: unknown, member: unknown, path: Path, depth: number): void {
    const { properties, patternProperties, additionalProperties } = schema;
    let known = false;
    if (typeof name === "string" && isSchemaObject(properties) && Object.hasOwn(properties, name)) {
      known = true;
      this.value(properties[name], member, path, depth + 1);
    }
    for (const [pattern, part] of Object.entries(patternProperties ?? {})) {
      if (!new RegExp(pattern, "u").test(String(name))) continue;
      known = true;
      this.value(part, member, path, depth + 1);
    }
    if (!known) this.value(additionalProperties, member, path, depth + 1);
  }

  #combined(schema: JsonSchema, value: unknown, path: Path, depth: number): void {
    const { allOf, anyOf, oneOf, not } = schema;
    const passing = (part: unknown): boolean => this.#passes(part, value, depth + 1);
    if (Array.isArray(allOf)) for (const part of allOf) this.value(part, value, path, depth + 1);
    if (Array.isArray(anyOf) && !anyOf.some(passing))
      this.#refuse(path, "must be one of the forms that are allowed");
    if (Array.isArray(oneOf) && oneOf.filter(passing).length !== 1)
      this.#refuse(path, "must be exactly one of the forms that are allowed");
    if (not !== undefined && passing(not)) this.#refuse(path, "has a form that is not allowed");
    if (schema.if === undefined) return;
    this.value(passing(schema.if) ? schema.then : schema.else, value, path, depth + 1);
  }
}

function membersOf(value: object): ReadonlyMap<unknown, unknown> {
  return value instanceof Map ? value : new Map(Object.entries(value));
}

/** Within what rounding does to a quotient: 0.07 is a multiple of 0.01. */
function isMultiple(value: number | bigint, of: number): boolean {
  if (typeof value === "bigint" && Number.isSafeInteger(of) && of > 0) return value % BigInt(of) === 0n;
  const quotient = Number(value) / of;
  return Math.abs(quotient - Math.round(quotient)) <= 4 * Number.EPSILON * Math.abs(quotient);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "a value";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
