// Values that marshal has no type for travel as records: tuples that begin with Ellipsis and a name. Where there are
// records an Ellipsis is one itself, so a genuine tuple cannot be confused with them. A new kind of value is a new row here.
import {
  PythonDate,
  PythonDateTime,
  PythonDecimal,
  PythonTime,
  PythonTimeDelta,
  PythonUuid,
} from "./python-values.ts";
import {
  type GuestValue,
  type InstanceKind,
  instanceKinds,
  OpaqueValue,
  PythonInstance,
  pythonEllipsis,
} from "./values.ts";

/** Puts pairs into a Map, or throws when that takes too long: their hashes may be the guest's choice (insertion-time.ts). */
type InsertAll = (
  map: Map<GuestValue, GuestValue>,
  keys: readonly GuestValue[],
  values: readonly GuestValue[],
) => void;

interface Extension {
  /** Fields after the name. */
  readonly fieldCount: number;
  /** Undefined when the fields are not of the right types. Fields are hostile. */
  decode(fields: readonly GuestValue[], insertAll: InsertAll): GuestValue | undefined;
}

function isInteger(value: GuestValue, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function dateOf([year, month, day]: readonly GuestValue[]): PythonDate | undefined {
  if (!isInteger(year, 1, 9999) || !isInteger(month, 1, 12) || !isInteger(day, 1, 31)) return undefined;
  return new PythonDate(year, month, day);
}

function timeOf(fields: readonly GuestValue[]): PythonTime | undefined {
  const [hour, minute, second, microsecond, fold, offset, zone] = fields;
  if (!isInteger(hour, 0, 23) || !isInteger(minute, 0, 59) || !isInteger(second, 0, 59)) return undefined;
  if (!isInteger(microsecond, 0, 999_999) || !isInteger(fold, 0, 1)) return undefined;
  if (offset !== null && !isInteger(offset, -86_400e6, 86_400e6)) return undefined;
  if (zone !== null && (typeof zone !== "string" || zone.length > 256)) return undefined;
  return new PythonTime({
    hour,
    minute,
    second,
    microsecond,
    fold,
    offset: offset ?? undefined,
    zone: zone ?? undefined,
  });
}

/** Of all arrays, only those that were tuples are frozen, and no sooner than they are complete: until then nobody has paid for them. */
function isTuple(value: GuestValue): value is readonly GuestValue[] {
  return Array.isArray(value) && Object.isFrozen(value);
}

function instanceOf(
  [kind, type, names, values]: readonly GuestValue[],
  insertAll: InsertAll,
): PythonInstance | undefined {
  if (!instanceKinds.includes(kind as InstanceKind) || typeof type !== "string") return undefined;
  if (!isTuple(names) || !isTuple(values) || names.length !== values.length) return undefined;
  if (!names.every((name) => typeof name === "string")) return undefined;
  const fields = new Map<string, GuestValue>();
  insertAll(fields as Map<GuestValue, GuestValue>, names, values);
  return new PythonInstance(kind as InstanceKind, type, fields);
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
  ["ellipsis", { fieldCount: 0, decode: () => pythonEllipsis }],
  ["date", { fieldCount: 3, decode: dateOf }],
  ["time", { fieldCount: 7, decode: timeOf }],
  [
    "datetime",
    {
      fieldCount: 10,
      decode: (fields) => {
        const date = dateOf(fields);
        const time = timeOf(fields.slice(3));
        return date && time && new PythonDateTime(date, time);
      },
    },
  ],
  [
    "timedelta",
    {
      fieldCount: 3,
      decode: ([days, seconds, microseconds]) =>
        isInteger(days, -999_999_999, 999_999_999) &&
        isInteger(seconds, 0, 86_399) &&
        isInteger(microseconds, 0, 999_999)
          ? new PythonTimeDelta(days, seconds, microseconds)
          : undefined,
    },
  ],
  [
    "decimal",
    {
      fieldCount: 1,
      decode: ([text]) =>
        typeof text === "string" && /^[-+\w.]+$/.test(text) ? new PythonDecimal(text) : undefined,
    },
  ],
  [
    "uuid",
    {
      fieldCount: 1,
      decode: ([text]) =>
        typeof text === "string" && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(text)
          ? new PythonUuid(text)
          : undefined,
    },
  ],
  ["instance", { fieldCount: 4, decode: instanceOf }],
]);
