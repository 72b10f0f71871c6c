// Time zones come with the box: zoneinfo needs no grant. What it says is what native Python says of the same package.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { memoryFile, Pool, Sandbox } from "sandboa";
import { expect, test } from "vitest";
import { distribution } from "../src/interpreter/distribution.ts";

const wheel = resolve(import.meta.dirname, "../guest", distribution.timeZones.file);

/** Every offset, abbreviation and daylight saving time that a zone has on three days of each year. */
const survey = `
import datetime, hashlib, json, zoneinfo

def told(name):
    zone = zoneinfo.ZoneInfo(name)
    for year in range(1875, 2101):
        for month, day in ((1, 15), (4, 5), (10, 28)):
            when = datetime.datetime(year, month, day, 1, 30, tzinfo=zone)
            yield f"{when.utcoffset()} {when.tzname()} {when.dst()} {when.astimezone(datetime.UTC)}"

names = sorted(zoneinfo.available_timezones())
digest = {name: hashlib.sha256("\\n".join(told(name)).encode()).hexdigest()[:12] for name in names[::7]}
`;

/** From the wheel, and not from the machine: importing from a zip works, but its data must be files (importlib.resources). */
const native = `
import os, sys, tempfile, zipfile
with tempfile.TemporaryDirectory() as folder:
    zipfile.ZipFile(sys.argv[1]).extractall(folder)
    sys.path.insert(0, folder)
    import zoneinfo
    zoneinfo.reset_tzpath([])
    exec(${JSON.stringify(survey)})
    print(json.dumps([names, digest]))
`;

test("every seventh zone says what native Python says, over two centuries", async () => {
  const asked = spawnSync("python3", ["-c", native, wheel], {
    encoding: "utf8",
    env: { PATH: process.env.PATH },
  });
  expect(asked.stderr).toBe("");
  const [names, digest] = JSON.parse(asked.stdout);
  expect(names.length).toBeGreaterThan(590);
  await using sandbox = await Sandbox.create();
  const run = await sandbox.run(`${survey}\njson.dumps([names, digest])`);
  expect(JSON.parse(String(run.value))).toEqual([names, digest]);
});

test("a name cannot lead anywhere else", async () => {
  await using sandbox = await Sandbox.create({ files: { "/in/secret": memoryFile("TZif2") } });
  const run = await sandbox.run(`
import zoneinfo
def attempt(name):
    try:
        return str(zoneinfo.ZoneInfo(name))
    except Exception as error:
        return type(error).__name__
[attempt(name) for name in ("Europe/Berlin", "/in/secret", "../../in/secret", "Europe/../UTC", "Europe", "", "a\\0b", "No/Where")]`);
  expect(run.value).toEqual([
    "Europe/Berlin",
    ...Array(3).fill("ValueError"),
    "ZoneInfoNotFoundError",
    "ValueError",
    "ValueError",
    "ZoneInfoNotFoundError",
  ]);
});

test("a program's own time zone files come first, as TZPATH says", async () => {
  // RFC 8536: version 2 repeats the block in 64 bits. No transitions, one type, the name ABC, and a rule for ever.
  const block = `TZif2${"\0".repeat(31)}\0\0\0\x01\0\0\0\x04\0\0\0\0\0\0ABC\0`;
  const utc = new TextEncoder().encode(`${block}${block}\nABC0\n`);
  await using sandbox = await Sandbox.create({ files: { "/zones/Europe/Berlin": memoryFile(utc) } });
  const run = await sandbox.run(`
import datetime, importlib.metadata, zoneinfo
def name():
    return datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo.no_cache("Europe/Berlin")).tzname()
before = name()
zoneinfo.reset_tzpath(["/zones"])
[before, name(), zoneinfo.TZPATH, importlib.metadata.version("tzdata")]`);
  expect(run.value).toEqual(["CEST", "ABC", ["/zones"], distribution.timeZones.file.split("-")[1]]);
});

// Expected: `TZ=... python3.14`, and struct tm's names in tz 2025b.
test.each([
  ["America/New_York", ["EDT -0400", "EDT", "EST -0500", "EST"]],
  ["Asia/Kolkata", ["IST +0530", "IST", "IST +0530", "IST"]],
  ["UTC", ["UTC +0000", "UTC", "UTC +0000", "UTC"]],
])("libc knows the names of %s, and after a reset those of the next lifetime", async (timeZone, names) => {
  const source = `
import time, datetime
seen = []
for second in (1720000000, 1705000000):
    local = time.localtime(second)
    seen += [time.strftime("%Z %z", local), local.tm_zone]
assert seen[1] == datetime.datetime.fromtimestamp(1720000000).astimezone().tzname()
seen`;
  await using pool = await Pool.create({ isolation: "inline", size: 1 });
  for (const [zone, expected] of [
    [timeZone, names],
    ["UTC", ["UTC +0000", "UTC", "UTC +0000", "UTC"]],
    [timeZone, names],
  ] as const) {
    await using sandbox = await pool.checkout({ timeZone: zone });
    expect((await sandbox.run(source)).value).toEqual(expected);
  }
});

test.each([10n ** 18n, -(10n ** 18n), 2n ** 63n - 1n, -(2n ** 63n)])(
  "a second that is in no year harms nobody: %s",
  async (second) => {
    await using sandbox = await Sandbox.create();
    const source = `
import datetime, time
def attempt(call):
    try: return call()
    except (ValueError, OSError, OverflowError) as error: return "refused"
# What stands on the stack must not be what they say.
def deep(n): return n and deep(n - 1)
found = []
for depth in (0, 50, 200):
    deep(depth)
    found.append((attempt(lambda: time.gmtime(second)[:6]), attempt(lambda: time.localtime(second)[:6]), attempt(lambda: time.ctime(second))))
assert len(set(found)) == 1, found
[list(found[0][0]), attempt(lambda: datetime.datetime.fromtimestamp(second)), attempt(lambda: datetime.datetime.fromtimestamp(second, datetime.UTC))]`;
    const year = second > 0n ? 2147483647 : -2147481748;
    expect((await sandbox.run(source, { inputs: { second } })).value).toEqual([
      [year, 1, 1, 0, 0, 0],
      "refused",
      "refused",
    ]);
  },
);
