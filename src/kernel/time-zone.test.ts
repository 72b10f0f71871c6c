// Zones against the C library: Python's time.localtime and time.mktime with TZ set. The range ends in 2024, so that the tz
// data of the machine and those of Node's ICU agree whichever is the newer.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { assemble, breakDown, type CivilTime } from "./calendar.ts";
import { ianaTimeZone, type TimeZone, utc } from "./time-zone.ts";

const names = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Pacific/Apia",
];
const hasOracle =
  spawnSync("python3", ["-c", "import time"]).status === 0 && existsSync("/usr/share/zoneinfo/Pacific/Apia");
const skipReason = hasOracle ? "" : " (skipped: this needs python3 and /usr/share/zoneinfo)";
const second2025 = 1_735_689_600;

describe.skipIf(!hasOracle)(`against the C library${skipReason}`, () => {
  test.each(names)("localtime in %s", (name) => {
    const zone = known(name);
    const random = generator(9);
    const seconds = Array.from({ length: 2000 }, () => random(second2025));
    for (let count = 0; count < 500; count++) seconds.push(-random(6e9));
    for (const change of changesOf(zone)) seconds.push(change - 1, change);
    const lines = python(
      name,
      `for line in sys.stdin:
         t = time.localtime(int(line))
         print(t.tm_year - 1900, t.tm_mon - 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_gmtoff, t.tm_isdst)`,
      seconds,
    );
    seconds.forEach((second, index) => {
      const time = breakDown(BigInt(second), zone);
      if (!time) throw new Error(`no time for ${second}`);
      const { yearSince1900, month0, dayOfMonth, hour, minute, offsetSeconds, isDst } = time;
      const fields = [yearSince1900, month0, dayOfMonth, hour, minute, time.second, offsetSeconds].join(" ");
      // Intl does not know that the double summers and year-long summers of the wars were daylight saving time.
      if (second < 0) expect(lines[index], `second ${second}`).toMatch(new RegExp(`^${fields} [01]$`));
      else expect(`${fields} ${isDst}`, `second ${second}`).toBe(lines[index]);
    });
  });

  test.each(names)("mktime in %s", (name) => {
    const zone = known(name);
    const random = generator(10);
    const times = Array.from({ length: 2000 }, (_, index): CivilTime => {
      const isDst = index % 3 === 0 ? -1 : index % 3 === 1 ? 0 : 1;
      const wild = index % 2 === 0;
      return {
        yearSince1900: 84 + random(40),
        month0: wild ? random(40) - 14 : random(12),
        dayOfMonth: wild ? random(110) - 40 : 1 + random(28),
        hour: wild ? random(130) - 50 : random(24),
        minute: wild ? random(300) - 100 : random(60),
        second: wild ? random(300) - 100 : random(60),
        isDst,
      };
    });
    // glibc is lost around 2011-12-30, the day that Apia skipped, and answers with a time on the 28th.
    const comparable = (second: number) => second > 450_000_000 && second !== 1_325_239_200;
    for (const change of changesOf(zone).filter(comparable)) {
      for (const minutes of [-60, -45, -15, 0, 15, 45, 60]) {
        const time = breakDown(BigInt(change + minutes * 60), zone);
        for (const isDst of [-1, 0, 1])
          if (time) times.push({ ...time, isDst }, { ...time, hour: time.hour + 1, isDst });
      }
    }
    const lines = python(
      name,
      `for line in sys.stdin:
         y, mon, d, h, m, s, dst = map(int, line.split())
         try: print(int(time.mktime((y + 1900, mon + 1, d, h, m, s, 0, 0, dst))))
         except OverflowError: print("none")`,
      times.map((t) =>
        [t.yearSince1900, t.month0, t.dayOfMonth, t.hour, t.minute, t.second, t.isDst].join(" "),
      ),
    );
    let compared = 0;
    times.forEach((time, index) => {
      // Where clocks do not change, glibc takes an hour off for "daylight time", and musl ignores the wish, as we do.
      if (time.isDst === 1 && (!zone.hasDst || name === "Pacific/Apia")) return;
      if (lines[index] === "none") return;
      compared += 1;
      const instant = assemble(time, zone);
      const other = BigInt(lines[index] ?? "");
      // When nothing says which of two equal local times is meant, glibc's choice depends on its previous call.
      if (time.isDst === -1 && instant !== other && wall(instant, zone) === wall(other, zone)) return;
      expect(instant, JSON.stringify(time)).toBe(other);
    });
    expect(compared).toBeGreaterThan(1000);
  });
});

