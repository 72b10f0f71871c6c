// What usage says of calls: what the guest has asked the host, and the same behind every wall, whatever it takes to bring it across.
import { hostFunction, Sandbox } from "sandboa";
import { expect, test } from "vitest";
import { walls } from "./functions-fixture.ts";

const functions = {
  now: hostFunction((x: number) => x),
  later: hostFunction(async (x: number) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return x;
  }),
  items: hostFunction(function* () {
    yield 1;
    yield 2;
  }),
  lateItems: hostFunction(async function* () {
    yield 1;
    yield 2;
  }),
  each: hostFunction(async (f: (x: number) => Promise<number>) => (await f(1)) + (await f(2))),
};

const programs: readonly (readonly [source: string, calls: number])[] = [
  ["import asyncio, host", 0],
  ["host.now", 0],
  ["host.now(1)", 1],
  ["for i in range(10): host.now(i)", 10],
  ["await host.later(1)", 1],
  ["await asyncio.gather(*(host.later(i) for i in range(10)))", 10],
  ["task = asyncio.ensure_future(host.later(1)); await asyncio.sleep(0.001); task.cancel()", 1],
  // The third one is told that there is no more.
  ["list(host.items())", 4],
  ["[item async for item in host.lateItems()]", 4],
  ["async def f(x): return x\nawait host.each(f)", 1],
];

test.each(walls)("%s", async (isolation) => {
  await using sandbox = await Sandbox.create({ isolation, functions });
  const found: (readonly [string, number])[] = [];
  for (const [source] of programs)
    found.push([source, (await sandbox.run(source, { value: false })).usage.calls]);
  expect(found).toEqual(programs);
});
