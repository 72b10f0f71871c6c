// Checks a value against a JSON Schema (2020-12) for which no library does it: one that was written by hand, or comes from a tool. A schema
// with a keyword that this does not know how to check is refused when the function is made, not passed over.
import { CheckWork, integerUnits } from "./check-work.ts";
import { demandCheckable } from "./checkable-schema.ts";
import type { JsonSchema } from "./function-capability.ts";
import { countOf, hasMember, memberOf, namesOf, nameText } from "./json-members.ts";
import { isSchemaObject, resolveReference } from "./json-schema-annotation.ts";
import { hasTwice } from "./json-text.ts";
import { jsonTypesOf } from "./json-types.ts";
import { valueLiteral } from "./python-text.ts";
import { sameJson } from "./same-json.ts";
import type { StandardIssue, StandardSchema } from "./schemas.ts";

const mostDepth = 64;
const mostIssues = 6;

/** Throws OptionError for what cannot be checked. */
export function jsonSchemaCheck(option: string, schema: JsonSchema): StandardSchema {
  demandCheckable(option, schema);
  const patterns = new Patterns();
  return {
    "~standard": {
      version: 1,
      vendor: "sandboa",
      validate: (value) => {
        const issues = new Check(schema, patterns).issuesOf(value);
        return issues.length > 0 ? { issues } : { value };
      },
    },
  };
}

type Path = readonly PropertyKey[];

/** Those of one schema, each compiled once. */
class Patterns {
  readonly #compiled = new Map<string, RegExp>();

  of(pattern: string): RegExp {
    const compiled = this.#compiled.get(pattern) ?? new RegExp(pattern, "u");
    this.#compiled.set(pattern, compiled);
    return compiled;
  }
}

/** Every loop over what the guest made, or over what the schema repeats for it, spends for each round, and ends when nothing is left. */
class Check {
  readonly #root: JsonSchema;
  readonly #patterns: Patterns;
  readonly #work = new CheckWork();
  /** Where it was when the work was spent. */
  #spentAt: Path | undefined;
  #issues: StandardIssue[] = [];
  /** How many checks are under way of which only the outcome counts. */
  #probes = 0;

  constructor(root: JsonSchema, patterns: Patterns) {
    this.#root = root;
    this.#patterns = patterns;
  }

