// What a guest's value becomes on the host. Values are copies; no object ever crosses.
import type {
  PythonDate,
  PythonDateTime,
  PythonDecimal,
  PythonFloat,
  PythonTime,
  PythonTimeDelta,
  PythonUuid,
} from "./python-values.ts";

/** A Python complex number. */
export class PythonComplex {
  readonly real: number;
  readonly imag: number;
  constructor(real: number, imag: number) {
    this.real = real;
    this.imag = imag;
  }
}

/** An object that cannot be copied, shown by its type and a shortened repr. Both texts are the guest's. */
export class OpaqueValue {
  /** Name of its class. */
  readonly type: string;
  /** Cut at 4,096 characters. */
  readonly repr: string;
  constructor(type: string, repr: string) {
    this.type = type;
    this.repr = repr;
  }
}

/** Python's `...`, both ways. It arrives as this very object. */
export const pythonEllipsis: OpaqueValue = Object.freeze(new OpaqueValue("ellipsis", "Ellipsis"));

/** The only class that marshal writes; any other arrives as the same kind of thing, made by the guest. */
export const stopIteration: OpaqueValue = Object.freeze(new OpaqueValue("type", "<class 'StopIteration'>"));

/** What class an instance is of: what its fields are follows from it. */
export type InstanceKind = "dataclass" | "enum" | "namedtuple" | "exception";
export const instanceKinds: readonly InstanceKind[] = ["dataclass", "enum", "namedtuple", "exception"];

/**
 * An instance of a class of the guest's, or of its library. Fields: of a dataclass and a namedtuple their own; of an enum `name` and
 * `value`; of an exception `args` and `message`.
 */
export class PythonInstance {
  readonly kind: InstanceKind;
  /** Module and qualified name: "__main__.Point". */
  readonly type: string;
  readonly fields: ReadonlyMap<string, GuestValue>;
  constructor(kind: InstanceKind, type: string, fields: ReadonlyMap<string, GuestValue>) {
    this.kind = kind;
    this.type = type;
    this.fields = fields;
  }
}

/** A dict, where objects are asked for: without prototype. */
export interface GuestObject {
  readonly [name: string]: GuestValue;
}

/**
 * None is null, dict is Map, list and tuple are arrays (tuples frozen ones), set and frozenset are Set, bytes is Uint8Array. Map and Set are not
 * typed as what cannot be changed: only so does TypeScript know after `instanceof Map` what is in it.
 */
export type GuestValue =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PythonComplex
  | PythonFloat
  | PythonDate
  | PythonTime
  | PythonDateTime
  | PythonTimeDelta
  | PythonDecimal
  | PythonUuid
  | PythonInstance
  | OpaqueValue
  | GuestObject
  | readonly GuestValue[]
  | Map<GuestValue, GuestValue>
  | Set<GuestValue>;

/** How values cross; see docs/values.md. Embedders know them as those of capabilities/functions/function-capability.ts. */
export interface ValueOptions {
  /**
   * What a dict becomes: "maps" a Map; "objects" an object without prototype if all keys are str (none "__proto__", and none "then" of a callable), else a Map;
   * "json" as "objects", and whatever JSON does not have is refused.
   */
  readonly shape?: "maps" | "objects" | "json" | undefined;
  /** Cycles, and several references to one object: "refuse" (sharing makes copies towards the guest) or "keep". */
  readonly references?: "refuse" | "keep" | undefined;
  /** Whether a float with an integral value arrives as a PythonFloat rather than as a number. */
  readonly exactFloats?: boolean | undefined;
}
