// Time zones for the guest: UTC, or an IANA zone that the embedder chose. The host's own zone never shows: every question
// names its zone, and no local method of Date is used. Intl knows the rules but answers slowly, so a fixed number of
// short spans is remembered, however many instants the guest asks about.

/** What a zone's clocks do at one instant. */
interface ZoneMoment {
  /** Seconds east of UTC. */
  readonly offsetSeconds: number;
  readonly isDst: boolean;
  /** 3..16 ASCII letters, digits and signs: "CET", "+0530". */
  readonly abbreviation: string;
}

export interface TimeZone {
  readonly name: string;
  /** `epochSeconds` is any integer; outside of what Date can hold the outermost offset applies. */
  offsetAt(epochSeconds: number): ZoneMoment;
  /** Seconds east of UTC outside of daylight saving time, under the rules of `referenceYear`. */
  readonly standardOffsetSeconds: number;
  /** Whether clocks change in `referenceYear`. */
  readonly hasDst: boolean;
  readonly standardName: string;
  /** The same as `standardName` when clocks do not change. */
  readonly daylightName: string;
}

const day = 86_400;
const referenceYear = { name: 2037, firstSecond: 2_114_380_800 };
/** Furthest second that Date can hold (ECMAScript, time values). */
const outermostSecond = 8_640_000_000_000;
/** The shortest time between two changes in tz 2025b is 95 hours (Freetown, 1939): one span holds one change at most. */
const spanSeconds = 3 * day;
const rememberedSpans = 512;
const halfYearSeconds = 15_778_476;

const utcMoment: ZoneMoment = Object.freeze({ offsetSeconds: 0, isDst: false, abbreviation: "UTC" });

export const utc: TimeZone = Object.freeze({
  name: "UTC",
  offsetAt: () => utcMoment,
  standardOffsetSeconds: 0,
  hasDst: false,
  standardName: "UTC",
  daylightName: "UTC",
});

