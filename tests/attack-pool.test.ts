// A careless embedder and a pool: calls in the wrong order, from within callbacks, twice, too late. No interpreter is ever given to
// two tenants, none is lost, and close() leaves nothing behind.
import { type Isolation, Pool, type Sandbox } from "sandboa";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { firstChild } from "../src/platform/node/thread-cpu.ts";
import { children } from "./children-fixture.ts";

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );

const stray: unknown[] = [];
const note = (error: unknown): void => {
  stray.push(error);
};
beforeEach(() => {
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.off("unhandledRejection", note);
  expect(stray).toEqual([]);
});

describe.each<Isolation>(["inline", "worker", "process"])("%s", (isolation) => {
  test("closed twice at once, it goes to one tenant", async () => {
    await using pool = await Pool.create({ size: 1, isolation });
    for (let i = 0; i < 5; i++) {
      const first = await pool.checkout();
      const [a, b] = [pool.checkout(), pool.checkout()];
      await Promise.all([first.close(), first.close(), first[Symbol.asyncDispose]()]);
      const second = await a;
      await second.run(`mine = ${i}`);
      expect(pool.state()).toMatchObject({ leased: 1, idle: 0, waiting: 1 });
      expect(await code(first.run("1"))).toBe("SANDBOX_CLOSED");
      expect(await code(first.reset())).toBe("SANDBOX_CLOSED");
      await first.close();
      expect((await second.run("mine")).value).toBe(i);
      await second.close();
      await (await b).close();
    }
  });

  test.each(["run", "reset", "close", "close the pool"])("from within onOutput: %s", async (act) => {
    const pool = await Pool.create({ size: 1, isolation });
    const sandbox = await pool.checkout();
    const acts: Record<string, () => Promise<unknown>> = {
      run: () => sandbox.run("1"),
      reset: () => sandbox.reset(),
      close: () => sandbox.close(),
      "close the pool": () => pool.close({ grace: 0 }),
    };
    let inner: Promise<unknown> | undefined;
    const onOutput = (): void => {
      inner ??= code(acts[act]?.() ?? Promise.reject());
    };
    const source = "for i in range(1000): print(i, flush=True)\n'end'";
    const outer = await code(sandbox.run(source, { onOutput }));
    const busy = act === "run" || act === "reset";
    expect(await inner).toBe(busy ? "SANDBOX_BUSY" : "done");
    // Inline, nothing can happen to a run while it goes on, but what it itself asks for.
    if (busy) expect(outer).toBe("done");
    else if (act === "close") expect(["SANDBOX_CLOSED", "RUN_CANCELLED"]).toContain(outer);
    await sandbox.close();
    if (act !== "close the pool") {
      await using next = await pool.checkout();
      expect((await next.run("2")).value).toBe(2);
    }
    await pool.close();
    expect(pool.state()).toEqual({ idle: 0, leased: 0, preparing: 0, waiting: 0 });
  });

  test("used the moment it is there, given back in the middle of anything", async () => {
    await using pool = await Pool.create({ size: 2, isolation });
    const uses: ((sandbox: Sandbox) => Promise<unknown>)[] = [
      async (sandbox) => [code(sandbox.run("1")), sandbox.close()],
      async (sandbox) => [code(sandbox.reset()), sandbox.close()],
      async (sandbox) => sandbox.close(),
      async (sandbox) => [
        code(sandbox.run("import os; os._exit(1)")),
        code(sandbox.reset()),
        sandbox.close(),
      ],
      async (sandbox) => {
        await code(sandbox.run("import os; os._exit(1)"));
        const reset = code(sandbox.reset());
        await Promise.resolve();
        return [reset, sandbox.close()];
      },
      async (sandbox) => {
        const stop = new AbortController();
        const run = code(sandbox.run("while True: pass", { signal: stop.signal }));
        if (isolation !== "inline") stop.abort();
        return [run, sandbox.close()];
      },
    ];
    // Inline, an endless loop holds this thread until its limit.
    const limits = { wall: "100 ms" };
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const sandbox = await pool.checkout({ limits });
        const steps = (await uses[index % uses.length]?.(sandbox)) as Promise<unknown>[] | undefined;
        await Promise.all(steps ?? []);
        await sandbox.close();
      }),
    );
    await vi.waitFor(
      () => expect(pool.state()).toEqual({ idle: 2, leased: 0, preparing: 0, waiting: 0 }),
      20_000,
    );
    await Promise.all(
      [1, 2].map(async (n) => {
        await using sandbox = await pool.checkout();
        expect((await sandbox.run(`'planted' in globals() or ${n}`)).value).toBe(n);
      }),
    );
  });
});

test.each(["SIGKILL", "SIGSTOP"] as const)("a process that gets a %s while it waits", async (signal) => {
  const known = new Set(children());
  const newChild = (): number => {
    const child = children().find((pid) => !known.has(pid)) ?? 0;
    expect(child).toBeGreaterThan(0);
    known.add(child);
    return child;
  };
  await using pool = await Pool.create({ size: 1, isolation: "process" });
  // The second interpreter of the member: who opened it is not the pool itself.
  const sandbox = await pool.checkout({ limits: { wall: "2 s" } });
  process.kill(newChild(), "SIGKILL");
  // Long enough: the guest's own process dies with the one that was killed, a moment later.
  expect(await code(sandbox.run("import time; time.sleep(1)"))).toBe("SANDBOX_CRASHED");
  await sandbox.reset();
  await sandbox.close();
  await vi.waitFor(() => expect(pool.state().idle).toBe(1), 20_000);
  const child = newChild();
  // The one that runs the guest may be a child of that one, and stops only by itself.
  process.kill(signal === "SIGSTOP" ? (firstChild(child) ?? child) : child, signal);
  if (signal === "SIGKILL") await vi.waitFor(() => expect(children()).not.toContain(child), 5000);
  await vi.waitFor(() => expect(pool.state()).toMatchObject({ idle: 1, preparing: 0 }), 20_000);
  await using next = await pool.checkout({ limits: { wall: "1 s" } });
  // Nobody can see that a waiting process was stopped: its run ends at the limit.
  expect(await code(next.run("1"))).toBe(signal === "SIGKILL" ? "done" : "LIMIT_WALL");
});

test("when close() has resolved, nothing runs any more", async () => {
  // Those of earlier tests may not be reaped yet.
  const before = new Set(children());
  const own = () => children().filter((pid) => !before.has(pid));
  const pool = await Pool.create({ size: 3, isolation: "process" });
  const busy = await pool.checkout();
  const run = code(busy.run("while True: pass"));
  expect(own()).toHaveLength(3);
  await pool.close({ grace: "10 ms" });
  expect(own()).toEqual([]);
  expect(await run).toBe("SANDBOX_CLOSED");
});
