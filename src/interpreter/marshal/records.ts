// The records that host values become which marshal has no type for: the other direction of extensions.ts.
import { isDate, isError } from "../../errors/object-kinds.ts";
import {
  PythonDate,
  PythonDateTime,
  PythonDecimal,
  PythonTime,
  PythonTimeDelta,
  PythonUuid,
} from "./python-values.ts";
import { OpaqueValue, PythonInstance } from "./values.ts";

/** Lists among the fields are tuples. Undefined for what has no mapping. */
export function recordOf(value: object): readonly unknown[] | undefined {
  if (value instanceof OpaqueValue)
    return value.type === "ellipsis" ? ["ellipsis"] : ["object", value.type, value.repr];
  if (isDate(value)) return dateRecord(value);
  if (value instanceof PythonDateTime)
    return ["datetime", ...dateFields(value.date), ...timeFields(value.time)];
  if (value instanceof PythonDate) return ["date", ...dateFields(value)];
  if (value instanceof PythonTime) return ["time", ...timeFields(value)];
  if (value instanceof PythonTimeDelta) return ["timedelta", value.days, value.seconds, value.microseconds];
  if (value instanceof PythonDecimal) return ["decimal", value.text];
  if (value instanceof PythonUuid) return ["uuid", value.text];
  if (value instanceof PythonInstance)
    return [
      "instance",
      value.kind,
      value.type,
      [...value.fields.keys()],
      [...value.fields.values()].map(asIs),
    ];
  if (isError(value)) return errorRecord(value);
  return temporalRecord(value);
}

const dateFields = ({ year, month, day }: PythonDate): readonly unknown[] => [year, month, day];

function timeFields(time: PythonTime): readonly unknown[] {
  const { hour, minute, second, microsecond, fold, offset = null, zone = null } = time;
  return [hour, minute, second, microsecond, fold, offset, zone];
}

/** In UTC. Invalid dates, and those that Python has no year for, have no mapping. */
function dateRecord(moment: Date): readonly unknown[] | undefined {
  const year = moment.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return undefined;
  return [
    "datetime",
    year,
    moment.getUTCMonth() + 1,
    moment.getUTCDate(),
    moment.getUTCHours(),
    moment.getUTCMinutes(),
    moment.getUTCSeconds(),
    moment.getUTCMilliseconds() * 1000,
    0,
    0,
    null,
  ];
}

const errorClasses: readonly (readonly [ErrorConstructor, string])[] = [
  [TypeError, "TypeError"],
  [RangeError, "ValueError"],
  [SyntaxError, "ValueError"],
  [ReferenceError, "NameError"],
];
const errorTypes: ReadonlyMap<unknown, string> = new Map(errorClasses);

/** The message is all of it that crosses. */
function errorRecord(error: Error): readonly unknown[] {
  const type = `builtins.${errorTypes.get(error.constructor) ?? foreignType(error) ?? "Exception"}`;
  return ["instance", "exception", type, ["args", "message"], [[error.message], error.message]];
}

/** Of an error of another realm, whose classes are known by their names alone. */
function foreignType(error: Error): string | undefined {
  if (error instanceof Error) return undefined;
  const name: unknown = (error as Partial<Error>).constructor?.name;
  return errorClasses.find(([known]) => known.name === name)?.[1];
}

/** A list that is the value of a field is a list. */
function asIs(value: unknown): unknown {
  return Array.isArray(value) && !Object.isFrozen(value) ? new Listed(value) : value;
}

/** Keeps a list from becoming a tuple of a record. */
export class Listed {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

const isoDate = /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)/;
const isoTime = /(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?/;
const isoOffset = /(?:(Z)|([+-])(\d\d):(\d\d)(?::(\d\d))?)(?:\[([^\]]+)\])?$/;

/** Temporal's types by their standard texts (ECMAScript Temporal, RFC 9557): Python has microseconds, what is finer is cut off. */
function temporalRecord(value: object): readonly unknown[] | undefined {
  const kind: unknown = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  if (typeof kind !== "string" || !kind.startsWith("Temporal.")) return undefined;
  const text = String(value);
  const date = isoDate.exec(text)?.slice(1, 4).map(Number);
  const clock = isoTime.exec(kind === "Temporal.PlainTime" ? text : (text.split("T")[1] ?? ""));
  const time = clock && [
    ...clock.slice(1, 4).map((part) => Number(part ?? 0)),
    Math.floor(Number(`0.${clock[4] ?? 0}`) * 1e6 + 1e-6),
    0,
  ];
  switch (kind) {
    case "Temporal.PlainDate":
      return date && ["date", ...date];
    case "Temporal.PlainTime":
      return time ? ["time", ...time, null, null] : undefined;
    case "Temporal.PlainDateTime":
      return date && time ? ["datetime", ...date, ...time, null, null] : undefined;
    case "Temporal.Instant":
    case "Temporal.ZonedDateTime": {
      const offset = isoOffset.exec(text);
      if (!date || !time || !offset) return undefined;
      const [, utc, sign, hours = 0, minutes = 0, seconds = 0, zone = null] = offset;
      const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1e6;
      return ["datetime", ...date, ...time, utc ? 0 : sign === "-" ? -size : size, zone];
    }
    case "Temporal.Duration":
      return durationRecord(value as Readonly<Record<string, unknown>>);
    default:
      return undefined;
  }
}

/** Only what has a fixed length: months and years have none. */
function durationRecord(duration: Readonly<Record<string, unknown>>): readonly unknown[] | undefined {
  const part = (name: string): bigint => BigInt(Number(duration[name] ?? 0));
  if (part("years") !== 0n || part("months") !== 0n) return undefined;
  const seconds = ((part("weeks") * 7n + part("days")) * 24n + part("hours")) * 3600n + part("minutes") * 60n;
  const milliseconds = (seconds + part("seconds")) * 1000n + part("milliseconds");
  const microseconds = milliseconds * 1000n + part("microseconds");
  const perDay = 86_400_000_000n;
  const days = microseconds / perDay - (microseconds % perDay < 0n ? 1n : 0n);
  const rest = Number(microseconds - days * perDay);
  return ["timedelta", Number(days), Math.floor(rest / 1e6), rest % 1e6];
}
