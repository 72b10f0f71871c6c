// Python's own kinds of value that JavaScript has nothing like, as small things that do not change. They go both ways.

/** A float whose value is integral, which as a number would go back as an int. */
export class PythonFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
  /** So that it can be calculated with. */
  valueOf(): number {
    return this.value;
  }
}

/** datetime.date: year 1 to 9999, month and day from 1. */
export class PythonDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  constructor(year: number, month: number, day: number) {
    this.year = year;
    this.month = month;
    this.day = day;
  }
  /** ISO 8601, as Temporal.PlainDate reads it. */
  toString(): string {
    return `${digits(this.year, 4)}-${digits(this.month)}-${digits(this.day)}`;
  }
  toJSON(): string {
    return this.toString();
  }
}

/** What a PythonTime is made of. Numbers that are left out or undefined are 0, but for the offset. */
export interface TimeFields {
  readonly hour?: number | undefined;
  readonly minute?: number | undefined;
  readonly second?: number | undefined;
  readonly microsecond?: number | undefined;
  /** Of two times that a clock shows twice, 0 the first, 1 the second. */
  readonly fold?: number | undefined;
  /** From UTC, in microseconds; absent or undefined where the time is naive. */
  readonly offset?: number | undefined;
  /** IANA name, where the time has one. Its offset is kept beside it. */
  readonly zone?: string | undefined;
}

/** datetime.time. */
export class PythonTime {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly microsecond: number;
  readonly fold: number;
  /** From UTC, in microseconds; undefined where the time is naive. */
  readonly offset: number | undefined;
  /** IANA name; undefined where it has none. */
  readonly zone: string | undefined;
  constructor(fields: TimeFields) {
    const { hour = 0, minute = 0, second = 0, microsecond = 0, fold = 0, offset, zone } = fields;
    this.hour = hour;
    this.minute = minute;
    this.second = second;
    this.microsecond = microsecond;
    this.fold = fold;
    this.offset = offset;
    this.zone = zone;
  }
  /** ISO 8601, with the offset but without the zone's name. */
  toString(): string {
    const fraction = this.microsecond === 0 ? "" : `.${digits(this.microsecond, 6)}`;
    const clock = `${digits(this.hour)}:${digits(this.minute)}:${digits(this.second)}${fraction}`;
    return this.offset === undefined ? clock : `${clock}${offsetText(this.offset)}`;
  }
  toJSON(): string {
    return this.toString();
  }
}

/** datetime.datetime. */
export class PythonDateTime {
  readonly date: PythonDate;
  readonly time: PythonTime;
  constructor(date: PythonDate, time: PythonTime) {
    this.date = date;
    this.time = time;
  }
  /** The moment, to the millisecond; undefined where the time is naive, which is no moment. */
  toDate(): Date | undefined {
    const { date, time } = this;
    if (time.offset === undefined) return undefined;
    const moment = new Date(0);
    // Not Date.UTC, which takes the years below 100 for others.
    moment.setUTCFullYear(date.year, date.month - 1, date.day);
    moment.setUTCHours(time.hour, time.minute, time.second, 0);
    return new Date(moment.getTime() + Math.floor((time.microsecond - time.offset) / 1000));
  }
  /** ISO 8601; with the zone's name behind it in brackets, as Temporal.ZonedDateTime reads it. */
  toString(): string {
    const zone = this.time.zone === undefined ? "" : `[${this.time.zone}]`;
    return `${this.date}T${this.time}${zone}`;
  }
  toJSON(): string {
    return this.toString();
  }
}

/** datetime.timedelta, normalised as Python has it: 0 <= seconds < 86,400 and 0 <= microseconds < 1,000,000. */
export class PythonTimeDelta {
  readonly days: number;
  readonly seconds: number;
  readonly microseconds: number;
  constructor(days: number, seconds: number, microseconds: number) {
    this.days = days;
    this.seconds = seconds;
    this.microseconds = microseconds;
  }
  /** Exact up to some 104 days; beyond that to what a number can hold. */
  get milliseconds(): number {
    return (this.days * 86_400 + this.seconds) * 1000 + this.microseconds / 1000;
  }
}

/** What is all in its text. */
class TextValue {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
  toJSON(): string {
    return this.text;
  }
}

/** decimal.Decimal. */
export class PythonDecimal extends TextValue {}

/** uuid.UUID, in lower case with hyphens. */
export class PythonUuid extends TextValue {}

function digits(value: number, count = 2): string {
  return String(value).padStart(count, "0");
}

function offsetText(microseconds: number): string {
  const size = Math.abs(microseconds);
  const seconds = Math.floor(size / 1e6);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60].map((part) => digits(part));
  if (seconds % 60 > 0 || size % 1e6 > 0) parts.push(digits(seconds % 60));
  const fraction = size % 1e6 === 0 ? "" : `.${digits(size % 1e6, 6)}`;
  return `${microseconds < 0 ? "-" : "+"}${parts.join(":")}${fraction}`;
}
