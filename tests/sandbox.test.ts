// The public API as users meet it: the built package, real worker threads, the real interpreter.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  hostFile,
  type Isolation,
  LimitError,
  memoryFile,
  OpaqueValue,
  OptionError,
  PythonError,
  RunError,
  Sandbox,
  SandboxLostError,
  type SandboxOptions,
  scratch,
} from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );
}

describe.each<Isolation>(["inline", "worker", "process"])("%s", (isolation) => {
  const create = (options: SandboxOptions = {}): Promise<Sandbox> =>
    Sandbox.create({ isolation, ...options });

  describe("a run", () => {
    test("gives the value of the last expression, and keeps variables", async () => {
      await using sandbox = await create();
      expect((await sandbox.run("x = 20\nx + 1")).value).toBe(21);
      const run = await sandbox.run("print('hi'); x * y", { inputs: { y: 2 } });
      expect(run).toMatchObject({ value: 40, stdout: "hi\n", stderr: "", exitCode: 0 });
      expect((await sandbox.run("z = 1")).value).toBe(null);
    });

    test("carries plain values both ways", async () => {
      await using sandbox = await create();
      const value = [
        "a\u{1f40d}",
        2n ** 80n,
        -0.5,
        true,
        null,
        new Uint8Array([0, 255]),
        new Map([["k", [1]]]),
        new Set([1]),
      ];
      expect((await sandbox.run("value", { inputs: { value } })).value).toEqual(value);
      const opaque = (await sandbox.run("import fractions; [fractions.Fraction(1, 3)]")).value;
      expect(opaque).toEqual([new OpaqueValue("Fraction", "Fraction(1, 3)")]);
      const hashable = "class L(list):\n    __hash__ = object.__hash__\n    __repr__ = lambda self: 'L()'\n";
      expect((await sandbox.run(`${hashable}{L(): 1}`)).value).toEqual(
        new Map([[new OpaqueValue("L", "L()"), 1]]),
      );
      const proto = (await sandbox.run("{'__proto__': 1}")).value;
      expect(proto).toEqual(new Map([["__proto__", 1]]));
    });

    test("supports top-level await and asyncio.run", async () => {
      await using sandbox = await create();
      const gather = "import asyncio\nasync def f(i):\n    await asyncio.sleep(0.01)\n    return i\n";
      const awaited = await sandbox.run(`${gather}await asyncio.gather(f(1), f(2))`);
      expect(awaited.value).toEqual([1, 2]);
      expect((await sandbox.run(`${gather}asyncio.run(asyncio.wait_for(f(3), 1))`)).value).toBe(3);
    });

    test("reports exceptions with source lines, carets and nothing of the host", async () => {
      await using sandbox = await create();
      const error = await failure(sandbox.run("def f():\n    return 1 / 0\nf()"));
      expect(error).toBeInstanceOf(PythonError);
      expect(error).toMatchObject({
        type: "ZeroDivisionError",
        pythonMessage: "division by zero",
        sandbox: "usable",
      });
      expect((error as PythonError).traceback).toBe(
        'Traceback (most recent call last):\n  File "<run 1>", line 3, in <module>\n    f()\n    ~^^\n' +
          '  File "<run 1>", line 2, in f\n    return 1 / 0\n           ~~^~~\nZeroDivisionError: division by zero\n',
      );
      expect((await sandbox.run("1")).value).toBe(1);
    });

    test("SystemExit gives its code", async () => {
      await using sandbox = await create();
      expect((await sandbox.run("import sys; sys.exit(7)")).exitCode).toBe(7);
      expect(await sandbox.run("sys.exit('bye')")).toMatchObject({ exitCode: 1, stderr: "bye\n" });
    });
  });

  describe("files", () => {
    test("exactly the granted file can be read, and nothing beside it", async () => {
      const path = join(folder, "in.csv");
      writeFileSync(path, "a,b\n1,2\n");
      writeFileSync(join(folder, "secret.csv"), "secret");
      await using sandbox = await create({ files: { "/in/data.csv": hostFile(path, "read") } });
      expect((await sandbox.run("open('/in/data.csv').read()")).value).toBe("a,b\n1,2\n");
      expect((await sandbox.run("import os; os.listdir('/in')")).value).toEqual(["data.csv"]);
      for (const [source, type] of [
        ["open('/in/data.csv', 'w')", "PermissionError"],
        ["open('/in/data.csv', 'a')", "PermissionError"],
        ["os.remove('/in/data.csv')", "PermissionError"],
        ["open('/in/secret.csv')", "FileNotFoundError"],
        [`open(${JSON.stringify(path)})`, "FileNotFoundError"],
        ["open('/in/new', 'w')", "PermissionError"],
      ] as const) {
        expect(await failure(sandbox.run(source)), source).toMatchObject({ type });
      }
      expect(readFileSync(path, "utf8")).toBe("a,b\n1,2\n");
    });

    test("write, append and create do what they say and no more", async () => {
      const [written, appended, created] = ["w.txt", "a.txt", "c.txt"].map((name) =>
        join(folder, `${isolation}-${name}`),
      ) as [string, string, string];
      writeFileSync(written, "old content");
      writeFileSync(appended, "first\n");
      await using sandbox = await create({
        files: {
          "/w": hostFile(written, "write", { bytes: 8 }),
          "/a": hostFile(appended, "append"),
          "/c": hostFile(created, "create"),
        },
      });
      expect(await failure(sandbox.run("open('/w').read()"))).toMatchObject({ type: "PermissionError" });
      await sandbox.run("with open('/w', 'w') as f: f.write('new')");
      expect(readFileSync(written, "utf8")).toBe("new");
      expect(await failure(sandbox.run("with open('/w', 'w') as f: f.write('123456789')"))).toMatchObject({
        type: "OSError",
      });
      await sandbox.run("with open('/a', 'a') as f: f.write('second\\n')");
      expect(readFileSync(appended, "utf8")).toBe("first\nsecond\n");
      expect(await failure(sandbox.run("open('/a', 'w')"))).toMatchObject({ type: "PermissionError" });
      expect(existsSync(created)).toBe(false);
      expect((await sandbox.run("import os; os.path.exists('/c')")).value).toBe(false);
      await sandbox.run("with open('/c', 'x') as f: f.write('made')");
      expect(readFileSync(created, "utf8")).toBe("made");
      expect((await sandbox.run("open('/c').read()")).value).toBe("made");
      const again = await failure(create({ files: { "/c": hostFile(created, "create") } }));
      expect(again).toBeInstanceOf(OptionError);
    });

    test("memory files are read-only, scratch is bounded", async () => {
      await using sandbox = await create({
        files: { "/m": memoryFile("text"), "/tmp": scratch({ bytes: "64 KiB" }) },
      });
      expect((await sandbox.run("open('/m').read()")).value).toBe("text");
      expect(await failure(sandbox.run("open('/m', 'w')"))).toMatchObject({ type: "PermissionError" });
      expect(
        (await sandbox.run("import tempfile\nwith tempfile.TemporaryFile() as f: n = f.write(b'x')\nn"))
          .value,
      ).toBe(1);
      const full = await failure(sandbox.run("with open('/tmp/big', 'wb') as f: f.write(bytes(1 << 20))"));
      expect(full).toMatchObject({ type: "OSError" });
      expect((full as PythonError).pythonMessage).toContain("No space left on device");
    });
  });

  describe("limits", () => {
    test.each([
      ["a Python loop", "while True: pass"],
      ["a C loop", "sum(range(10**12))"],
      [
        "swallowed interrupts",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
      ],
      ["sleep", "import time; time.sleep(1000)"],
      ["poll", "import select; select.poll().poll()"],
    ])("wall time ends %s", async (_name, source) => {
      await using sandbox = await create({ limits: { wall: "300 ms" } });
      const error = await failure(sandbox.run(`print('before', flush=True)\n${source}`));
      expect(error).toBeInstanceOf(LimitError);
      expect(error).toMatchObject({ limit: "wall", budget: 300, sandbox: "lost", stdout: "before\n" });
      expect(await failure(sandbox.run("1"))).toBeInstanceOf(SandboxLostError);
      await sandbox.reset();
      expect((await sandbox.run("1 + 1")).value).toBe(2);
    });

    test.each([
      "s = set()\nwhile True: s.add(str(len(s)) * 100)",
      "l = []\nwhile True: l.append(str(len(l)) * 100)",
    ])("whoever fills the memory to the last byte is told where: %s", async (source) => {
      await using sandbox = await Sandbox.create({ isolation, limits: { memory: "48 MiB" } });
      const error = await failure(sandbox.run(source));
      expect(error).toMatchObject({ type: "MemoryError", sandbox: "usable" });
      expect((error as PythonError).traceback).toContain("line 2, in <module>");
    });

    test("memory is exact: the guest gets MemoryError and lives", async () => {
      await using sandbox = await create({ limits: { memory: "64 MiB" } });
      const error = await failure(sandbox.run("x = []\nwhile True: x.append(bytearray(1 << 20))"));
      expect(error).toMatchObject({ type: "MemoryError", sandbox: "usable" });
      const run = await sandbox.run("n = len(x); del x; n");
      expect(run.value).toBeGreaterThan(25);
      expect(run.usage.memoryBytes).toBeLessThanOrEqual(64 * 2 ** 20);
    });

    test("output ends a flood, with what was written before", async () => {
      await using sandbox = await create({ limits: { output: "100 KiB" } });
      const error = await failure(sandbox.run("import os\nwhile True: os.write(1, b'x' * 1000)"));
      expect(error).toMatchObject({ name: "LimitError", limit: "output", budget: 102_400 });
      expect((error as { stdout: string }).stdout.length).toBe(102_400);
    });
  });

  describe("crashes", () => {
    test.each([
      ["os._exit", "import os; os._exit(9)", { code: "SANDBOX_EXITED", exitCode: 9 }],
      ["abort", "import os; os.abort()", { code: "SANDBOX_ABORTED" }],
      ["a fault", "import faulthandler; faulthandler._sigsegv()", { code: "SANDBOX_ABORTED" }],
      ["C recursion", "x = ()\nfor i in range(10**6): x = (x,)\ndel x", { code: "SANDBOX_CRASHED" }],
    ])("%s is a typed error, and the next sandbox works", async (_name, source, expected) => {
      await using sandbox = await create();
      const error = await failure(sandbox.run(source));
      expect(error).toBeInstanceOf(SandboxLostError);
      expect(error).toMatchObject(expected);
      await sandbox.reset();
      expect((await sandbox.run("'alive'")).value).toBe("alive");
    });
  });

  describe("reset", () => {
    test("leaves nothing of what a run planted", async () => {
      await using sandbox = await create({
        files: { "/tmp": scratch({ bytes: "1 MiB" }) },
        env: { KEEP: "1" },
      });
      const plant = `
import atexit, builtins, gc, os, random, signal, sys, json
builtins.planted = sys.planted = json.planted = 1
os.environ["PLANTED"] = "1"; os.chdir("/tmp"); open("/tmp/planted", "w").write("x")
signal.signal(signal.SIGTERM, lambda *a: print("planted")); atexit.register(print, "planted")
random.seed(1); sys.setrecursionlimit(123); sys.path.append("/planted"); sys.modules["planted"] = sys
marker = "planted-" + "marker" * 10; blob = bytearray(b"PLANTED" * 100_000); fd = os.open("/tmp/planted", os.O_RDONLY)
sys.stdout.write("partial"); os.umask(0o777)
`;
      const probe = `
import builtins, os, signal, sys, json, random, atexit
found = [name for name, there in {
    "builtins": hasattr(builtins, "planted"), "sys": hasattr(sys, "planted"), "json": hasattr(json, "planted"),
    "global": "marker" in globals(), "env": dict(os.environ) != {"KEEP": "1"}, "cwd": os.getcwd() != "/",
    "umask": os.umask(0o022) != 0o022, "file": os.listdir("/tmp") != [], "path": "/planted" in sys.path,
    "module": "planted" in sys.modules, "limit": sys.getrecursionlimit() != 1000,
    "signal": signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL, "atexit": atexit._ncallbacks() != 0,
}.items() if there]
for n in range(3, 64):
    try: os.fstat(n); found.append(f"fd {n}")
    except OSError: pass
(found, random.random())`;
      await sandbox.run(plant);
      await sandbox.reset();
      const [first, firstRandom] = (await sandbox.run(probe)).value as [string[], number];
      await sandbox.run(plant);
      await sandbox.reset();
      const [second, secondRandom] = (await sandbox.run(probe)).value as [string[], number];
      expect([first, second]).toEqual([[], []]);
      expect(firstRandom).not.toBe(secondRandom);
    });
  });
});

