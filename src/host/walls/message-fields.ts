// Reading what a process wall has sent, field by field: numbers, known words and short texts, or a Violation.

export class Violation extends Error {}

/** The own fields of an object. */
export function fields(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null) throw new Violation("no object");
  return new Map(Object.entries(value));
}

export function count(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new Violation("no count");
  return value;
}

export function measure(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw new Violation("no number");
  return value;
}

export function text(value: unknown, mostCharacters = 1000): string {
  if (typeof value !== "string") throw new Violation("no text");
  return value.slice(0, mostCharacters);
}

export function oneOf<T extends string>(value: unknown, words: readonly T[]): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw new Violation("an unknown word");
  return found;
}
