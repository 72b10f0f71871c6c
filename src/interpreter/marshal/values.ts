// What a guest's value becomes on the host. Values are copies; no object ever crosses.

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
  readonly type: string;
  readonly repr: string;
  constructor(type: string, repr: string) {
    this.type = type;
    this.repr = repr;
  }
}

/** None is null, dict is Map, list and tuple are arrays, set and frozenset are Set, bytes is Uint8Array. */
export type GuestValue =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PythonComplex
  | OpaqueValue
  | readonly GuestValue[]
  | ReadonlyMap<GuestValue, GuestValue>
  | ReadonlySet<GuestValue>;