  issuesOf(value: unknown): readonly StandardIssue[] {
    this.#value(this.#root, value, [], 0);
    // Whatever was found: what was looked for in vain, as for `not`, may be there.
    if (this.#isSpent([]))
      return [{ message: "too deep or too large to be checked", path: this.#spentAt ?? [] }];
    return this.#issues;
  }

  #value(schema: unknown, value: unknown, path: Path, depth: number): void {
    this.#work.spend(depth > mostDepth ? Number.POSITIVE_INFINITY : 16);
    if (this.#isSpent(path) || this.#isEnough() || schema === true) return;
    if (schema === false) {
      this.#refuse(path, "not allowed here");
      return;
    }
    if (!isSchemaObject(schema)) return;
    if (schema.$ref !== undefined)
      this.#value(resolveReference(schema.$ref, this.#root), value, path, depth + 1);
    this.#plain(schema, value, path);
    if (typeof value === "number" || typeof value === "bigint") this.#number(schema, value, path);
    if (typeof value === "string") this.#string(schema, value, path);
    if (Array.isArray(value)) this.#array(schema, value, path, depth);
    else if (jsonTypesOf(value).includes("object")) this.#object(schema, value as object, path, depth);
    this.#combined(schema, value, path, depth);
    this.#isSpent(path);
  }

  #isSpent(path: Path): boolean {
    if (this.#work.isSpent) this.#spentAt ??= path;
    return this.#work.isSpent;
  }

  #isEnough(): boolean {
    return this.#issues.length >= (this.#probes > 0 ? 1 : mostIssues);
  }

  /** `message` is made for somebody who reads it. */
  #refuse(path: Path, message: string | (() => string)): void {
    if (this.#isEnough()) return;
    const text = this.#probes > 0 ? "" : typeof message === "string" ? message : message();
    this.#issues.push({ message: text, path });
  }

  #passes(schema: unknown, value: unknown, path: Path, depth: number): boolean {
    const issues = this.#issues;
    this.#issues = [];
    this.#probes += 1;
    this.#value(schema, value, path, depth);
    this.#probes -= 1;
    const passes = this.#issues.length === 0;
    this.#issues = issues;
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
          () => `must be ${accepted.join(" or ")}, not ${found[0] ?? "a value that JSON does not have"}`,
        );
    }
    if (Array.isArray(schema.enum) && !schema.enum.some((one) => sameJson(one, value, this.#work)))
      this.#refuse(path, () => `must be one of ${shown(schema.enum)}`);
    if ("const" in schema && !sameJson(schema.const, value, this.#work))
      this.#refuse(path, () => `must be ${shown(schema.const)}`);
  }

  #number(schema: JsonSchema, value: number | bigint, path: Path): void {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
    if (isNumber(minimum) && !(value >= minimum)) this.#refuse(path, `must be at least ${minimum}`);
    if (isNumber(maximum) && !(value <= maximum)) this.#refuse(path, `must be at most ${maximum}`);
    if (isNumber(exclusiveMinimum) && !(value > exclusiveMinimum))
      this.#refuse(path, `must be more than ${exclusiveMinimum}`);
    if (isNumber(exclusiveMaximum) && !(value < exclusiveMaximum))
      this.#refuse(path, `must be less than ${exclusiveMaximum}`);
    if (!isNumber(multipleOf)) return;
    if (typeof value === "bigint" && !this.#work.spend(integerUnits(value))) return;
    if (!isMultiple(value, multipleOf)) this.#refuse(path, `must be a multiple of ${multipleOf}`);
  }

  #string({ minLength, maxLength, pattern }: JsonSchema, value: string, path: Path): void {
    const length = this.#length(value, [minLength, maxLength].filter(isNumber));
    if (isNumber(minLength) && length < minLength)
      this.#refuse(path, `must have at least ${minLength} characters`);
    if (isNumber(maxLength) && length > maxLength)
      this.#refuse(path, `must have at most ${maxLength} characters`);
    if (pattern === undefined || !this.#work.spend(value.length >>> 3)) return;
    if (!this.#patterns.of(String(pattern)).test(value))
      this.#refuse(path, () => `must match ${String(pattern)}`);
  }

  /** In code points, as JSON Schema and Python count, where that makes a difference to a bound; they are from half to all of the code units. */
  #length(text: string, bounds: readonly number[]): number {
    const { length } = text;
    if (bounds.every((bound) => length < bound || length / 2 > bound)) return length;
    if (!this.#work.spend(length >>> 1)) return length;
    let pairs = 0;
    for (let at = 0; at < length; at++)
      if ((text.codePointAt(at) ?? 0) > 0xffff) {
        pairs += 1;
        at += 1;
      }
    return length - pairs;
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
      if (this.#isEnough() || this.#work.isSpent) return;
      this.#value(at < prefix.length ? prefix[at] : schema.items, item, [...path, at], depth + 1);
    }
    if (contains !== undefined) {
      const count = this.#countPassing(contains, value, path, depth + 1);
      const { minContains = 1, maxContains } = schema;
      if ((isNumber(minContains) && count < minContains) || (isNumber(maxContains) && count > maxContains))
        this.#refuse(path, "has not the items that it must contain");
    }
    if (uniqueItems === true && hasTwice(value, this.#work)) this.#refuse(path, "must have no item twice");
  }

  #countPassing(schema: unknown, items: readonly unknown[], path: Path, depth: number): number {
    let count = 0;
    for (const [at, item] of items.entries()) {
      if (this.#work.isSpent) break;
      if (this.#passes(schema, item, [...path, at], depth)) count += 1;
    }
    return count;
  }

  #object(schema: JsonSchema, value: object, path: Path, depth: number): void {
    const { minProperties, maxProperties, propertyNames } = schema;
    const count = countOf(value);
    if (isNumber(minProperties) && count < minProperties)
      this.#refuse(path, `must have at least ${minProperties} members`);
    // Of an object it is not known without a look at each.
    if (!this.#work.spend(8 * count)) return;
    if (isNumber(maxProperties) && count > maxProperties) {
      this.#refuse(path, `must have at most ${maxProperties} members`);
      return;
    }
    this.#required(schema, value, path);
    for (const name of namesOf(value)) {
      if (this.#isEnough() || this.#work.isSpent) return;
      const at = [...path, nameText(name) ?? "…"];
      if (propertyNames !== undefined && !this.#passes(propertyNames, name, at, depth + 1))
        this.#refuse(at, "is no name that is allowed here");
      this.#member(schema, name, memberOf(value, name), at, depth);
    }
  }

  #required({ required, dependentRequired }: JsonSchema, value: object, path: Path): void {
    const demand = (names: readonly PropertyKey[], message: string): void => {
      if (!this.#work.spend(names.length)) return;
      for (const name of names) if (!hasMember(value, name)) this.#refuse([...path, name], message);
    };
    if (Array.isArray(required)) demand(required, "is required");
    for (const [trigger, names] of Object.entries(dependentRequired ?? {})) {
      if (!this.#work.spend(8)) return;
      if (Array.isArray(names) && hasMember(value, trigger)) demand(names, `is required with ${trigger}`);
    }
  }

  #member(schema: JsonSchema, name: unknown, member: unknown, path: Path, depth: number): void {
    const { properties, patternProperties, additionalProperties } = schema;
    const text = nameText(name);
    let known = false;
    if (typeof name === "string" && isSchemaObject(properties) && Object.hasOwn(properties, name)) {
      known = true;
      this.#value(properties[name], member, path, depth + 1);
    }
    for (const [pattern, part] of Object.entries(patternProperties ?? {})) {
      if (text === undefined || !this.#work.spend(8 + (text.length >>> 3))) continue;
      if (!this.#patterns.of(pattern).test(text)) continue;
      known = true;
      this.#value(part, member, path, depth + 1);
    }
    if (!known) this.#value(additionalProperties, member, path, depth + 1);
  }

  #combined(schema: JsonSchema, value: unknown, path: Path, depth: number): void {
    const { allOf, anyOf, oneOf, not } = schema;
    const passing = (part: unknown): boolean => this.#passes(part, value, path, depth + 1);
    if (Array.isArray(allOf)) for (const part of allOf) this.#value(part, value, path, depth + 1);
    if (Array.isArray(anyOf) && !anyOf.some(passing))
      this.#refuse(path, "must be one of the forms that are allowed");
    if (Array.isArray(oneOf) && oneOf.filter(passing).length !== 1)
      this.#refuse(path, "must be exactly one of the forms that are allowed");
    if (not !== undefined && passing(not)) this.#refuse(path, "has a form that is not allowed");
    if (schema.if === undefined) return;
    this.#value(passing(schema.if) ? schema.then : schema.else, value, path, depth + 1);
  }
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
  const text =
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === "bigint" ? (valueLiteral(part) ?? "…") : part,
    ) ?? "a value";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