// An inline guest has the thread in which a signal would fire: there is nobody to cancel it.
describe.each<Isolation>(["worker", "process"])("%s, from outside", (isolation) => {
  test.each([
    ["sleeps", "import time; time.sleep(60)"],
    ["polls", "import select; select.poll().poll()"],
    ["loops in Python", "while True: pass"],
    ["loops in C", "sum(range(10**12))"],
    ["writes without end", "while True: print('x')"],
  ])("an abort signal stops a guest that %s", async (_name, source) => {
    await using sandbox = await Sandbox.create({ isolation, limits: { wall: "30 s", output: "500 MiB" } });
    const stop = new AbortController();
    setTimeout(() => stop.abort("no longer needed"), 50);
    const error = await failure(sandbox.run(source, { signal: stop.signal }));
    expect(error).toBeInstanceOf(RunError);
    expect(error).toMatchObject({ code: "RUN_CANCELLED", cause: "no longer needed", sandbox: "lost" });
    expect(await failure(sandbox.run("1", { signal: stop.signal }))).toBeInstanceOf(SandboxLostError);
    await sandbox.reset();
    expect((await sandbox.run("1")).value).toBe(1);
  });

  test("closing while a run is under way fails the run, and the process ends in peace", async () => {
    const script = `
    const { Sandbox } = await import("sandboa");
    const sandbox = await Sandbox.create({ isolation: "${isolation}" });
    const run = sandbox.run("import time; time.sleep(60)").catch((error) => error.code);
    await sandbox.close();
    console.log(await run);`;
    const ended = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(ended).toMatchObject({ status: 0, stdout: "SANDBOX_CLOSED\n" });
  });
});

