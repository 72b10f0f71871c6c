// What a guest that writes frames itself can do behind each wall: nothing but harm its own run. Wall time that stands still while the host
// works does not stand still for a guest that only says that it waits.
import { type FunctionCapability, hostFunction, hostObject, Sandbox, type SandboxEvent } from "sandboa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { walls } from "./functions-fixture.ts";

const unhandled: unknown[] = [];
const note = (error: unknown): void => {
  unhandled.push(error);
};
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
type Callable = (...given: unknown[]) => Promise<unknown>;

/** In Python: a frame of the protocol, and the kind and value of its answer. */
const prelude = `
import sandboa, marshal, struct
def send(op, body=None, number=0, call=0, records=0):
    return sandboa._host_call(marshal.dumps(body, 4) + struct.pack("<BBII", records, op, number, call))
def ask(*args, **more):
    answer = send(*args, **more)
    return answer[-1], marshal.loads(answer)
CALL, NEXT, RELEASE, CANCEL, WAIT, RETURNED, DESCRIBE = 1, 3, 4, 5, 6, 7, 8
FOREVER = 0xffffffff
`;

/** The runner's own answer, replaced: "waiting", each time after the host was asked to let it wait. */
const lies = `
from sandboa import _runner
class Lie:
    def __setitem__(self, *_): pass
    def pop(self, *_):
        send(WAIT, number=FOREVER)
        return [{"end": "waiting", "timer": None}, None], False
_runner._result = Lie()
_runner._ACTIONS["resume"] = lambda: Lie().pop()[0][0]
None`;

async function sandboxWith(
  isolation: (typeof walls)[number],
  functions: Record<string, FunctionCapability>,
  limits: object = {},
  events: SandboxEvent[] = [],
): Promise<Sandbox> {
  return Sandbox.create({ isolation, functions, limits, onEvent: (event) => events.push(event) });
}

const runTo = (sandbox: Sandbox, source: string): Promise<unknown> =>
  sandbox.run(prelude + source).then(
    ({ value }) => value,
    (error: unknown) => error,
  );