describe("what a zone says of itself", () => {
  test.each<[string, number, boolean, string, string]>([
    ["Europe/Berlin", 3600, true, "CET", "CEST"],
    ["America/New_York", -18_000, true, "EST", "EDT"],
    ["Asia/Kolkata", 19_800, false, "IST", "IST"],
    ["America/Sao_Paulo", -10_800, false, "-03", "-03"],
    ["Asia/Kathmandu", 20_700, false, "+0545", "+0545"],
    ["Etc/GMT+5", -18_000, false, "-05", "-05"],
    ["UTC", 0, false, "UTC", "UTC"],
  ])("%s", (name, standardOffsetSeconds, hasDst, standardName, daylightName) => {
    expect(known(name)).toMatchObject({ name, standardOffsetSeconds, hasDst, standardName, daylightName });
  });

  test("summers that Intl has no name for are daylight saving time, and a lasting change is not", () => {
    const july2024 = 1_720_000_000;
    expect(known("Europe/Jersey").offsetAt(july2024)).toMatchObject({ offsetSeconds: 3600, isDst: true });
    expect(known("Europe/Dublin").offsetAt(july2024)).toMatchObject({ offsetSeconds: 3600, isDst: true });
    expect(known("Europe/Dublin").offsetAt(july2024 - 182 * 86_400)).toMatchObject({
      offsetSeconds: 0,
      isDst: false,
    });
    expect(known("Europe/Istanbul").offsetAt(july2024)).toMatchObject({
      offsetSeconds: 10_800,
      isDst: false,
    });
  });

  test("abbreviations fit where tzset puts them", () => {
    for (const name of Intl.supportedValuesOf("timeZone").filter((_, index) => index % 20 === 0)) {
      for (const second of [-8e12, -3e9, 0, 1.7e9, 8e12]) {
        expect(known(name).offsetAt(second).abbreviation).toMatch(/^[A-Za-z0-9+-]{3,16}$/);
      }
    }
  });
});

test("unknown names have no zone, and none leads to the host's own", () => {
  for (const name of [
    "",
    "Nowhere/Land",
    "+05:30",
    "Europe/Berlin\0",
    "../etc/passwd",
    "a".repeat(1e6),
    "undefined",
    "__proto__",
  ]) {
    expect(ianaTimeZone(name), name.slice(0, 20)).toBeUndefined();
  }
  expect(known("europe/BERLIN").standardOffsetSeconds).toBe(3600);
});

test("the rules go on for ever in cycles of 400 years", () => {
  const zone = known("America/New_York");
  const cycle = 146_097n * 86_400n;
  const random = generator(3);
  for (let count = 0; count < 300; count++) {
    const second = 4_102_444_800n + BigInt(random(2 ** 31)) * 5n;
    const near = breakDown(second, zone);
    for (const cycles of [1n, 30n, 5_000_000n]) {
      const far = breakDown(second + cycles * cycle, zone);
      expect(far).toEqual({ ...near, yearSince1900: (near?.yearSince1900 ?? 0) + 400 * Number(cycles) });
      expect(far && assemble(far, zone)).toBe(second + cycles * cycle);
    }
  }
  expect(breakDown(-(10n ** 16n), zone)?.offsetSeconds).toBe(zone.offsetAt(-1e10).offsetSeconds);
});

test("a day that was skipped is read with the offset from before", () => {
  const noon = { yearSince1900: 111, month0: 11, dayOfMonth: 30, hour: 12, minute: 0, second: 0, isDst: -1 };
  const instant = assemble(noon, known("Pacific/Apia"));
  expect(instant && breakDown(instant, known("Pacific/Apia"))).toMatchObject({ dayOfMonth: 31, hour: 12 });
});

test("a remembered answer is the answer of its own time", () => {
  const fresh = (second: number) => known("Europe/Berlin").offsetAt(second).offsetSeconds;
  const zone = known("Europe/Berlin");
  // Spans of three days share their place with those 512 spans away.
  const stride = 512 * 3 * 86_400;
  for (const second of [1_700_000_000, 1_720_000_000]) {
    for (const at of [second, second + stride, second - stride, second])
      expect(zone.offsetAt(at).offsetSeconds).toBe(fresh(at));
  }
  expect(zone.offsetAt(Number.MAX_SAFE_INTEGER)).toBeDefined();
  expect(zone.offsetAt(-Number.MAX_SAFE_INTEGER)).toBeDefined();
});

function known(name: string): TimeZone {
  const zone = name === "UTC" ? utc : ianaTimeZone(name);
  if (!zone) throw new Error(`no zone ${name}`);
  return zone;
}

function wall(instant: bigint | undefined, zone: TimeZone): string {
  const time = instant === undefined ? undefined : breakDown(instant, zone);
  return time ? [time.dayOfYear, time.hour, time.minute, time.second].join(" ") : "";
}

/** The first seconds of new offsets, 1970 to 2024, found without the zone's own memory of spans. */
function changesOf(zone: TimeZone): number[] {
  const changes: number[] = [];
  const offset = (second: number) => zone.offsetAt(second).offsetSeconds;
  for (let from = 0; from < second2025 - 864_000; from += 864_000) {
    let [low, high] = [from, from + 864_000];
    if (offset(low) === offset(high)) continue;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offset(middle) === offset(low)) low = middle;
      else high = middle;
    }
    changes.push(high);
  }
  return changes;
}

function python(zone: string, body: string, lines: readonly (number | string)[]): string[] {
  const env = { ...process.env, TZ: zone };
  const { stdout, stderr } = spawnSync("python3", ["-c", `import sys, time\n${body}`], {
    input: lines.join("\n"),
    env,
  });
  const answers = stdout.toString().trim().split("\n");
  expect(answers.length, stderr.toString()).toBe(lines.length);
  return answers;
}

/** A small repeatable source of numbers below `limit`. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
