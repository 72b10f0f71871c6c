// The refusal of a host value that has no faithful copy in the guest: the embedder's mistake, and nothing was sent.
import { isPlainObject } from "../../errors/object-kinds.ts";

/** Why a value was refused: its type, a cycle, its depth, its size, or because Python cannot hash it where it stands. */
export type ValueProblem = "type" | "cycle" | "depth" | "size" | "unhashable";

export class UnsupportedValueError extends TypeError {
  override readonly name = "UnsupportedValueError";
  /** Where the value stands, e.g. `inputs.x[3].y`. */
  readonly path: string;
  readonly problem: ValueProblem;
  /** What was found there. */
  readonly found: string;

  constructor(path: string, problem: ValueProblem, found: string) {
    super(`${path} cannot be copied into the sandbox: ${found}`);
    this.path = path;
    this.problem = problem;
    this.found = found;
  }
}

const shownCharacters = 40;

/** A value in a few words, for messages: never its content but for short primitives. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > shownCharacters ? `${value.slice(0, shownCharacters)}…` : value);
    case "bigint":
      return BigInt.asIntN(128, value) === value ? `${value}n` : "a bigint";
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      return value === null ? "null" : describeObject(value);
    default:
      return String(value);
  }
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return "an array";
  if (isPlainObject(value)) return "a plain object";
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== ""
    ? `an object of class ${name.slice(0, shownCharacters)}`
    : "an object of a class";
}
