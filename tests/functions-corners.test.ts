// What programs do with things of the host and what the host does with theirs, where it is easily got wrong.
import { hostFunction, hostObject, Sandbox } from "sandboa";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";

type Callable = (...given: unknown[]) => Promise<unknown>;

const any = { type: "object", properties: { x: {} }, required: ["x"] };
const functions = {
  call: hostFunction(async (f: unknown) => (f as Callable)()),
  retry: hostFunction(async (f: unknown) => {
    for (let time = 0; ; time++) {
      try {
        return await (f as Callable)();
      } catch (error) {
        if (time === 3) throw error;
      }
    }
  }),
  connect: hostFunction(() => hostObject({ get: () => "row" }, { methods: ["get"], name: "Connection" })),
  items: hostFunction({
    streams: true,
    *execute() {
      yield* [1, 2, 3];
    },
  }),
  echo: hostFunction((x: unknown) => x),
  ValueError: hostFunction({ parameters: any, execute: ({ x }) => x }),
  named: hostFunction({
    parameters: { type: "object", properties: { ValueError: {} }, required: ["ValueError"] },
    execute: ({ ValueError: given }) => given,
  }),
};

describe.each(["worker", "process"] as const)("%s", (isolation) => {
  const create = () => Sandbox.create({ isolation, functions });

  test.each([
    ["copy.copy(thing)", "row"],
    ["copy.deepcopy([thing, thing])", "row"],
    ["dataclasses.asdict(Holder(thing))", "row"],
  ])("a copy of a lent thing is the thing: %s", async (copied, expected) => {
    await using sandbox = await create();
    const source = `
import copy, dataclasses, gc
from host import connect
@dataclasses.dataclass
class Holder: thing: object
thing = connect()
other = ${copied}
del other
gc.collect()
thing.get()`;
    expect((await sandbox.run(source)).value).toBe(expected);
  });

  test.each(["connect()", "items()"])("%s is not pickled", async (thing) => {
    await using sandbox = await create();
    await expect(
      sandbox.run(`import pickle\nfrom host import connect, items\npickle.dumps(${thing})`),
    ).rejects.toMatchObject({
      type: "TypeError",
      message: expect.stringContaining(": cannot pickle "),
    });
  });

  test.each([
    ["sys.exit(3)", { exitCode: 3 }],
    ["stop()", { type: "KeyboardInterrupt" }],
    ["asyncio.run(leave())", { exitCode: 3 }],
  ])("what ends a program ends it in a callback as well: %s", async (end, expected) => {
    await using sandbox = await create();
    const source = `
import asyncio, sys
from host import retry
count = 0
def stop(): raise KeyboardInterrupt
async def leave(): sys.exit(3)
def f():
    global count
    count += 1
    ${end}
try: retry(f)
except Exception: print("went on")`;
    const run = await sandbox.run(source).catch((error: unknown) => error);
    expect(run).toMatchObject({ ...expected, stdout: "" });
    // It was tried again by the host, and not by the guest.
    expect((await sandbox.run("count")).value).toBe(1);
  });

  test("a soft stop in a callback is one", async () => {
    const limits = { wall: "300 ms", soft: { grace: "10 s" } };
    await using sandbox = await Sandbox.create({ isolation, functions, limits });
    const source = `
from host import call
def forever():
    while True: pass
try: call(forever)
except KeyboardInterrupt: r = "stopped"
r`;
    expect(await sandbox.run(source)).toMatchObject({ value: "stopped", softStop: "wall" });
  });

  test("a missing key is named as Python names it", async () => {
    await using sandbox = await create();
    const source = "from host import call\ntry: call(lambda: {}['q'])\nexcept KeyError as e: r = repr(e)\nr";
    expect((await sandbox.run(source)).value).toBe("KeyError('q')");
  });

  test("names of exceptions are names like others", async () => {
    await using sandbox = await create();
    const source = `
from decimal import Decimal
import host
[host.ValueError(Decimal(1)) == Decimal(1), host.named(Decimal(2)) == Decimal(2)]`;
    expect((await sandbox.run(source)).value).toEqual([true, true]);
  });

  test("a callback that calls its caller may do so as often as calls may run at once", async () => {
    await using sandbox = await create();
    const source = `
from host import call
def deep(n): return call(lambda: deep(n - 1)) if n else "deep"
def answer(n):
    try: return deep(n)
    except RuntimeError as error: return str(error)
[answer(16), answer(17), answer(16)]`;
    const refused = "call() would wait for itself: as many calls as may run at once wait for this one";
    expect((await sandbox.run(source)).value).toEqual(["deep", refused, "deep"]);
  });

  test("code is no argument", async () => {
    await using sandbox = await create();
    await expect(sandbox.run("from host import echo\necho(compile('1', 'x', 'eval'))")).rejects.toMatchObject(
      {
        type: "ValueError",
        message: expect.stringContaining("a code object is no plain data"),
      },
    );
  });
});

describe("dates of zod and valibot", () => {
  const now = (subject: unknown): unknown[] => {
    const { d, many, maybe, plain } = subject as Record<string, unknown>;
    return [d, maybe, ...((many as unknown[] | undefined) ?? []), plain].map((one) =>
      one instanceof Date ? one.toISOString() : String(one),
    );
  };
  const ofZod = hostFunction({
    input: z.object({
      d: z.date(),
      many: z.array(z.object({ at: z.date() }).transform(({ at }) => at)).optional(),
      maybe: z.date().nullable().optional(),
      plain: z.string().optional(),
    }),
    execute: now,
  });
  const ofValibot = hostFunction({
    input: v.object({ d: v.date(), maybe: v.optional(v.nullable(v.date())) }),
    execute: now,
  });

  test.each(["inline", "worker"] as const)("a datetime with a zone is one: %s", async (isolation) => {
    await using sandbox = await Sandbox.create({ isolation, functions: { ofZod, ofValibot } });
    const source = `
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo
from host import ofZod, ofValibot
utc = datetime(2020, 1, 2, 3, 4, 5, 678000, timezone.utc)
berlin = datetime(2020, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
[ofZod(utc, many=[{"at": berlin}], maybe=None, plain="2020"), ofZod(berlin, maybe=utc), ofValibot(berlin, utc)]`;
    const [first, second] = ["2020-01-02T03:04:05.678Z", "2020-07-01T10:00:00.000Z"];
    expect((await sandbox.run(source)).value).toEqual([
      [first, "null", second, "2020"],
      [second, first, "undefined"],
      [second, first, "undefined"],
    ]);
    const naive = "from datetime import datetime\nfrom host import ofZod\nofZod(datetime(2020, 1, 1))";
    await expect(sandbox.run(naive)).rejects.toMatchObject({ type: "ValueError" });
  });
});
