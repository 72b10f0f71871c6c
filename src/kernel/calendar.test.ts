// Civil time against the C library: Python's time.gmtime, and mktime in UTC, say what the fields should be.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { assemble, breakDown, type CivilTime, daysFromCivil } from "./calendar.ts";
import { type TimeZone, utc } from "./time-zone.ts";

const hasPython = spawnSync("python3", ["-c", "import time"]).status === 0;
const skipReason = hasPython ? "" : " (skipped: there is no python3 here to compare with)";

const midnight1970: CivilTime = {
  second: 0,
  minute: 0,
  hour: 0,
  dayOfMonth: 1,
  month0: 0,
  yearSince1900: 70,
  isDst: -1,
};
const firstYear = -(2 ** 31);
const lastYear = 2 ** 31 - 1;

describe.skipIf(!hasPython)(`against the C library${skipReason}`, () => {
  test("gmtime, over all of its range", () => {
    const seconds = instants();
    const lines = python(
      `for line in sys.stdin:
         t = time.gmtime(int(line))
         print(t.tm_sec, t.tm_min, t.tm_hour, t.tm_mday, t.tm_mon - 1, t.tm_year - 1900, (t.tm_wday + 1) % 7, t.tm_yday - 1)`,
      seconds,
    );
    seconds.forEach((second, index) => {
      const time = breakDown(second, utc);
      if (!time) throw new Error(`no time for ${second}`);
      const { minute, hour, dayOfMonth, month0, yearSince1900, weekday, dayOfYear } = time;
      const fields = [time.second, minute, hour, dayOfMonth, month0, yearSince1900, weekday, dayOfYear];
      expect(fields.join(" "), `second ${second}`).toBe(lines[index]);
      expect([time.isDst, time.offsetSeconds]).toEqual([0, 0]);
    });
  });

  test("timegm, with fields far out of range", () => {
    const random = generator(77);
    const wild = (): number => [random(100), random(100_000), random(2 ** 31)][random(3)] ?? 0;
    const signed = (): number => (random(2) ? wild() : -wild());
    const times = Array.from(
      { length: 5000 },
      (): CivilTime => ({
        second: signed(),
        minute: signed(),
        hour: signed(),
        dayOfMonth: signed(),
        month0: signed(),
        yearSince1900: random(4) ? random(400) - 100 : signed(),
        isDst: 0,
      }),
    );
    times.push(
      { ...midnight1970, month0: -13 },
      { ...midnight1970, month0: 12 },
      { ...midnight1970, dayOfMonth: 0 },
    );
    const lines = python(
      // calendar.timegm and datetime know no years out of 1..9999, so that days are counted in whole 400-year cycles.
      `import datetime
for line in sys.stdin:
    s, m, h, d, mon, y = map(int, line.split())
    y += 1900 + mon // 12
    days = datetime.date(y % 400 + 400, mon % 12 + 1, 1).toordinal() - 719163 + (y // 400 - 1) * 146097 + d - 1
    print(days * 86400 + h * 3600 + m * 60 + s)`,
      times.map((t) => `${t.second} ${t.minute} ${t.hour} ${t.dayOfMonth} ${t.month0} ${t.yearSince1900}`),
    );
    times.forEach((time, index) => {
      const second = BigInt(lines[index] ?? "");
      const fits = breakDown(second, utc) !== undefined;
      expect(assemble(time, utc), JSON.stringify(time)).toBe(fits ? second : undefined);
    });
  });
});