test("an error of a run carries what the run wrote and used, by its type as well", async () => {
  await using sandbox = await Sandbox.create();
  const error = await failure(sandbox.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n1/0"));
  if (!(error instanceof PythonError)) return expect.unreachable(String(error));
  expect([error.stdout, error.stderr, error.usage?.outputBytes]).toEqual(["out\n", "err\n", 8]);
});

describe("two sandboxes", () => {
  test("share nothing and draw different random numbers and hash seeds, and so does a reset", async () => {
    await using a = await Sandbox.create();
    await using b = await Sandbox.create({ limits: { wall: "30 s" } });
    const draw =
      "import random, os, uuid; (random.random(), os.urandom(8), str(uuid.uuid4()), hash('a'), hash('some text'), hash(b'b'))";
    const [left, right] = await Promise.all([a.run(draw), b.run(draw)]);
    await a.reset();
    const again = await a.run(draw);
    const [l, r, n] = [left, right, again].map((run) => run.value as unknown as unknown[]);
    for (let i = 0; i < 6; i++) expect(new Set([l, r, n].map((values) => String(values?.[i]))).size).toBe(3);
  });
});

describe("bad options", () => {
  test.each([
    [{ limits: { memory: "1 KiB" } }, "limits.memory"],
    [{ limits: { wall: "soon" } }, "limits.wall"],
    [{ limits: { cpus: 4 } }, "limits.cpus"],
    [{ file: {} }, "file"],
    [{ files: { "in.csv": memoryFile("") } }, 'files["in.csv"]'],
    [{ files: { "/a/../b": memoryFile("") } }, 'files["/a/../b"]'],
    [{ files: { "/lib/python3.14/os.py": memoryFile("") } }, 'files["/lib/python3.14/os.py"]'],
    [{ files: { "/x": {} } }, 'files["/x"]'],
    [{ files: { "/x": hostFile("/no/such/file", "read") } }, 'files["/x"]'],
    [{ files: { "/x": hostFile("/dev/null", "read") } }, 'files["/x"]'],
    [{ timeZone: "Mars/Olympus" }, "timeZone"],
    [{ clock: "fast" }, "clock"],
    [{ modules: ["os"] }, "modules"],
    [{ env: { "A=B": "1" } }, 'env["A=B"]'],
  ])("%j names %s", async (options, option) => {
    const error = await failure(Sandbox.create(options as never));
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ code: "BAD_OPTION", option });
  });
});
