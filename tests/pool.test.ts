// The pool: pristine interpreters, fair waiting, refusals with a name, replacement of what fell, an orderly end.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  hostFile,
  type Isolation,
  LimitError,
  OptionError,
  Pool,
  PoolError,
  type Sandbox,
  SandboxLostError,
  scratch,
} from "sandboa";
import { describe, expect, test } from "vitest";

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );
}

describe.each<Isolation>(["inline", "worker", "process"])("%s", (isolation) => {
  test("every checkout is pristine and has its own grants and limits", async () => {
    await using pool = await Pool.create({ size: 1, isolation });
    const folder = mkdtempSync(join(tmpdir(), "sandboa-pool-"));
    const made = join(folder, "made.txt");
    {
      await using first = await pool.checkout({
        env: { WHO: "first" },
        args: ["first.py"],
        files: { "/tmp": scratch({ bytes: "1 MiB" }), "/out": hostFile(made, "create") },
      });
      const plant =
        "import os, sys, json, random\nplanted = json.planted = 1\nopen('/tmp/x', 'w').close()\nos.chdir('/tmp')\n";
      await first.run(
        `${plant}open('/out', 'w').write(os.environ['WHO'])\nrandom.seed(1)\nsys.setrecursionlimit(77)`,
      );
    }
    expect(readFileSync(made, "utf8")).toBe("first");
    rmSync(folder, { recursive: true });
    await using second = await pool.checkout({ limits: { memory: "32 MiB" }, timeZone: "Europe/Berlin" });
    const probe =
      "import os, sys, json, time\n('planted' in globals(), hasattr(json, 'planted'), os.listdir('/'), dict(os.environ), sys.argv, os.getcwd(), sys.getrecursionlimit(), time.tzname[0])";
    expect((await second.run(probe)).value).toEqual([
      false,
      false,
      ["dev", "lib"],
      new Map(),
      [""],
      "/",
      1000,
      "CET",
    ]);
    const hungry = await failure(second.run("bytearray(64 << 20)"));
    expect(hungry).toMatchObject({ type: "MemoryError" });
  });

  test("after memory has grown, the next one's limit is exact again, and its size tells nothing", async () => {
    await using pool = await Pool.create({ size: 1, isolation });
    const size = "import sandboa; sandboa.usage()['memory'].used";
    let pristine: unknown;
    {
      await using before = await pool.checkout();
      pristine = (await before.run(size)).value;
    }
    {
      await using first = await pool.checkout({ limits: { memory: "128 MiB" } });
      await first.run("x = bytearray(60 << 20)");
    }
    await using second = await pool.checkout({ limits: { memory: "32 MiB" } });
    expect((await second.run(size)).value).toBe(pristine);
    expect(await failure(second.run("bytearray(40 << 20)"))).toMatchObject({ type: "MemoryError" });
  });

  test("what a guest broke is replaced before the next caller notices", async () => {
    await using pool = await Pool.create({ size: 1, isolation });
    for (const source of ["import os; os._exit(3)", "import os; os.abort()", "while True: pass"]) {
      await using sandbox = await pool.checkout({ limits: { wall: "200 ms" } });
      const error = await failure(sandbox.run(source));
      expect(error instanceof SandboxLostError || error instanceof LimitError, String(error)).toBe(true);
    }
    await using sandbox = await pool.checkout();
    expect((await sandbox.run("6 * 7")).value).toBe(42);
  });

  test("a leased sandbox can be reset after it was lost", async () => {
    await using pool = await Pool.create({ size: 1, isolation });
    await using sandbox = await pool.checkout({ env: { A: "1" } });
    await failure(sandbox.run("import os; os._exit(3)"));
    expect(sandbox.state).toBe("lost");
    await sandbox.reset();
    expect((await sandbox.run("import os; dict(os.environ)")).value).toEqual(new Map([["A", "1"]]));
  });
});

