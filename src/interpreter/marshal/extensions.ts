// Values that marshal has no type for travel as records: tuples that begin with Ellipsis and a name. A genuine tuple that
// begins with Ellipsis is wrapped in a record, so the two cannot be confused. A new kind of value is a new row here.
import { type GuestValue, OpaqueValue } from "./values.ts";

export interface Extension {
  /** Fields after the name. */
  readonly fieldCount: number;
  /** Undefined when the fields are not of the right types. Fields are hostile. */
  decode(fields: readonly GuestValue[]): GuestValue | undefined;
}

export const extensions: ReadonlyMap<string, Extension> = new Map<string, Extension>([
  [
    "object",
    {
      fieldCount: 2,
      decode: ([type, repr]) =>
        typeof type === "string" && typeof repr === "string" ? new OpaqueValue(type, repr) : undefined,
    },
  ],
  // Of all arrays, only those that were tuples are frozen.
  [
    "tuple",
    {
      fieldCount: 1,
      decode: ([tuple]) => (Array.isArray(tuple) && Object.isFrozen(tuple) ? tuple : undefined),
    },
  ],
  ["ellipsis", { fieldCount: 0, decode: () => new OpaqueValue("ellipsis", "Ellipsis") }],
]);
