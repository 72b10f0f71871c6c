// Calls that are under way when the sandbox around them ends, is reset, or goes back to its pool: each is called once and aborted, and its
// answer reaches nobody.
import { GuestException, hostFunction, Pool, Sandbox, type SandboxEvent } from "sandboa";
import { describe, expect, test } from "vitest";
import { walls } from "./functions-fixture.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function slow() {
  const calls: AbortSignal[] = [];
  const wait = hostFunction({
    parameters: { type: "object", properties: { ms: { type: "integer" } }, required: ["ms"] },
    execute: async ({ ms }, { signal }) => {
      calls.push(signal);
      await sleep(ms as number);
      return ms;
    },
  });
  const called = async (): Promise<void> => {
    while (calls.length === 0) await sleep(1);
  };
  return { calls, wait, called };
}

describe.each(walls)("%s", (isolation) => {
  test("closing ends a run that waits for a call, and aborts the call", async () => {
    const { calls, wait, called } = slow();
    const sandbox = await Sandbox.create({ isolation, functions: { wait } });
    const run = sandbox.run("from host import wait\nawait wait(2000)").catch((error: unknown) => error);
    await called();
    await sandbox.close();
    expect(await run).toMatchObject({ code: "SANDBOX_CLOSED" });
    expect(calls.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test("an answer that comes after a reset reaches nobody, and is told", async () => {
    const { calls, wait } = slow();
    const events: SandboxEvent[] = [];
    await using sandbox = await Sandbox.create({
      isolation,
      functions: { wait },
      onEvent: (event) => events.push(event),
    });
    const begin =
      "import asyncio\nfrom host import wait\nt = asyncio.ensure_future(wait(50))\nawait asyncio.sleep(0)\nNone";
    await sandbox.run(begin);
    await sandbox.reset();
    expect(await sandbox.run("from host import wait\n[await wait(150), len(dir())]")).toMatchObject({
      value: [150, expect.any(Number)],
    });
    expect(calls.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(events).toMatchObject([{ type: "fault", path: "host.wait" }]);
  });

  test("the next user of a pool's member has neither functions nor answers of the one before", async () => {
    const { wait, called } = slow();
    await using pool = await Pool.create({ isolation, size: 1 });
    const first = await pool.checkout({ functions: { wait } });
    await first.run(
      "import asyncio\nfrom host import wait\nt = asyncio.ensure_future(wait(30))\nawait asyncio.sleep(0)\nNone",
    );
    await called();
    await first.close();
    await using second = await pool.checkout({});
    await sleep(50);
    const source =
      "import sys\ntry: import host\nexcept ModuleNotFoundError as error: seen = str(error)\n[seen, 't' in globals()]";
    expect(await second.run(source)).toMatchObject({ value: ["No module named 'host'", false] });
  });

  test("what is held for calls is host memory, and is given back", async () => {
    const waiting: ((value: number) => void)[] = [];
    const functions = {
      hold: hostFunction(async () => new Promise((resolve) => waiting.push(resolve)), {
        limits: { concurrency: "unlimited" },
      }),
      go: hostFunction(() => {
        for (const resolve of waiting.splice(0)) resolve(1);
      }),
    };
    await using sandbox = await Sandbox.create({ isolation, functions, limits: { hostMemory: "4 MiB" } });
    const source = `
import asyncio
from host import hold, go
async def several(count):
    tasks = [asyncio.ensure_future(hold()) for i in range(count)]
    await asyncio.sleep(0)
    for task in tasks[:4]: task.cancel()
    await asyncio.sleep(0)
    go()
    return {type(one).__name__ for one in await asyncio.gather(*tasks, return_exceptions=True)}
[await several(200), await several(9_000), await several(200)]`;
    expect(await sandbox.run(source)).toMatchObject({
      value: [
        new Set(["int", "CancelledError"]),
        new Set(["int", "CancelledError", "MemoryError"]),
        new Set(["int", "CancelledError"]),
      ],
    });
    expect(sandbox.usage().hostMemoryBytes).toBe(0);
  });

  test("a chosen exception is one in the guest", async () => {
    const functions = {
      refuse: hostFunction(() => {
        throw new GuestException("QuotaError", "no more");
      }),
    };
    await using sandbox = await Sandbox.create({ isolation, functions });
    await expect(sandbox.run("import host\nhost.refuse()")).rejects.toMatchObject({
      type: "host.QuotaError",
      pythonMessage: "no more",
    });
  });
});
