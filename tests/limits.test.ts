// Limits and usage, the same behind all three walls.
import {
  type Isolation,
  LimitError,
  type Limits,
  OptionError,
  PythonError,
  Sandbox,
  SandboxLostError,
  scratch,
  type Usage,
} from "sandboa";
import { describe, expect, test } from "vitest";

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );
}

/** What the same program had printed when its fuel was spent: the same behind every wall. */
const fuelEnds = new Set<unknown>();

describe.each<Isolation>(["inline", "worker", "process"])("%s", (isolation) => {
  const create = (limits: Limits): Promise<Sandbox> =>
    Sandbox.create({ isolation, limits, files: { "/tmp": scratch({ bytes: "1 MiB" }) } });

  test("processor time is a limit of its own: sleeping does not spend it", async () => {
    await using sandbox = await create({ cpu: "200 ms", wall: "20 s" });
    await sandbox.run("import time; time.sleep(0.4)");
    const error = await failure(sandbox.run("while True: pass"));
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ limit: "cpu", code: "LIMIT_CPU", budget: 200 });
    await sandbox.reset();
    expect((await sandbox.run("1")).value).toBe(1);
  });

  test("a soft stop gives time to tidy up, and the run says so", async () => {
    await using sandbox = await create({ wall: "200 ms", soft: { grace: "5 s" } });
    const tidy = "n = 0\ntry:\n  while True: n += 1\nexcept KeyboardInterrupt:\n  kept = 'kept'\nkept";
    expect(await sandbox.run(tidy)).toMatchObject({ value: "kept", softStop: "wall" });
    expect((await sandbox.run("kept")).value).toBe("kept");
    const sleeping = "import time\ntry:\n  time.sleep(60)\nexcept KeyboardInterrupt:\n  kept = 'woken'\nkept";
    expect(await sandbox.run(sleeping)).toMatchObject({ value: "woken", softStop: "wall" });
  });

  test("a soft stop that nobody catches is the limit's error, and the sandbox lives on", async () => {
    await using sandbox = await create({ wall: "200 ms", soft: { grace: "5 s", raise: "TimeoutError" } });
    const error = await failure(sandbox.run("x = 1\nwhile True: pass"));
    expect(error).toMatchObject({ limit: "wall", sandbox: "usable" });
    expect((error as LimitError).cause).toBeInstanceOf(PythonError);
    expect((error as LimitError).cause).toMatchObject({ type: "TimeoutError" });
    expect((await sandbox.run("x")).value).toBe(1);
  });

  test("a soft stop that is swallowed becomes a hard one", async () => {
    await using sandbox = await create({ wall: "100 ms", soft: { grace: "100 ms" } });
    const stubborn = "while True:\n  try:\n    while True: pass\n  except BaseException: pass";
    const error = await failure(sandbox.run(stubborn));
    expect(error).toMatchObject({ limit: "wall", budget: 100, sandbox: "lost" });
    expect((error as LimitError).used).toBeGreaterThanOrEqual(200);
  });

  test("fuel stops the same program at the same place, again and again", async () => {
    await using sandbox = await create({ fuel: 2_000_000 });
    const source =
      "n, d = 0, {}\nwhile True:\n  n += 1\n  d[str(n)] = {str(n), 'x', n}\n  if n % 10 == 0: print(n)";
    const ends: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const error = await failure(sandbox.run(source));
      expect(error).toMatchObject({ limit: "fuel", code: "LIMIT_FUEL", budget: 2_000_000 });
      const { used, stdout } = error as LimitError & { stdout: string };
      // A call of the kernel is charged as a whole.
      expect(used).toBeGreaterThanOrEqual(2_000_000);
      expect(used).toBeLessThan(2_001_000);
      ends.push(`${stdout}${used}`);
      await sandbox.reset();
    }
    expect(ends[0]).toMatch(/^10\n20\n/);
    expect(new Set(ends).size).toBe(1);
    fuelEnds.add(ends[0]);
    const run = await sandbox.run("sum(range(1000))");
    expect(run.usage.fuel).toBeGreaterThan(1000);
    expect(run.usage.limits.fuel).toBe(2_000_000);
  });

  test("fuel has a limit in usage only where it is counted, also before a run and when one is ended from outside", async () => {
    await using sandbox = await create({ wall: "300 ms" });
    await using counting = await Sandbox.create({ isolation, metered: true, limits: { wall: "300 ms" } });
    for (const [box, fuel] of [
      [sandbox, isolation === "inline" ? 1e12 : null],
      [counting, 1e12],
    ] as const) {
      expect(box.usage().limits.fuel).toBe(fuel);
      expect((await box.run("1")).usage.limits.fuel).toBe(fuel);
      const error = await failure(box.run("sum(iter(int, 1))"));
      expect((error as LimitError & { usage: Usage }).usage.limits.fuel).toBe(fuel);
    }
  });

  test("what the host holds is one budget", async () => {
    await using sandbox = await create({ hostMemory: "256 KiB" });
    const error = await failure(sandbox.run("with open('/tmp/f', 'wb') as f: f.write(bytes(1 << 19))"));
    expect(error).toMatchObject({ type: "OSError" });
    const { hostMemoryBytes, hostMemoryPeakBytes, limits } = sandbox.usage();
    expect(limits.hostMemoryBytes).toBe(262_144);
    expect(hostMemoryPeakBytes).toBeLessThanOrEqual(262_144);
    expect(hostMemoryBytes).toBeGreaterThan(100_000);
    await sandbox.run("import os; os.remove('/tmp/f')");
    expect(sandbox.usage().hostMemoryBytes).toBeLessThan(20_000);
  });

  test("the recursion limit is the host's choice", async () => {
    await using sandbox = await create({ recursion: 100 });
    expect((await sandbox.run("import sys; sys.getrecursionlimit()")).value).toBe(100);
    const error = await failure(sandbox.run("def f(n): return n and f(n - 1)\nf(200)"));
    expect(error).toMatchObject({ type: "RecursionError" });
  });

  test("usage tells each figure against its limit, to host and guest", async () => {
    await using sandbox = await create({ output: 1000 });
    const run = await sandbox.run(
      "import sandboa, os\nfd = os.open('/tmp/a', os.O_CREAT)\nprint('12345')\n{name: tuple(budget) for name, budget in sandboa.usage().items()}",
    );
    expect(run.usage).toMatchObject({ outputBytes: 6, openFiles: 4, files: 1 });
    expect(run.usage.limits).toMatchObject({
      outputBytes: 1000,
      openFiles: 256,
      wallMs: 10_000,
      cpuMs: 10_000,
    });
    expect(run.usage.memoryBytes).toBeGreaterThan(10 * 2 ** 20);
    expect(sandbox.usage()).toEqual(run.usage);
    const told = run.value as Map<string, readonly [number, number | null]>;
    expect(told.get("output")).toEqual([6, 1000]);
    expect(told.get("memory")).toEqual([run.usage.memoryBytes, 256 * 2 ** 20]);
    expect(told.get("open_files")).toEqual([5, 256]);
    expect(told.get("files")).toEqual([1, null]);
    const refused = await failure(sandbox.run("open('/dev/sandboa', 'w')"));
    expect(refused).toMatchObject({ type: "PermissionError" });
  });

  test("output that the embedder's own function refuses fails that run, not the process", async () => {
    await using sandbox = await create({});
    const thrown = new Error("no more, please");
    const onOutput = (): never => {
      throw thrown;
    };
    const error = await failure(sandbox.run("while True: print('x', flush=True)", { onOutput }));
    expect(error).toBe(thrown);
    await sandbox.reset();
    expect((await sandbox.run("1")).value).toBe(1);
  });
});

