// Civil time for gmtime, localtime, timegm and mktime: pure arithmetic on the proleptic Gregorian calendar.
// The guest names any i64 second and any i32 field, so a result that does not fit struct tm is `undefined`
// (the caller's EOVERFLOW), never an exception, and no step loses digits: seconds are bigint, days are safe integers.
import type { TimeZone } from "./time-zone.ts";

/** What mktime reads. Any i32 each: fields outside of their ranges are carried over, negative ones too. */
export interface CivilTime {
  readonly second: number;
  readonly minute: number;
  readonly hour: number;
  /** 1..31 once normalised. */
  readonly dayOfMonth: number;
  /** 0..11 once normalised. */
  readonly month0: number;
  readonly yearSince1900: number;
  /** 0: standard time is meant; positive: daylight saving time; negative: not known. */
  readonly isDst: number;
}

/** struct tm, normalised. */
export interface BrokenDownTime extends CivilTime {
  readonly isDst: 0 | 1;
  /** 0..6, 0 is Sunday. */
  readonly weekday: number;
  /** 0..365. */
  readonly dayOfYear: number;
  /** Seconds east of UTC. */
  readonly offsetSeconds: number;
}

const secondsPerDay = 86_400;
const daysPer400Years = 146_097;
const secondsPer400Years = BigInt(daysPer400Years * secondsPerDay);
const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
const daysFromYear0To1970 = 719_528;

const firstLocalSecond = secondsOfDay(daysFromCivil(1900 - 2 ** 31, 0, 1));
const endLocalSecond = secondsOfDay(daysFromCivil(1900 + 2 ** 31, 0, 1));

/** Days from 1970-01-01 to the given date. Month and day may be out of range; the year is astronomical (0 is 1 BC). */
export function daysFromCivil(year: number, month0: number, dayOfMonth: number): number {
  const carriedYear = year + Math.floor(month0 / 12);
  const month = month0 - Math.floor(month0 / 12) * 12;
  return (
    daysBeforeYear(carriedYear) + startOfMonth(carriedYear, month) + dayOfMonth - 1 - daysFromYear0To1970
  );
}

/** gmtime and localtime: undefined when the year does not fit struct tm. */
export function breakDown(epochSeconds: bigint, zone: TimeZone): BrokenDownTime | undefined {
  const { offsetSeconds, isDst } = zone.offsetAt(zoneInstant(epochSeconds));
  const local = epochSeconds + BigInt(offsetSeconds);
  if (local < firstLocalSecond || local >= endLocalSecond) return undefined;
  const secondOfDay = Number(((local % 86_400n) + 86_400n) % 86_400n);
  const days = Number((local - BigInt(secondOfDay)) / 86_400n);

  const year = yearOfDay(days);
  const dayOfYear = days + daysFromYear0To1970 - daysBeforeYear(year);
  let month0 = 11;
  while (startOfMonth(year, month0) > dayOfYear) month0 -= 1;
  return {
    second: secondOfDay % 60,
    minute: Math.floor(secondOfDay / 60) % 60,
    hour: Math.floor(secondOfDay / 3600),
    dayOfMonth: dayOfYear - startOfMonth(year, month0) + 1,
    month0,
    yearSince1900: year - 1900,
    isDst: isDst ? 1 : 0,
    weekday: (((days + 4) % 7) + 7) % 7,
    dayOfYear,
    offsetSeconds,
  };
}

/**
 * mktime (and timegm, with UTC): the second that the fields name, or undefined when its year does not fit struct tm.
 * A local time that happens twice is the one that `isDst` asks for, else the first; one that is skipped keeps the offset
 * from before the jump. When `isDst` contradicts the zone, the fields are read with the nearest offset of that kind, as
 * glibc does (mktime(3)); a zone without such an offset ignores the wish.
 */
export function assemble(fields: CivilTime, zone: TimeZone): bigint | undefined {
  const days = daysFromCivil(fields.yearSince1900 + 1900, fields.month0, fields.dayOfMonth);
  const local =
    secondsOfDay(days) + BigInt(fields.hour) * 3600n + BigInt(fields.minute) * 60n + BigInt(fields.second);
  const nearLocal = zoneInstant(local);
  const instant = local - BigInt(localOffset(nearLocal, fields.isDst, zone));
  const shown = instant + BigInt(zone.offsetAt(zoneInstant(instant)).offsetSeconds);
  return shown < firstLocalSecond || shown >= endLocalSecond ? undefined : instant;
}

/** Seconds east of UTC that turn this local time, written as if it were UTC, into an instant. */
function localOffset(local: number, wish: number, zone: TimeZone): number {
  // No offset reaches 24 hours, so that the offsets a day earlier and a day later are all that can apply here.
  const before = zone.offsetAt(local - secondsPerDay).offsetSeconds;
  const after = zone.offsetAt(local + secondsPerDay).offsetSeconds;
  const firstFits = zone.offsetAt(local - before).offsetSeconds === before;
  const secondFits = zone.offsetAt(local - after).offsetSeconds === after;
  if (wish >= 0) {
    const nearest = nearestOffset(local - before, wish > 0, zone);
    if (nearest !== undefined) return nearest;
  }
  return !firstFits && secondFits ? after : before;
}

/** Looks two weeks further at each step, up to a bit more than a year: no summer is shorter, no cycle longer. */
function nearestOffset(epochSeconds: number, isDst: boolean, zone: TimeZone): number | undefined {
  for (let distance = 0; distance <= 400 * secondsPerDay; distance += 14 * secondsPerDay) {
    for (const at of [epochSeconds - distance, epochSeconds + distance]) {
      const there = zone.offsetAt(at);
      if (there.isDst === isDst) return there.offsetSeconds;
    }
  }
  return undefined;
}

/**
 * The second at which to ask a zone. The calendar, with its weekdays, repeats every 400 years, and zones follow one rule
 * for ever after their last change, so that years past 9999 ask for their twin; before year 1 a zone has one offset.
 */
function zoneInstant(epochSeconds: bigint): number {
  const year1 = -62_135_596_800n;
  const year10000 = 253_402_300_800n;
  if (epochSeconds < year1) return Number(year1);
  if (epochSeconds < year10000) return Number(epochSeconds);
  return Number(year10000 - secondsPer400Years + ((epochSeconds - year10000) % secondsPer400Years));
}

function secondsOfDay(days: number): bigint {
  return BigInt(days) * 86_400n;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days from 0000-01-01 (year 0 is a leap year) to the first of January. */
function daysBeforeYear(year: number): number {
  const last = year - 1;
  return 365 * year + Math.floor(last / 4) - Math.floor(last / 100) + Math.floor(last / 400) + 1;
}

function startOfMonth(year: number, month0: number): number {
  return (daysBeforeMonth[month0] ?? 0) + (month0 > 1 && isLeap(year) ? 1 : 0);
}

function yearOfDay(days: number): number {
  const fromYear0 = days + daysFromYear0To1970;
  // The mean year is off by less than two days within a cycle, so the guess is right or a neighbour.
  let year = Math.floor((fromYear0 * 400) / daysPer400Years);
  while (daysBeforeYear(year) > fromYear0) year -= 1;
  while (daysBeforeYear(year + 1) <= fromYear0) year += 1;
  return year;
}
