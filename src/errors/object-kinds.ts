// What kind of object an embedder's value is, also when it was made in another realm: in a vm context, which is where Jest and vitest's
// vmThreads run tests, `instanceof` and a look at the prototype say no to a plain object. The quick test by identity comes first. The
// other is never the class's name alone, which anybody can have: only a real Map survives what asks for a Map's own slot.

/** The getter of an own slot: it throws for what has none, in whatever realm it was made. */
function getter(prototype: object, name: PropertyKey): (this: unknown) => unknown {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  if (get === undefined) throw new TypeError(`no getter ${String(name)}`);
  return get;
}

const slots = {
  Map: getter(Map.prototype, "size"),
  Set: getter(Set.prototype, "size"),
  ArrayBuffer: getter(ArrayBuffer.prototype, "byteLength"),
  Date: Date.prototype.getTime,
};
/** Does not throw: undefined for what is no typed array. */
const viewName = getter(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);

const nameOf = (value: object): string => Object.prototype.toString.call(value);

/** Of another realm; the name is asked first, because to throw is slow. */
function isForeign(value: unknown, kind: keyof typeof slots): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    nameOf(value) === `[object ${kind}]` &&
    hasSlot(value, kind)
  );
}

function hasSlot(value: object, kind: keyof typeof slots): boolean {
  try {
    slots[kind].call(value as Date);
    return true;
  } catch {
    return false;
  }
}

export function isMap(value: unknown): value is Map<unknown, unknown> {
  return value instanceof Map || isForeign(value, "Map");
}

export function isSet(value: unknown): value is Set<unknown> {
  return value instanceof Set || isForeign(value, "Set");
}

export function isDate(value: unknown): value is Date {
  return value instanceof Date || isForeign(value, "Date");
}

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return value instanceof ArrayBuffer || isForeign(value, "ArrayBuffer");
}

export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || viewName.call(value) === "Uint8Array";
}

/** Its message is read as any object's would be, so that here the name is enough. */
export function isError(value: unknown): value is Error {
  return (
    value instanceof Error ||
    (typeof value === "object" && value !== null && nameOf(value) === "[object Error]")
  );
}

/** Whether its prototype is null or a realm's Object.prototype, which alone has this member. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, "isPrototypeOf");
}

export type ContainerKind = "list" | "map" | "set" | "object";

/** What has elements of its own; undefined for all else. */
export function containerKind(value: object): ContainerKind | undefined {
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "map";
  if (value instanceof Set) return "set";
  if (isPlainObject(value)) return "object";
  if (ArrayBuffer.isView(value)) return undefined;
  const name = nameOf(value);
  if (name === "[object Map]" && hasSlot(value, "Map")) return "map";
  return name === "[object Set]" && hasSlot(value, "Set") ? "set" : undefined;
}

/**
 * Whether it is an object whose own members are what it holds. Of what is iterated over or waited for, of bytes, dates and errors, they are
 * not: read as options they would say nothing, and nobody would be told.
 */
export function isRecord(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Symbol.iterator in value) return false;
  if (ArrayBuffer.isView(value) || isArrayBuffer(value) || isDate(value) || isError(value)) return false;
  return !("then" in value && typeof value.then === "function");
}