describe("fuel for what the host does with bytes of the guest's", () => {
  const fuelOf = async (source: string): Promise<number> => {
    const files = { "/s": scratch({ bytes: "64 MiB" }) };
    await using sandbox = await Sandbox.create({ isolation: "inline", files });
    await sandbox.run("import mmap, os\nf = open('/s/x', 'wb+'); f.truncate(32 << 20)");
    return (await sandbox.run(source)).usage.fuel ?? Number.NaN;
  };
  /** What kernel/syscalls/pieces.ts says. */
  const mappedUnits = (32 * 2 ** 20) / 64;

  test("a mapping takes as much as its bytes, and so does writing it back", async () => {
    const small = await fuelOf("m = mmap.mmap(f.fileno(), 4096)");
    const large = await fuelOf("m = mmap.mmap(f.fileno(), 0)");
    expect(large - small).toBeGreaterThan(mappedUnits * 0.99);
    const written = await fuelOf("m = mmap.mmap(f.fileno(), 0); m.flush()");
    expect(written - large).toBeGreaterThan(mappedUnits * 0.99);
  });

  test("a random byte takes no more than a call", async () => {
    const none = await fuelOf("for _ in range(1000): os.getcwd()");
    const bytes = await fuelOf("for _ in range(1000): os.urandom(1)");
    expect(bytes).toBeLessThan(2 * none);
    const many = await fuelOf("x = os.urandom(4 << 20)");
    expect(many).toBeGreaterThan((4 * 2 ** 20) / 16);
  });
});

test("a budget of fuel ends at the same place behind every wall", () => {
  expect(fuelEnds.size).toBe(1);
});

test.each([
  [{ wall: "forever" }, "limits.wall"],
  [{ fuel: 0 }, "limits.fuel"],
  [{ hostMemory: 1 }, "limits.hostMemory"],
  [{ memory: "unlimited" }, "limits.memory"],
  [{ recursion: 10 }, "limits.recursion"],
  [{ soft: {} }, "limits.soft.grace"],
  [{ soft: { grace: 1, raise: "Exception" } }, "limits.soft.raise"],
  [{ wallPausesForHost: 1 }, "limits.wallPausesForHost"],
])("%j names %s", async (limits, option) => {
  const error = await failure(Sandbox.create({ limits: limits as Limits }));
  expect(error).toBeInstanceOf(OptionError);
  expect(error).toMatchObject({ option });
});

test("an inline sandbox is metered, and says so when it is asked not to be", async () => {
  const error = await failure(Sandbox.create({ isolation: "inline", metered: false }));
  expect(error).toMatchObject({ code: "BAD_OPTION", option: "metered" });
});

test("a wall that is killed from outside is a lost sandbox, and reset makes a new one", async () => {
  await using sandbox = await Sandbox.create({ isolation: "process" });
  const pid = (await import("node:fs"))
    .readFileSync(`/proc/self/task/${process.pid}/children`, "utf8")
    .trim()
    .split(" ")
    .map(Number)
    .at(-1);
  const run = sandbox.run("import time; time.sleep(60)");
  setTimeout(() => process.kill(pid ?? 0, "SIGKILL"), 100);
  const error = await failure(run);
  expect(error).toBeInstanceOf(SandboxLostError);
  expect(error).toMatchObject({ code: "SANDBOX_CRASHED" });
  await sandbox.reset();
  expect((await sandbox.run("1")).value).toBe(1);
});
