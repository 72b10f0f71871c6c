// The shape "json": what JSON.stringify keeps as it is, and nothing else.
import { describeValue } from "./unsupported-value-error.ts";

/** A value of the guest's that is no JSON. The path is made of its own keys, shortened. */
export class NotJsonError extends TypeError {
  override readonly name = "NotJsonError";
  /** Where it stands, such as `[3].name`; empty for the whole value. */
  readonly path: string;
  constructor(path: string, found: string) {
    super(`${path === "" ? "the value" : path} is not JSON: ${found}`);
    this.path = path;
  }
}

const longestPath = 200;

/** Throws NotJsonError. Dicts are objects already, where their keys allow it, and nothing contains itself. */
export function demandJson(value: unknown): void {
  const problem = problemOf(value);
  if (problem) throw new NotJsonError(problem.path.reverse().join("").slice(0, longestPath), problem.found);
}

interface Problem {
  /** The innermost part first. */
  readonly path: string[];
  readonly found: string;
}

function problemOf(value: unknown): Problem | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { path: [], found: String(value) };
    case "object":
      if (value === null) return undefined;
      if (Array.isArray(value)) return problemIn(value);
      // Only what was made of a dict has no prototype.
      if (Object.getPrototypeOf(value) === null) return problemUnder(value as Record<string, unknown>);
  }
  return {
    path: [],
    found: value instanceof Map ? "a dict whose keys are not all text" : describeValue(value),
  };
}

function problemIn(items: readonly unknown[]): Problem | undefined {
  for (let index = 0; index < items.length; index++) {
    const problem = problemOf(items[index]);
    if (problem) return at(`[${index}]`, problem);
  }
  return undefined;
}

function problemUnder(object: Readonly<Record<string, unknown>>): Problem | undefined {
  for (const key in object) {
    const problem = problemOf(object[key]);
    if (problem) return at(`.${key.slice(0, longestPath)}`, problem);
  }
  return undefined;
}

function at(segment: string, problem: Problem): Problem {
  problem.path.push(segment);
  return problem;
}