/** The zone of this IANA name ("Europe/Berlin", case does not matter), or undefined when Intl does not know it. */
export function ianaTimeZone(name: string): TimeZone | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return undefined;
  try {
    return new IntlTimeZone(name);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What Intl says of one instant; two instants with the same answers lie in the same period of the zone. */
interface Answer {
  readonly offsetSeconds: number;
  readonly longName: string;
}

/** Moments from `start` on: `before` until `change`, then `after`. */
interface Span {
  readonly start: number;
  readonly change: number;
  readonly before: ZoneMoment;
  readonly after: ZoneMoment;
}

class IntlTimeZone implements TimeZone {
  readonly name: string;
  readonly standardOffsetSeconds: number;
  readonly hasDst: boolean;
  readonly standardName: string;
  readonly daylightName: string;
  readonly #offset: Intl.DateTimeFormat;
  readonly #longName: Intl.DateTimeFormat;
  readonly #shortNames: readonly Intl.DateTimeFormat[];
  /** By offset and long name: a zone has a dozen of these in all its history. */
  readonly #abbreviations = new Map<string, string>();
  readonly #spans: (Span | undefined)[] = new Array(rememberedSpans).fill(undefined);

  constructor(name: string) {
    this.name = name;
    this.#offset = formatter("en-US", name, "longOffset");
    this.#longName = formatter("en-US", name, "long");
    // American English has no short names for most of the world's zones, but another English often has.
    this.#shortNames = ["en-US", "en-GB", "en-AU", "en-IN", "en-ZA"].map((locale) =>
      formatter(locale, name, "short"),
    );
    let standard: ZoneMoment | undefined;
    let daylight: ZoneMoment | undefined;
    for (let days = 0; days < 365; days += 15) {
      const moment = this.offsetAt(referenceYear.firstSecond + days * day);
      if (moment.isDst) daylight ??= moment;
      else standard ??= moment;
    }
    standard ??= daylight ?? utcMoment;
    this.standardOffsetSeconds = standard.offsetSeconds;
    this.hasDst = daylight !== undefined;
    this.standardName = standard.abbreviation;
    this.daylightName = (daylight ?? standard).abbreviation;
  }

  offsetAt(epochSeconds: number): ZoneMoment {
    const second = Math.max(-outermostSecond, Math.min(outermostSecond, Math.floor(epochSeconds)));
    const index = Math.floor(second / spanSeconds);
    const slot = ((index % rememberedSpans) + rememberedSpans) % rememberedSpans;
    const start = index * spanSeconds;
    let span = this.#spans[slot];
    if (span?.start !== start) {
      span = this.#read(start);
      this.#spans[slot] = span;
    }
    return second < span.change ? span.before : span.after;
  }

  #read(start: number): Span {
    const end = start + spanSeconds;
    const first = this.#ask(start);
    const last = this.#ask(end);
    const before = this.#moment(start, first);
    if (same(first, last)) return { start, change: end, before, after: before };
    let low = start;
    let change = end;
    while (change - low > 1) {
      const middle = Math.floor((low + change) / 2);
      if (same(first, this.#ask(middle))) low = middle;
      else change = middle;
    }
    return { start, change, before, after: this.#moment(end, last) };
  }

  #ask(epochSeconds: number): Answer {
    return {
      offsetSeconds: this.#offsetSeconds(epochSeconds),
      longName: zoneName(this.#longName, epochSeconds),
    };
  }

  #offsetSeconds(epochSeconds: number): number {
    const text = zoneName(this.#offset, epochSeconds);
    const match = /^GMT(?:([+\-\u2212])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
    if (!match) throw new Error(`Intl gave an offset of an unknown form for ${this.name}: ${text}`);
    const [, sign, hours = "0", minutes = "0", seconds = "0"] = match;
    const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    return sign === undefined || sign === "+" || size === 0 ? size : -size;
  }

  #moment(epochSeconds: number, { offsetSeconds, longName }: Answer): ZoneMoment {
    const isDst = /\b(?:Summer|Daylight)\b/.test(longName) || this.#returns(epochSeconds, offsetSeconds);
    const period = `${offsetSeconds} ${longName}`;
    let abbreviation = this.#abbreviations.get(period);
    if (abbreviation === undefined) {
      abbreviation = this.#shortName(epochSeconds) ?? numericName(offsetSeconds);
      this.#abbreviations.set(period, abbreviation);
    }
    return Object.freeze({ offsetSeconds, isDst, abbreviation });
  }

  #shortName(epochSeconds: number): string | undefined {
    for (const format of this.#shortNames) {
      const name = zoneName(format, epochSeconds);
      if (/^[A-Z]{3,16}$/i.test(name)) return name;
    }
    return undefined;
  }

  /**
   * For periods that Intl does not call daylight time, such as Jersey's summers: clocks are ahead of where they stood a
   * few half-years ago and where they will stand again.
   */
  #returns(epochSeconds: number, offsetSeconds: number): boolean {
    const half = Math.floor(epochSeconds / halfYearSeconds);
    const behind = (index: number) => this.#offsetSeconds(index * halfYearSeconds) < offsetSeconds;
    return [half, half - 1, half - 2].some(behind) && [half + 1, half + 2, half + 3].some(behind);
  }
}

function formatter(locale: string, timeZone: string, timeZoneName: "longOffset" | "long" | "short") {
  // Without a field of its own Intl adds the whole date, which takes longer.
  return new Intl.DateTimeFormat(locale, { timeZone, timeZoneName, hour: "numeric" });
}

function zoneName(format: Intl.DateTimeFormat, epochSeconds: number): string {
  const ms = Math.max(-outermostSecond, Math.min(outermostSecond, epochSeconds)) * 1000;
  return format.formatToParts(ms).find((part) => part.type === "timeZoneName")?.value ?? "";
}

function same(a: Answer, b: Answer): boolean {
  return a.offsetSeconds === b.offsetSeconds && a.longName === b.longName;
}

/** As the tz data name periods without a name: "+03", "-0330", "+005328". */
function numericName(offsetSeconds: number): string {
  const size = Math.abs(offsetSeconds);
  const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60];
  while (parts.length > 1 && parts.at(-1) === 0) parts.pop();
  return (offsetSeconds < 0 ? "-" : "+") + parts.map((part) => String(part).padStart(2, "0")).join("");
}
