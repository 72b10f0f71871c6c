// Pools whose walls fall, whose starts fail, and that are closed in the middle of things: everybody is told, and nothing is left.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Pool, type Sandbox } from "sandboa";
import { expect, test, vi } from "vitest";
import { children } from "./children-fixture.ts";

const library = pathToFileURL(resolve(import.meta.dirname, "..", "dist", "index.js")).href;

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("a start that failed is tried again, though nobody asks", async () => {
  await using pool = await Pool.create({ size: 1, queue: 0, isolation: "process" });
  const known = new Set<number>();
  // The one that is idle, and the one that is started in its place.
  for (let killed = 0; killed < 2; ) {
    const child = children().find((pid) => !known.has(pid));
    if (child === undefined) {
      await pause(1);
      continue;
    }
    known.add(child);
    process.kill(child, "SIGKILL");
    killed += 1;
  }
  await vi.waitFor(() => expect(pool.state()).toMatchObject({ idle: 0, preparing: 0 }), 20_000);
  await vi.waitFor(() => expect(pool.state()).toMatchObject({ idle: 1 }), 20_000);
  await using sandbox = await pool.checkout();
  expect((await sandbox.run("6 * 7")).value).toBe(42);
});

test("a sandbox that is closed while it is reset was closed, and gives back what it had", async () => {
  await using pool = await Pool.create({ size: 1 });
  for (const delayMs of [0, 1, 5, 20]) {
    const sandbox = await pool.checkout();
    await sandbox.run("x = 1");
    const reset = code(sandbox.reset());
    await pause(delayMs);
    await sandbox.close();
    expect(["done", "SANDBOX_CLOSED"]).toContain(await reset);
  }
  const sandbox = await pool.checkout();
  await sandbox.run("x = 1");
  const reset = sandbox.reset();
  void sandbox.close();
  await expect(reset).rejects.toThrow("the sandbox was closed");
});

test("a grace of a month is no grace of a millisecond", async () => {
  const pool = await Pool.create({ size: 1 });
  const sandbox = await pool.checkout();
  const closing = pool.close({ grace: "720 h" });
  expect((await sandbox.run("import time; time.sleep(0.1); 5")).value).toBe(5);
  await sandbox.close();
  await closing;
});

/** In a process of its own, where nothing is warm and no other thread comes or goes. */
const warmingUp = `
import { readdirSync } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
const { Pool } = await import(${JSON.stringify(library)});
const threads = () => readdirSync("/proc/self/task").length;
// Node's own four come with the first work for them.
await stat(".");
const before = threads();
const code = (promise) => promise.then(() => "done", (error) => error.code);
const ends = [];
// Sooner or later: while a thread starts, and while it is warmed. The last one may be ready by then.
for (const ms of [0, 200, 400, 700]) {
  const pool = await Pool.create({ size: 2, warm: 0 });
  const checkouts = [code(pool.checkout()), code(pool.checkout())];
  while (threads() < before + 2) await pause(5);
  await pause(ms);
  await pool.close({ grace: 0 });
  // A thread ends a moment after its exit is announced.
  for (let tries = 0; threads() > before && tries < 100; tries++) await pause(20);
  ends.push({ left: threads() - before, codes: await Promise.all(checkouts) });
}
const next = await Pool.create({ size: 1 });
const sandbox = await next.checkout();
const { value } = await sandbox.run("6 * 7");
console.log(JSON.stringify({ ends, value }));`;

test.runIf(existsSync("/proc/self/task"))("closed while it warms up, a pool leaves no thread behind", () => {
  const ended = spawnSync(process.execPath, ["--input-type=module", "-e", warmingUp], {
    encoding: "utf8",
    // Without optimised code from the cache.
    env: { ...process.env, SANDBOA_ENGINE_FLAGS: "none" },
  });
  expect(ended.stderr).toBe("");
  const { ends, value } = JSON.parse(ended.stdout) as {
    ends: { left: number; codes: string[] }[];
    value: number;
  };
  expect(ends.map(({ left }) => left)).toEqual([0, 0, 0, 0]);
  expect(ends[0]?.codes).toEqual(["POOL_CLOSED", "POOL_CLOSED"]);
  // The warm-up that was broken off is not the next pool's failure.
  expect(value).toBe(42);
});

/** Ends the process behind a sandbox. */
async function killChild(known: Set<number>): Promise<void> {
  const child = children().find((pid) => !known.has(pid)) ?? 0;
  expect(child).toBeGreaterThan(0);
  process.kill(child, "SIGKILL");
  known.add(child);
}

test("a sandbox whose wall falls between two runs says so", async () => {
  const known = new Set(children());
  await using pool = await Pool.create({ size: 1, isolation: "process" });
  await using sandbox = await pool.checkout();
  await sandbox.run("1");
  await killChild(known);
  await vi.waitFor(() => expect(sandbox.state).toBe("lost"), 20_000);
  expect(await code(sandbox.run("1"))).toBe("SANDBOX_CRASHED");
  await sandbox.reset();
  expect((await sandbox.run("1")).value).toBe(1);
  // And the second wall of the same sandbox.
  await killChild(known);
  await vi.waitFor(() => expect(sandbox.state).toBe("lost"), 20_000);
});

test("a sandbox that its pool has ended is lost, and is not made anew", async () => {
  const known = new Set(children());
  const pool = await Pool.create({ size: 1, isolation: "process" });
  const sandbox: Sandbox = await pool.checkout();
  await pool.close({ grace: 0 });
  expect(sandbox.state).toBe("lost");
  expect(await code(sandbox.run("1"))).toBe("SANDBOX_CLOSED");
  expect(await code(sandbox.files.stat("/lib"))).toBe("SANDBOX_CLOSED");
  const reset = code(sandbox.reset());
  expect(children().filter((pid) => !known.has(pid))).toEqual([]);
  expect(await reset).toBe("SANDBOX_CLOSED");
  expect(children().filter((pid) => !known.has(pid))).toEqual([]);
  await sandbox.close();
});