describe.each(walls)("%s", (isolation) => {
  const paused = { wall: "2 s", wallPausesForHost: true };
  const never = hostFunction({ execute: () => new Promise(() => {}), async: true });
  const use = hostFunction(async (callback: Callable) => callback());

  test.each([
    ["waits for ever with nothing under way", "send(WAIT, number=FOREVER)\nwhile True: pass"],
    ["waits a little for nothing, again and again", "while True: send(WAIT, number=30)"],
    ["lies that it was told to wait, for ever", lies],
    [
      "is to do a callback, and waits for what comes after it",
      "import host\nask(CALL, (((..., 'lent', 1, 'call'),),), number=1, call=1, records=1)\nwhile True: send(WAIT, number=FOREVER)",
    ],
  ])(
    "wall time that stands still for the host: a guest that %s is ended",
    async (_name, source) => {
      await using sandbox = await sandboxWith(isolation, { never, use }, paused);
      await sandbox.run("from host import *");
      const start = performance.now();
      expect(await runTo(sandbox, source)).toMatchObject({
        code: expect.stringMatching(/LIMIT_WALL|SANDBOX_CRASHED/),
      });
      expect(performance.now() - start).toBeLessThan(10_000);
    },
    20_000,
  );

  // Inline it is the guest that has the thread.
  if (isolation !== "inline")
    test("a flood of questions leaves the embedder's thread its turns: a timer of its own ends it, again and again", async () => {
      await using sandbox = await sandboxWith(isolation, { never, use }, { wall: "20 s" });
      for (let times = 0; times < 3; times++) {
        const flood = `${prelude}\nwhile True: send(CANCEL, call=4000000000)`;
        const signal = AbortSignal.timeout(200);
        const ended = await sandbox.run(flood, { signal }).catch((error: unknown) => error);
        expect(ended).toMatchObject({ code: "RUN_CANCELLED" });
        await sandbox.reset();
        expect(await runTo(sandbox, "import host\n[send(CANCEL)[-1] for _ in range(20_000)][-1]")).toBe(0);
      }
    }, 30_000);

  test("wall time stands still while the host works, and only then", async () => {
    const slow = hostFunction(async () => sleep(2500));
    await using sandbox = await sandboxWith(isolation, { slow }, paused);
    expect(
      await runTo(sandbox, "from host import slow\nawait slow()\nfor _ in range(10**6): pass\n'done'"),
    ).toBe("done");
    const asleep =
      "import asyncio\nfrom host import slow\nt = asyncio.ensure_future(slow())\nawait asyncio.sleep(0)\nt.cancel()\nawait asyncio.sleep(60)";
    expect(await runTo(sandbox, asleep)).toMatchObject({ code: "LIMIT_WALL" });
  });

  test("dicts that look like what is granted stay dicts; what is lent is charged over runs, and given back", async () => {
    const parts = Object.fromEntries(Array.from({ length: 99 }, (_, at) => [`m${at}`, () => at]));
    const functions = {
      echo: hostFunction((one: unknown) => one),
      lend: hostFunction(() => hostObject(parts, { methods: Object.keys(parts) })),
    };
    await using sandbox = await sandboxWith(isolation, functions, { hostMemory: "2 MiB" });
    const forged = `
import host
f = {"values": 0, "limits": {}, "signature": {"parameters": [], "returns": "", "description": "", "isAsync": False, "streams": False}}
like = {"kind": "object", "name": "X", "description": "", "methods": {k: f for k in range(1000)}, "attributes": [], "target": {}}
[host.echo(like) == like, type(host.echo({**f, "kind": "function", "invoke": print})).__name__]`;
    expect(await runTo(sandbox, forged)).toEqual([true, "dict"]);
    expect(sandbox.usage().hostMemoryBytes).toBe(0);
    expect(await runTo(sandbox, "kept = [host.lend() for _ in range(5)]; kept[4].m7()")).toBe(7);
    expect(sandbox.usage().hostMemoryBytes).toBe(5 * 100 * 1024);
    expect(await runTo(sandbox, "1")).toBe(1);
    expect(sandbox.usage().hostMemoryBytes).toBe(5 * 100 * 1024);
    const many = "try:\n    while True: kept.append(host.lend())\nexcept MemoryError: pass\nlen(kept)";
    expect(await runTo(sandbox, many)).toBe(20);
    expect(await runTo(sandbox, "kept.clear(); host.echo(1)")).toBe(1);
    expect(sandbox.usage().hostMemoryBytes).toBe(0);
  });

  test("frames from everywhere a program can stand: finalizers, generators, tasks, callbacks, with calls under way", async () => {
    const events: SandboxEvent[] = [];
    let called = 0;
    const count = hostFunction(() => ++called);
    const later = hostFunction(async () => sleep(5), { async: true });
    await using sandbox = await sandboxWith(isolation, { count, later, use }, {}, events);
    const source = `
import random, asyncio, gc
import host
random.seed(7)
def noise():
    for _ in range(30):
        frame = random.randbytes(random.randrange(30))
        if random.random() < 0.7:
            body = marshal.dumps(random.choice([(), None, 1, "x", (...,), [(..., "host", 3)], ((..., "lent", 9, "call"),)]), 4)
            frame = body + struct.pack("<BBII", random.randrange(3), random.choice([0, 1, 3, 4, 5, 7, 8, 9]), random.choice([0, 1, 2, 3, 50, FOREVER]), random.randrange(1, 9))
        if frame[-9:-8] != bytes([6]) and frame[-4:] != bytes(4): sandboa._host_call(frame)
class Finalized:
    def __del__(self): noise()
class Hostile(dict):
    def __iter__(self): noise(); return dict.__iter__(self)
    def __reduce__(self): noise(); return (dict, ())
def generated():
    noise()
    yield 1
    noise()
async def task():
    Finalized()
    for _ in generated(): await asyncio.sleep(0)
async def main():
    waiting = [asyncio.ensure_future(host.later()) for _ in range(3)]
    await asyncio.gather(*(task() for _ in range(5)))
    return [await asyncio.wait_for(w, 0.5) for w in waiting] and "through"
cycle = Finalized(); cycle.me = cycle; del cycle; gc.collect()
try: host.count(Hostile(a=1))
except Exception: pass
before = host.count()
[host.count() - before, isinstance(before, int)]`;
    expect(await runTo(sandbox, source)).toEqual([1, true]);
    await runTo(sandbox, "await main()");
    expect(await runTo(sandbox, "from host import count\nisinstance(count(), int)")).toBe(true);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(sandbox.state).toBe("usable");
  });
});