test("breaking down and assembling are inverse, up to the first and last second that fit", () => {
  const first = assemble({ ...midnight1970, yearSince1900: firstYear }, utc);
  const last = assemble(
    {
      ...midnight1970,
      yearSince1900: lastYear,
      month0: 11,
      dayOfMonth: 31,
      hour: 23,
      minute: 59,
      second: 59,
    },
    utc,
  );
  if (first === undefined || last === undefined) throw new Error("the range is cut short");
  expect(breakDown(first, utc)).toMatchObject({ yearSince1900: firstYear, dayOfYear: 0, second: 0 });
  expect(breakDown(last, utc)).toMatchObject({
    yearSince1900: lastYear,
    month0: 11,
    dayOfMonth: 31,
    second: 59,
  });
  expect(breakDown(first - 1n, utc)).toBeUndefined();
  expect(breakDown(last + 1n, utc)).toBeUndefined();
  expect(assemble({ ...midnight1970, yearSince1900: firstYear, second: -1 }, utc)).toBeUndefined();
  expect(assemble({ ...midnight1970, yearSince1900: lastYear, month0: 12 }, utc)).toBeUndefined();
  for (const second of instants()) {
    const time = breakDown(BigInt(second), utc);
    expect(time && assemble(time, utc)).toBe(BigInt(second));
  }
});

test("any i64 and any i32 fields are answered", () => {
  for (const second of [-(2n ** 63n), 2n ** 63n - 1n]) expect(breakDown(second, utc)).toBeUndefined();
  for (const field of [firstYear, lastYear]) {
    const time = {
      second: field,
      minute: field,
      hour: field,
      dayOfMonth: field,
      month0: field,
      yearSince1900: field,
    };
    expect(assemble({ ...time, isDst: field }, utc)).toBeUndefined();
  }
});

test("a zone moves the limits with it", () => {
  const east: TimeZone = {
    ...utc,
    offsetAt: () => ({ offsetSeconds: 3600, isDst: false, abbreviation: "+01" }),
  };
  const last = assemble(
    { ...midnight1970, yearSince1900: lastYear, month0: 11, dayOfMonth: 31, hour: 23 },
    east,
  );
  if (last === undefined) throw new Error("the range is cut short");
  expect(breakDown(last, east)).toMatchObject({ yearSince1900: lastYear, hour: 23, offsetSeconds: 3600 });
  expect(breakDown(last, utc)).toMatchObject({ hour: 22 });
  expect(breakDown(last + 3600n, east)).toBeUndefined();
  expect(breakDown(last + 3600n, utc)).toMatchObject({ yearSince1900: lastYear, hour: 23 });
});

test("days count from 1970 through leap years, centuries and year 0", () => {
  expect(daysFromCivil(1970, 0, 1)).toBe(0);
  expect(daysFromCivil(2000, 1, 29) + 1).toBe(daysFromCivil(2000, 2, 1));
  expect(daysFromCivil(1900, 1, 28) + 1).toBe(daysFromCivil(1900, 2, 1));
  expect(daysFromCivil(0, 0, 1)).toBe(-719_528);
  expect(daysFromCivil(-1, 11, 31)).toBe(-719_529);
  expect(daysFromCivil(1970, -13, 1)).toBe(daysFromCivil(1968, 11, 1));
});

/** Seconds of every size that gmtime takes, both signs, and the days around every kind of century. */
function instants(): bigint[] {
  const random = generator(4);
  const seconds: bigint[] = [];
  for (const bits of [16, 31, 33, 36, 40, 45, 52, 55]) {
    for (let count = 0; count < 600; count++) {
      const size = (BigInt(random(2 ** 30)) * 2n ** 30n + BigInt(random(2 ** 30))) % 2n ** BigInt(bits);
      seconds.push(random(2) ? size : -size);
    }
  }
  for (const year of [-400, -100, -1, 0, 1, 1582, 1600, 1700, 1900, 1972, 2000, 2100, 9999, 10_000]) {
    for (const month of [0, 1, 2, 11]) {
      for (const day of [1, 28, 29, 31])
        seconds.push(BigInt(daysFromCivil(year, month, day)) * 86_400n - BigInt(random(2)));
    }
  }
  return seconds;
}

function python(body: string, lines: readonly (bigint | string)[]): string[] {
  const { stdout, stderr } = spawnSync("python3", ["-c", `import sys, time\n${body}`], {
    input: lines.join("\n"),
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