test("who waits longest is served first, and a full queue refuses", async () => {
  await using pool = await Pool.create({ size: 1, queue: 2 });
  const first = await pool.checkout();
  const order: string[] = [];
  const wait = async (name: string): Promise<void> => {
    await using _sandbox = await pool.checkout();
    order.push(name);
  };
  const waiting = [wait("a"), wait("b")];
  const error = await failure(pool.checkout());
  expect(error).toBeInstanceOf(PoolError);
  expect(error).toMatchObject({ code: "POOL_FULL", sandbox: "none" });
  expect(pool.state()).toMatchObject({ leased: 1, waiting: 2 });
  await first.close();
  await Promise.all(waiting);
  expect(order).toEqual(["a", "b"]);
});

test("a checkout that waits can be withdrawn, and leaves its place to the next", async () => {
  await using pool = await Pool.create({ size: 1 });
  const first = await pool.checkout();
  const stop = new AbortController();
  const withdrawn = failure(pool.checkout({ signal: stop.signal }));
  const next = pool.checkout();
  stop.abort("changed my mind");
  expect(await withdrawn).toMatchObject({ code: "POOL_CANCELLED", cause: "changed my mind" });
  await first.close();
  await using second = await next;
  expect((await second.run("1")).value).toBe(1);
});

test("bad options are refused before anything waits", async () => {
  await using pool = await Pool.create({ size: 1 });
  await using _busy = await pool.checkout();
  expect(await failure(pool.checkout({ limits: { wall: "soon" } }))).toBeInstanceOf(OptionError);
  expect(await failure(pool.checkout({ limits: { fuel: 10_000 } }))).toMatchObject({ option: "limits.fuel" });
  expect(await failure(pool.checkout({ isolation: "inline" } as never))).toMatchObject({
    option: "isolation",
  });
  for (const options of [
    { size: 0 },
    { size: 1, warm: 2 },
    { queue: -1 },
    { isolation: "cage" },
    { programs: "quick" },
  ] as never[])
    expect(await failure(Pool.create(options))).toBeInstanceOf(OptionError);
});

test("closing refuses who waits, and waits for who works", async () => {
  const pool = await Pool.create({ size: 1 });
  const busy: Sandbox = await pool.checkout();
  const refused = failure(pool.checkout());
  let closed = false;
  const closing = pool.close().then(() => {
    closed = true;
  });
  expect(await refused).toMatchObject({ code: "POOL_CLOSED" });
  expect((await busy.run("'still here'")).value).toBe("still here");
  expect(closed).toBe(false);
  await busy.close();
  await closing;
  expect(await failure(pool.checkout())).toMatchObject({ code: "POOL_CLOSED" });
  expect(pool.state()).toEqual({ idle: 0, leased: 0, preparing: 0, waiting: 0 });
});

test("closing with grace ends who does not come back", async () => {
  const pool = await Pool.create({ size: 1 });
  const busy = await pool.checkout({ limits: { wall: "60 s" } });
  const run = failure(busy.run("import time; time.sleep(60)"));
  await pool.close({ grace: "50 ms" });
  expect(await run).toMatchObject({ code: "SANDBOX_CLOSED" });
});

test("two sandboxes at once, one of them hostile: the other's results are its own", async () => {
  await using pool = await Pool.create({ size: 2 });
  await using hostile = await pool.checkout({ limits: { wall: "1500 ms" } });
  await using honest = await pool.checkout();
  const attack = failure(
    hostile.run("x = []\nwhile True:\n  try: x.append(bytearray(1 << 20))\n  except MemoryError: x.clear()"),
  );
  for (let i = 1; i < 20; i++) expect((await honest.run(`sum(range(${i}))`)).value).toBe((i * (i - 1)) / 2);
  expect(await attack).toMatchObject({ limit: "wall" });
});

test("members grow old and are replaced", async () => {
  await using pool = await Pool.create({ size: 1, recycleAfter: 2 });
  for (let i = 0; i < 5; i++) {
    await using sandbox = await pool.checkout();
    expect((await sandbox.run(`${i}`)).value).toBe(i);
  }
});
