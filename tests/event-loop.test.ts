// Programs that await at the top level: all of such a program finds the loop running, as in `python -m asyncio`, and nothing of it goes
// on in the next run, whatever ended it.
import { hostFunction, Sandbox, type SandboxOptions } from "sandboa";
import { describe, expect, test } from "vitest";

const later = (x: unknown, ms = 1): Promise<unknown> =>
  new Promise((resolve) => setTimeout(() => resolve(x), ms));
const functions = {
  lookup: hostFunction({
    parameters: { type: "object", properties: { x: { type: "string" } }, required: ["x"] },
    execute: async ({ x }) => later(String(x).toUpperCase()),
  }),
  after: hostFunction({
    parameters: { type: "object", properties: { ms: { type: "number" } }, required: ["ms"] },
    execute: async ({ ms }) => later("late", Number(ms)),
  }),
};
const walls = ["inline", "worker", "process"] as const;
const kinds = [
  { name: "inline, alone", options: { isolation: "inline" } },
  {
    name: "inline, with functions, where the loop runs in steps",
    options: { isolation: "inline", functions },
  },
  { name: "worker, alone", options: { isolation: "worker" } },
  { name: "process, with functions", options: { isolation: "process", functions } },
] as const;

async function outcome(sandbox: Sandbox, source: string): Promise<unknown> {
  const run = await sandbox.run(source).catch((error: unknown) => error as { name: string; code?: string });
  if ("name" in run) return run;
  return { value: run.value, stdout: run.stdout, stderr: run.stderr, exitCode: run.exitCode };
}
const quiet = { stdout: "", stderr: "", exitCode: 0 };
const create = (options: SandboxOptions): Promise<Sandbox> =>
  Sandbox.create({ onEvent: () => {}, ...options, limits: { wall: "20 s", ...options.limits } });
/** With what is to be stopped imported: anew in another interpreter if that was stopped, since half of it is left then. */
async function createStopped(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = await create({ ...options, limits: { wall: "400 ms", soft: { grace: "20 s" } } });
  for (;;) {
    const run = await sandbox.run("import asyncio, select").catch((error: unknown) => error as Error);
    if (!(run instanceof Error) && run.softStop === undefined) return sandbox;
    await sandbox.reset();
  }
}

describe.each(kinds)("$name", ({ options }) => {
  test("tasks that are made before the last expression are awaited in it", async () => {
    await using sandbox = await create(options);
    const source = `
import asyncio
async def double(x):
    await asyncio.sleep(0.001)
    return 2 * x
tasks = [asyncio.create_task(double(x)) for x in range(3)]
await asyncio.gather(*tasks)`;
    expect(await outcome(sandbox, source)).toEqual({ ...quiet, value: [0, 2, 4] });
  });

  test("a last expression that awaits nothing finds the loop, and StopIteration stays what it is", async () => {
    await using sandbox = await create(options);
    const source = (last: string): string => `import asyncio\nawait asyncio.sleep(0)\n${last}`;
    expect(await outcome(sandbox, source("asyncio.get_running_loop().is_running()"))).toMatchObject({
      value: true,
    });
    expect(await outcome(sandbox, source("next(iter(()))"))).toMatchObject({ type: "StopIteration" });
  });

  test.each([
    ["exit", "import sys; sys.exit(3)", { value: undefined, exitCode: 3 }],
    ["an interrupt", "raise KeyboardInterrupt", { type: "KeyboardInterrupt" }],
  ])("%s in a task ends the run, all of its tasks, and not the next run", async (_name, end, expected) => {
    await using sandbox = await create(options);
    const source = `
import asyncio
tidied = []
async def ends(): ${end}
async def goes_on():
    try:
        while True: await asyncio.sleep(0.001)
    finally: tidied.append(1)
other = asyncio.create_task(goes_on())
await asyncio.sleep(0)
await asyncio.gather(ends())`;
    expect(await outcome(sandbox, source)).toMatchObject(expected);
    const next = "import asyncio\nawait asyncio.sleep(0.005)\n[tidied, other.cancelled()]";
    expect(await outcome(sandbox, next)).toEqual({ ...quiet, value: [[1], true] });
  });

  test("a soft stop ends a program that awaits, and nothing of it goes on", async () => {
    await using sandbox = await createStopped(options);
    const forever = `
import asyncio
count = 0
try:
    while True:
        await asyncio.sleep(0.01)
        count += 1
finally: tidied = True`;
    expect(await outcome(sandbox, forever)).toMatchObject({ code: "LIMIT_WALL", sandbox: "usable" });
    const next = "import asyncio\nbefore = count\nawait asyncio.sleep(0.05)\n[tidied, before == count]";
    expect(await outcome(sandbox, next)).toEqual({ ...quiet, value: [true, true] });
  });

  test.each([
    ["select", "import select; select.select([], [], [], 15)", "KeyboardInterrupt"],
    ["poll", "import select; select.poll().poll(15000)", "KeyboardInterrupt"],
    ["a loop", "import asyncio; asyncio.run(asyncio.sleep(15))", "KeyboardInterrupt"],
    ["the top level's loop", "import asyncio; await asyncio.sleep(15)", "CancelledError"],
  ])("a soft stop ends the wait in %s", async (_name, wait, seen) => {
    await using sandbox = await createStopped(options);
    const source = `try: ${wait}\nexcept BaseException as error: found = type(error).__name__\nfound`;
    const { value, softStop, usage } = await sandbox.run(source);
    expect([value, softStop]).toEqual([seen, "wall"]);
    expect(usage.wallMs).toBeLessThan(5000);
  });
});

describe.each(walls)("%s", (isolation) => {
  test("calls of the host are awaited wherever the program awaits", async () => {
    await using sandbox = await create({ isolation, functions });
    const gathered = `
import asyncio
from host import lookup
calls = [lookup("a"), lookup("b")]
await asyncio.gather(*calls)`;
    expect(await outcome(sandbox, gathered)).toEqual({ ...quiet, value: ["A", "B"] });
    const last = 'from host import lookup\nfirst = await lookup("a")\nlookup(first + "b")';
    expect(await outcome(sandbox, last)).toEqual({ ...quiet, value: "AB" });
  });

  test("what a run leaves behind is no news for the next one, unless it asks", async () => {
    await using sandbox = await create({ isolation, functions });
    const leave = `
import asyncio
from host import after
async def wait(): return await after(10_000)
task = asyncio.create_task(wait())
await asyncio.sleep(0.001)
None`;
    await outcome(sandbox, leave);
    const forget = "import asyncio\ndel task\nawait asyncio.sleep(0.001)\nimport gc; gc.collect()\n1";
    expect(await outcome(sandbox, forget)).toEqual({ ...quiet, value: 1 });
    await outcome(sandbox, leave);
    expect(await outcome(sandbox, "await task")).toMatchObject({ type: "RuntimeError" });
  });

  test("a soft stop that comes when the program is over is a stop like any other", async () => {
    await using sandbox = await create({
      isolation: isolation === "inline" ? "worker" : isolation,
      functions,
      limits: { wall: "50 ms", soft: { grace: "10 s" } },
    });
    const endings = new Set<string>();
    for (let steps = 0; steps < 60; steps++) {
      const source = `from host import after\nafter.sync(70)\nfor i in range(${steps}): pass\n1/0`;
      const { name, sandbox: state } = (await outcome(sandbox, source)) as { name: string; sandbox: string };
      endings.add(`${name} ${state}`);
    }
    expect([...endings].filter((ending) => !/^(LimitError|PythonError) usable$/.test(ending))).toEqual([]);
  });
});
