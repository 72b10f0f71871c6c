// The members of a JSON object, which the guest made: a Map or an object. Not as a Map of its names: for those a guest may choose what V8
// hashes alike (numbers, and texts that look like them), which the embedder's thread would pay for.

export function namesOf(value: object): readonly unknown[] {
  return value instanceof Map ? [...value.keys()] : Object.keys(value);
}

export function countOf(value: object): number {
  return value instanceof Map ? value.size : Object.keys(value).length;
}

export function hasMember(value: object, name: unknown): boolean {
  return value instanceof Map ? value.has(name) : typeof name === "string" && Object.hasOwn(value, name);
}

export function memberOf(value: object, name: unknown): unknown {
  if (value instanceof Map) return value.get(name);
  return hasMember(value, name) ? (value as Record<string, unknown>)[name as string] : undefined;
}

/** As `json.dumps` of Python has it; undefined for what is no name of JSON, such as a tuple or an int of a million digits. */
export function nameText(name: unknown): string | undefined {
  if (typeof name === "string") return name;
  return typeof name === "number" || typeof name === "boolean" || name === null ? String(name) : undefined;
}
