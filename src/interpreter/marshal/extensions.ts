// Values that marshal has no type for travel as records: tuples that begin with Ellipsis and a name. A genuine tuple that begins with
// Ellipsis is wrapped in a record where there are records, so the two cannot be confused. A new kind of value is a new row here.
import {
  type InstanceKind,
  instanceKinds,
  PythonDate,
  PythonDateTime,
  PythonDecimal,
  PythonInstance,
  PythonTime,
  PythonTimeDelta,
  PythonUuid,
} from "./python-values.ts";
import { type GuestValue, OpaqueValue, pythonEllipsis } from "./values.ts";

/** A record whose fields are all that it is made of. */
interface Whole {
  /** Fields after the name. */
  readonly fieldCount: number;
  readonly opensAfter?: undefined;
  /** Undefined when the fields are not of the right types. Fields are hostile. */
  decode(fields: readonly GuestValue[]): GuestValue | undefined;
}

/** A record that its own last field may lead back to: it is there before that is read. */
interface Opened {
  readonly fieldCount: number;
  /** How many fields it takes to make it. */
  readonly opensAfter: number;
  readonly isHashable: boolean;
  open(fields: readonly GuestValue[]): GuestValue | undefined;
  /** False when the fields are not of the right types. */
  fill(value: GuestValue, fields: readonly GuestValue[], fillMap: FillMap, fillSet: FillSet): boolean;
}

export type Extension = Whole | Opened;

/** They watch how long it takes. */
type FillMap = (
  map: Map<GuestValue, GuestValue>,
  keys: readonly GuestValue[],
  values: readonly GuestValue[],
) => void;
type FillSet = (set: Set<GuestValue>, members: readonly GuestValue[]) => void;

function isInteger(value: GuestValue, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function dateOf([year, month, day]: readonly GuestValue[]): PythonDate | undefined {
  if (!isInteger(year, 1, 9999) || !isInteger(month, 1, 12)) return undefined;
  return isInteger(day, 1, daysIn(year, month)) ? new PythonDate(year, month, day) : undefined;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const dayMicroseconds = 86_400e6;

function timeOf(fields: readonly GuestValue[]): PythonTime | undefined {
  const [hour, minute, second, microsecond, fold, offset, zone] = fields;
  if (!isInteger(hour, 0, 23) || !isInteger(minute, 0, 59) || !isInteger(second, 0, 59)) return undefined;
  if (!isInteger(microsecond, 0, 999_999) || !isInteger(fold, 0, 1)) return undefined;
  if (offset !== null && !isInteger(offset, 1 - dayMicroseconds, dayMicroseconds - 1)) return undefined;
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

<<<<<<< HEAD
const instance: Opened = {
  fieldCount: 4,
  opensAfter: 3,
  isHashable: true,
  open: ([kind, type, names]) =>
    instanceKinds.includes(kind as InstanceKind) &&
    typeof type === "string" &&
    Array.isArray(names) &&
    names.every((name) => typeof name === "string") &&
    new Set(names).size === names.length
      ? new PythonInstance(kind as InstanceKind, type, new Map())
      : undefined,
  fill: (value, [, , names, values], fillMap) => {
    if (!Array.isArray(names) || !Array.isArray(values) || names.length !== values.length) return false;
    fillMap((value as PythonInstance).fields as Map<GuestValue, GuestValue>, names, values);
    return true;
  },
};

/** Whose keys have copies that Python could not hash, or that it would take for one. */
const dict: Opened = {
  fieldCount: 2,
  opensAfter: 0,
  isHashable: false,
  open: () => new Map(),
  fill: (map, [keys, values], fillMap) => {
    if (!Array.isArray(keys) || !Array.isArray(values) || keys.length !== values.length) return false;
    fillMap(map as Map<GuestValue, GuestValue>, keys, values);
    return true;
  },
};

const set: Opened = {
  fieldCount: 1,
  opensAfter: 0,
  isHashable: false,
  open: () => new Set(),
  fill: (value, [members], _fillMap, fillSet) => {
    if (!Array.isArray(members)) return false;
    fillSet(value as Set<GuestValue>, members);
    return true;
  },
};

const decimalText = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:E[-+]?\d+)?|Infinity|s?NaN\d*)$/;
=======
/** Of all arrays, only those that were tuples are frozen, and no sooner than they are complete: until then nobody has paid for them. */
function isTuple(value: GuestValue): value is readonly GuestValue[] {
  return Array.isArray(value) && Object.isFrozen(value);
}

function instanceOf([kind, type, names, values]: readonly GuestValue[]): PythonInstance | undefined {
  if (!instanceKinds.includes(kind as InstanceKind) || typeof type !== "string") return undefined;
  if (!isTuple(names) || !isTuple(values) || names.length !== values.length) return undefined;
  const fields = new Map<string, GuestValue>();
  for (const [index, name] of names.entries()) {
    if (typeof name !== "string") return undefined;
    fields.set(name, values[index]);
  }
  return new PythonInstance(kind as InstanceKind, type, fields);
}
>>>>>>> w-vtests

export const extensions: ReadonlyMap<string, Extension> = new Map<string, Extension>([
  [
    "object",
    {
      fieldCount: 2,
      decode: ([type, repr]) =>
        typeof type === "string" && typeof repr === "string" ? new OpaqueValue(type, repr) : undefined,
    },
  ],
  ["tuple", { fieldCount: 1, decode: ([tuple]) => (isTuple(tuple) ? tuple : undefined) }],
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
        typeof text === "string" && decimalText.test(text) ? new PythonDecimal(text) : undefined,
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
  ["instance", instance],
  ["dict", dict],
  ["set", set],
  [
    "frozenset",
    {
      ...set,
      isHashable: true,
      fill: (...given) => set.fill(...given) && Object.isFrozen(Object.freeze(given[0])),
    },
  ],
]);
