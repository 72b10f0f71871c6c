// Python's kinds of value as an embedder has made them: what Python itself would refuse is found before anything is sent.
import { isMap } from "../../errors/object-kinds.ts";
import {
  PythonDate,
  PythonDateTime,
  PythonDecimal,
  PythonFloat,
  PythonTime,
  PythonTimeDelta,
  PythonUuid,
} from "./python-values.ts";
import { instanceKinds, OpaqueValue, PythonComplex, PythonInstance } from "./values.ts";

/** What is wrong with it, in a few words; undefined where nothing is, and for all else. */
export function unsoundness(value: object): string | undefined {
  if (value instanceof PythonFloat)
    return typeof value.value === "number" ? undefined : "a PythonFloat that is no number";
  if (value instanceof PythonComplex) {
    const isSound = typeof value.real === "number" && typeof value.imag === "number";
    return isSound ? undefined : "a PythonComplex of what are no numbers";
  }
  if (value instanceof PythonDate) return isDay(value) ? undefined : "a PythonDate that is no date";
  if (value instanceof PythonTime) return isTime(value) ? undefined : "a PythonTime that is no time";
  if (value instanceof PythonDateTime)
    return isMoment(value) ? undefined : "a PythonDateTime that is no date and time";
  if (value instanceof PythonTimeDelta) return isSpan(value) ? undefined : "a PythonTimeDelta out of range";
  if (value instanceof PythonDecimal)
    return isDecimal(value.text) ? undefined : "a PythonDecimal whose text is no decimal number";
  if (value instanceof PythonUuid) return isUuid(value.text) ? undefined : "a PythonUuid that is no UUID";
  if (value instanceof PythonInstance) return instanceFault(value);
  if (value instanceof OpaqueValue && !(isText(value.type) && isText(value.repr)))
    return "an OpaqueValue without the texts of its type and repr";
  return undefined;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isWithin = (value: number, from: number, to: number): boolean =>
  Number.isSafeInteger(value) && value >= from && value <= to;

function isDay({ year, month, day }: PythonDate): boolean {
  if (!isWithin(year, 1, 9999) || !isWithin(month, 1, 12)) return false;
  const last = new Date(0);
  // Not Date.UTC, which takes the years below 100 for others. The day before the first of the next month.
  last.setUTCFullYear(year, month, 0);
  return isWithin(day, 1, last.getUTCDate());
}

const dayUs = 86_400_000_000;

function isTime({ hour, minute, second, microsecond, fold, offset, zone }: PythonTime): boolean {
  return (
    isWithin(hour, 0, 23) &&
    isWithin(minute, 0, 59) &&
    isWithin(second, 0, 59) &&
    isWithin(microsecond, 0, 999_999) &&
    isWithin(fold, 0, 1) &&
    (offset === undefined || isWithin(offset, 1 - dayUs, dayUs - 1)) &&
    (zone === undefined || isText(zone))
  );
}

function isMoment({ date, time }: PythonDateTime): boolean {
  return date instanceof PythonDate && isDay(date) && time instanceof PythonTime && isTime(time);
}

/** Python normalises what is not; what it has room for are less than 10 ** 9 days. */
function isSpan({ days, seconds, microseconds }: PythonTimeDelta): boolean {
  if (![days, seconds, microseconds].every((part) => Number.isSafeInteger(part))) return false;
  const all = Math.floor((seconds + Math.floor(microseconds / 1e6)) / 86_400) + days;
  return isWithin(all, -999_999_999, 999_999_999);
}

const special = /^[+-]?(?:inf(?:inity)?|s?nan\p{Nd}*)$/iu;
const finite = /^[+-]?(\p{Nd}*)(?:\.(\p{Nd}*))?(?:e([+-]?\p{Nd}+))?$/iu;
/** Of Python's C code where an address has 32 bits: MAX_EMAX and MIN_ETINY. */
const mostExponent = 425_000_000;
const leastExponent = -849_999_999;

function isDecimal(text: unknown): boolean {
  if (!isText(text)) return false;
  const plain = text.trim().replaceAll("_", "");
  if (special.test(plain)) return true;
  const [, whole = "", part = "", exponent = "0"] = finite.exec(plain) ?? [];
  if (whole === "" && part === "") return false;
  const power = Number(exponent);
  // In other digits than ours: left to Python.
  if (Number.isNaN(power)) return true;
  return power - part.length >= leastExponent && power + Math.max(whole.length - 1, 0) <= mostExponent;
}

function isUuid(text: unknown): boolean {
  if (!isText(text)) return false;
  const digits = text.replaceAll(/urn:|uuid:|-/g, "").replaceAll(/^[{}]+|[{}]+$/g, "");
  return /^[0-9a-f]{32}$/i.test(digits);
}

function instanceFault({ kind, type, fields }: PythonInstance): string | undefined {
  if (!instanceKinds.includes(kind)) return `a PythonInstance that is none of ${instanceKinds.join(", ")}`;
  if (!isText(type)) return "a PythonInstance without the name of its type";
  if (!isMap(fields) || ![...fields.keys()].every(isText))
    return "a PythonInstance whose fields are no Map by name";
  if (kind === "enum" && !fields.has("name")) return "a PythonInstance of an enum without a name";
  if (kind === "exception" && !Array.isArray(fields.get("args")))
    return "a PythonInstance of an exception whose args are no array";
  return undefined;
}
