// Calls whose run ends before they do, behind each wall: nothing of one run reaches the next, nothing is called twice, and nothing that was
// asked for is lost without an error.
import { describe, expect, test } from "vitest";
import type { FunctionCall } from "../src/capabilities/functions/function-capability.ts";
import { fn, parameter } from "../src/host/calls/calls-fixture.ts";
import type { CallEvent } from "../src/host/calls/embedder.ts";
import { guestWith, walls } from "./functions-fixture.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function slow() {
  const calls: { x: unknown; signal: AbortSignal }[] = [];
  const capability = fn(
    async ({ x, ms }, { signal }: FunctionCall) => {
      calls.push({ x, signal });
      await sleep(ms as number);
      return x;
    },
    { parameters: ["x", parameter("ms")], isAsync: true },
  );
  return { calls, capability };
}

const begun = `
import asyncio
from host import slow
task = asyncio.ensure_future(slow("old", 60))
await asyncio.sleep(0)
task.done()`;

describe.each(walls)("%s", (isolation) => {
  test("what a run leaves behind is an error in the next, and its late answer is told to the embedder alone", async () => {
    const { calls, capability } = slow();
    await using guest = await guestWith(isolation, { slow: capability });
    expect(await guest.run(begun)).toBe(false);
    expect(calls).toMatchObject([{ x: "old", signal: { aborted: true } }]);
    const next = `
try: await task
except RuntimeError as error: seen = str(error)
[seen, await slow("new", 100)]`;
    expect(await guest.run(next)).toEqual(["the run ended before the host answered", "new"]);
    expect(calls.map(({ x }) => x)).toEqual(["old", "new"]);
    expect(guest.faults).toMatchObject([
      { path: "host.slow", error: { message: expect.stringContaining("after the run") } },
    ]);
  });

  test("a call that the guest cancels is aborted while the run goes on", async () => {
    const { calls, capability } = slow();
    const isAborted = fn(() => calls[0]?.signal.aborted);
    await using guest = await guestWith(isolation, { slow: capability, isAborted });
    const source = `
import asyncio
from host import slow, isAborted
task = asyncio.create_task(slow("old", 5000))
while task not in asyncio.all_tasks() or isAborted() is None: await asyncio.sleep(0)
before = isAborted()
task.cancel()
await asyncio.wait([task])
[before, task.cancelled(), isAborted()]`;
    expect(await guest.run(source)).toEqual([false, true, true]);
  });

  test("after a reset nothing of before is there", async () => {
    const { calls, capability } = slow();
    await using guest = await guestWith(isolation, { slow: capability });
    await guest.run(begun);
    await guest.reset();
    expect(await guest.run("from host import slow\n[await slow('new', 100), 'task' in globals()]")).toEqual([
      "new",
      false,
    ]);
    expect(calls.map(({ x }) => x)).toEqual(["old", "new"]);
  });

  test("the wall time ends a run that waits for the host", async () => {
    const { calls, capability } = slow();
    await using guest = await guestWith(isolation, { slow: capability }, { wall: "2 s" });
    // What the first run takes besides is not what is looked at here.
    await guest.run("from host import slow\nawait slow('first', 0)");
    expect(await guest.run("await slow('old', 10_000)")).toMatch(/limit wall/);
    expect(calls[1]).toMatchObject({ x: "old", signal: { aborted: true } });
  });

  test("a run that is cancelled while it waits for the host is over, and its call is aborted", async () => {
    const { calls, capability } = slow();
    await using guest = await guestWith(isolation, { slow: capability });
    const run = guest.run("from host import slow\nawait slow('old', 3000)");
    while (calls.length === 0) await sleep(1);
    guest.wall.cancel(new Error("the run was cancelled"));
    expect(await run).toMatch(/cancelled/);
    expect(calls[0]?.signal.aborted).toBe(true);
  });

  test("streams and lent things end with their run, handles do not", async () => {
    let lent: (() => Promise<unknown>) | undefined;
    await using guest = await guestWith(isolation, {
      lend: fn(
        ({ f }) => {
          lent = f as typeof lent;
        },
        { parameters: ["f"] },
      ),
      feed: fn(() => [1, 2, 3], { streams: true }),
      handle: fn(() => fn(({ x }) => x, { parameters: ["x"] })),
    });
    expect(
      await guest.run("from host import *\nlend(print)\ns = feed()\nh = handle()\n[next(s), h(1)]"),
    ).toEqual([1, 1]);
    await expect(lent?.()).rejects.toMatchObject({ message: "the run that lent this is over" });
    expect(await guest.run("h(2)")).toBe(2);
    expect(await guest.run("next(s)")).toMatch(/^ReferenceError/);
  });

  test("each call is told while the run goes on, in order", async () => {
    const told: CallEvent[] = [];
    await using guest = await guestWith(isolation, {
      add: fn(({ a }) => (a as number) + 1, { parameters: ["a"] }),
    });
    await guest.run("from host import add\n[add(1), add(2)]", (event) => told.push(event));
    expect(told.map((event) => [event.type, event.id, "value" in event ? event.value : undefined])).toEqual([
      ["call", 1, undefined],
      ["answer", 1, 2],
      ["call", 2, undefined],
      ["answer", 2, 3],
    ]);
  });

  test("frames that no guest of ours makes are answered, and the run goes on", async () => {
    await using guest = await guestWith(isolation, { add: fn(() => 1) });
    const source = `
import sandboa, marshal, random
random.seed(1)
kinds = set()
for i in range(2000):
    frame = random.randbytes(random.randrange(40))
    if i % 2: frame = marshal.dumps((1, 2), 4) + bytes([i % 2, i % 9]) + random.randbytes(8)
    if frame[-9:-8] != b"\\6": kinds.add(sandboa._host_call(frame)[-1])
from host import add
[sorted(kinds), add()]`;
    expect(await guest.run(source)).toEqual([[0, 2], 1]);
    expect(guest.server.malformedFrames).toBeGreaterThan(500);
  });
});
