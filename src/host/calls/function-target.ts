// A function that the guest can call: under which name, how its values cross, and how much of its limits is used.
import type {
  Arguments,
  FunctionCapability,
  Parameter,
} from "../../capabilities/functions/function-capability.ts";
import { isThenable } from "../../interpreter/marshal/bare-object.ts";
import type { DecodeOptions } from "../../interpreter/marshal/decode.ts";
import type { EncodeOptions } from "../../interpreter/marshal/encode.ts";
import { demandJson } from "../../interpreter/marshal/json-shape.ts";
import { pythonEllipsis, type ValueOptions } from "../../interpreter/marshal/values.ts";
import type { Call } from "./call.ts";
import { Refusal } from "./refusal.ts";

/** What was used of a function's limits, for one name in one lifetime. */
export interface FunctionUse {
  calls: number;
  bytes: number;
  running: number;
  /** Calls that waited are being begun. */
  isFilling: boolean;
  /** Calls that wait for their turn. */
  readonly queue: Map<Call, () => void>;
}

export function unused(): FunctionUse {
  return { calls: 0, bytes: 0, running: 0, isFilling: false, queue: new Map() };
}

/** Of one call. The engine puts them on its stack, which overflows at some hundred thousand. */
const mostPositionals = 10_000;

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
    // The options of both rooms are the same.
    const { shape: asked, references, exactFloats }: Required<ValueOptions> = capability.values;
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

  /**
   * Gives the arguments their names. `values`: hostile, one for each parameter. `passedBack`: what among them is the embedder's own, whose
   * fields and items are not the guest's to see. Throws Refusal.
   */
  bind(values: unknown, passedBack: ReadonlySet<unknown>): Arguments {
    const { parameters } = this.capability.signature;
    if (!Array.isArray(values) || passedBack.has(values) || values.length !== parameters.length)
      throw new Refusal("ValueError", `${this.name}() takes ${parameters.length} arguments as they cross`);
    const given: Record<string, unknown> = Object.create(null);
    for (let index = 0; index < parameters.length; index++) {
      const parameter = parameters[index] as Parameter;
      const value: unknown = values[index];
      if (value !== pythonEllipsis) this.demandShape(value, `argument '${parameter.name}'`);
      if (parameter.kind === "keywords") this.#bindKeywords(given, passedBack.has(value) ? undefined : value);
      else if (parameter.kind === "positionals" && (!Array.isArray(value) || passedBack.has(value)))
        throw new Refusal("TypeError", `${this.name}() argument '${parameter.name}': must be a tuple`);
      else if (parameter.kind === "positionals" && (value as unknown[]).length > mostPositionals)
        throw new Refusal(
          "TypeError",
          `${this.name}() takes at most ${mostPositionals} positional arguments`,
        );
      else if (value !== pythonEllipsis) this.#give(given, parameter.name, value);
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
    const entries = entriesOf(value);
    if (entries === undefined)
      throw new Refusal("TypeError", `${this.name}() takes named arguments in a dict`);
    for (const [name, one] of entries) {
      if (typeof name !== "string" || name === "__proto__")
        throw new Refusal("TypeError", `${this.name}() got an argument that has no name`);
      if (Object.hasOwn(given, name) || this.#isParameter(name))
        throw new Refusal("TypeError", `${this.name}() got multiple values for an argument`);
      this.#give(given, name, one);
    }
  }

  /** Arguments are an object that the embedder may give to an async function's end, and so to a promise. */
  #give(given: Record<string, unknown>, name: string, value: unknown): void {
    if (isThenable(name, value))
      throw new Refusal("TypeError", `${this.name}() argument 'then': must not be callable`);
    given[name] = value;
  }

  #isParameter(name: string): boolean {
    return this.capability.signature.parameters.some(
      (parameter) => parameter.name === name && parameter.kind !== "positionalOnly",
    );
  }
}

/** Of what was made of a dict. Whatever else the guest sends in its place may be the embedder's own, or a hundred million bytes. */
function entriesOf(value: unknown): Iterable<readonly [unknown, unknown]> | undefined {
  if (value instanceof Map) return value;
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== null) return undefined;
  return Object.entries(value);
}
