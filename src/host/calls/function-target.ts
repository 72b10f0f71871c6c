// A function that the guest can call: under which name, how its values cross, and how much of its limits is used.
import type {
  Arguments,
  FunctionCapability,
  Parameter,
} from "../../capabilities/functions/function-capability.ts";
import type { DecodeOptions } from "../../interpreter/marshal/decode.ts";
import type { EncodeOptions } from "../../interpreter/marshal/encode.ts";
import { demandJson } from "../../interpreter/marshal/json-shape.ts";
import { pythonEllipsis } from "../../interpreter/marshal/values.ts";
import type { Call } from "./call.ts";
import { Refusal } from "./refusal.ts";

/** What was used of a function's limits, for one name in one lifetime. */
export interface FunctionUse {
  calls: number;
  bytes: number;
  running: number;
  /** Calls that wait for their turn. */
  queue: { readonly call: Call; start(): void }[];
}

export function unused(): FunctionUse {
  return { calls: 0, bytes: 0, running: 0, queue: [] };
}

/** How all values of a server cross. */
export interface ValueCrossing {
  readonly maxBytes: number;
  readonly maxItems: number;
  readonly nowMs: () => number;
  readonly lend: (value: object) => readonly unknown[] | undefined;
  readonly borrow: (fields: readonly unknown[]) => unknown;
}

export class FunctionTarget {
  readonly kind = "function";
  readonly name: string;
  readonly number: number;
  readonly capability: FunctionCapability;
  readonly use: FunctionUse;
  readonly encoding: EncodeOptions;
  readonly #plain: DecodeOptions;
  readonly #withRecords: DecodeOptions;

  constructor(
    name: string,
    number: number,
    capability: FunctionCapability,
    use: FunctionUse,
    crossing: ValueCrossing,
  ) {
    this.name = name;
    this.number = number;
    this.capability = capability;
    this.use = use;
    const { shape: asked, references, exactFloats } = capability.values;
    // Whether it is JSON is asked of each argument: some may be absent.
    const shape = asked === "json" ? "objects" : asked;
    const { maxBytes, maxItems, nowMs, lend, borrow } = crossing;
    this.encoding = { maxBytes, root: `${name}()`, references, lend };
    this.#plain = { records: false, shape, references, exactFloats, nowMs, maxItems };
    this.#withRecords = { ...this.#plain, records: true, borrow };
  }

  decoding(records: boolean): DecodeOptions {
    return records ? this.#withRecords : this.#plain;
  }

  /** Throws Refusal when the calls are used up. */
  countCall(): void {
    const { use, capability } = this;
    if (use.calls >= capability.limits.calls)
      throw new Refusal("PermissionError", `${this.name}() has used up its ${capability.limits.calls} calls`);
    use.calls += 1;
  }

  /** Throws Refusal when the bytes are used up. */
  countBytes(bytes: number): void {
    const { use, capability } = this;
    if (use.bytes + bytes > capability.limits.bytes)
      throw new Refusal("PermissionError", `${this.name}() has used up its ${capability.limits.bytes} bytes`);
    use.bytes += bytes;
  }

  /** Gives the arguments their names. `values`: hostile, one for each parameter. Throws Refusal. */
  bind(values: unknown): Arguments {
    const { parameters } = this.capability.signature;
    if (!Array.isArray(values) || values.length !== parameters.length)
      throw new Refusal("ValueError", `${this.name}() takes ${parameters.length} arguments as they cross`);
    const given: Record<string, unknown> = Object.create(null);
    for (let index = 0; index < parameters.length; index++) {
      const parameter = parameters[index] as Parameter;
      const value: unknown = values[index];
      if (value !== pythonEllipsis) this.demandShape(value, `argument '${parameter.name}'`);
      if (parameter.kind === "keywords") this.#bindKeywords(given, value);
      else if (parameter.kind === "positionals" && !Array.isArray(value))
        throw new Refusal("TypeError", `${this.name}() argument '${parameter.name}': must be a tuple`);
      else if (value !== pythonEllipsis) given[parameter.name] = value;
      else if (!parameter.isOptional)
        throw new Refusal("TypeError", `${this.name}() missing required argument '${parameter.name}'`);
    }
    return given;
  }

  /** Throws Refusal for what the function does not take. */
  demandShape(value: unknown, what: string): void {
    if (this.capability.values.shape !== "json") return;
    try {
      demandJson(value);
    } catch (error) {
      throw new Refusal("TypeError", `${this.name}() ${what}: ${(error as Error).message}`);
    }
  }

  #bindKeywords(given: Record<string, unknown>, value: unknown): void {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Refusal("TypeError", `${this.name}() takes named arguments in a dict`);
    const entries: Iterable<readonly [unknown, unknown]> =
      value instanceof Map ? value : Object.entries(value);
    for (const [name, one] of entries) {
      if (typeof name !== "string" || name === "__proto__")
        throw new Refusal("TypeError", `${this.name}() got an argument that has no name`);
      if (Object.hasOwn(given, name) || this.#isParameter(name))
        throw new Refusal("TypeError", `${this.name}() got multiple values for an argument`);
      Object.defineProperty(given, name, {
        value: one,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }

  #isParameter(name: string): boolean {
    return this.capability.signature.parameters.some(
      (parameter) => parameter.name === name && parameter.kind !== "positionalOnly",
    );
  }
}
