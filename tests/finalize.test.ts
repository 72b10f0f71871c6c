// What `finalize` does at the end of a program is what python3 does: each of these programs gives the same under CPython.
import { Sandbox, scratch } from "sandboa";
import { describe, expect, test } from "vitest";

const files = { "/w": scratch({ bytes: "1 MiB" }) };

describe.each(["inline", "worker", "process"] as const)("behind the wall %s", (isolation) => {
  test.each([
    ["a file that nobody closed", "f = open('/w/a', 'w')\nf.write('data')", "", "data"],
    [
      "and one that a function refers to",
      "def user(): return f\nf = open('/w/a', 'w')\nf.write('data')",
      "",
      "data",
    ],
    [
      "and one that the last expression gives",
      "f = open('/w/a', 'w')\nprint('data', file=f)\n[f]",
      "",
      "data\n",
    ],
    ["and one of an exception", "f = open('/w/a', 'w')\nf.write('data')\nraise SystemExit(0)", "", "data"],
    [
      "atexit comes first, and __del__ finds its names",
      "import atexit, os\nclass A:\n  def __del__(self): print('gone', os.getcwd(), name)\nname = 'n'\na, _b = A(), A()\natexit.register(lambda: print('exit'))\nprint('end')",
      "end\nexit\ngone / n\ngone / n\n",
      undefined,
    ],
    [
      "generators are closed",
      "def g():\n  try: yield\n  finally: print('closed', name)\nname = 'n'\ni = g()\nnext(i)",
      "closed n\n",
      undefined,
    ],
    [
      "what the library holds goes as well",
      "import sys\ndef hook(*_): return f\nsys.excepthook = hook\nf = open('/w/a', 'w')\nf.write('data')",
      "",
      "data",
    ],
    [
      "modules of the program's own end with it",
      "import sys\nopen('/w/m.py', 'x').write('f = open(\"/w/a\", \"w\")\\nf.write(\"of m\")')\nsys.path.append('/w')\nimport m",
      "",
      "of m",
    ],
    [
      "a replaced stdout is flushed",
      "import sys\nsys.stdout = open('/w/a', 'w')\nprint('told')",
      "",
      "told\n",
    ],
  ])("%s", async (_, source, stdout, content) => {
    await using sandbox = await Sandbox.create({ isolation, files });
    const run = await sandbox.run(source, { finalize: true }).catch((error) => error);
    expect(run).toMatchObject({ exitCode: 0, stdout, stderr: "" });
    if (content !== undefined) expect(await sandbox.files.readText("/w/a")).toBe(content);
  });

  test("the next run finds an empty __main__, and all that the library has", async () => {
    await using sandbox = await Sandbox.create({ isolation, files });
    for (let run = 0; run < 3; run++) {
      const source = "import json, gc\nassert 'x' not in globals(), x\nx = [1]\njson.dumps(x)";
      expect((await sandbox.run(source, { finalize: true })).value).toBe("[1]");
    }
    expect((await sandbox.run("__name__, 'x' in globals()")).value).toEqual(["__main__", false]);
    await sandbox.run("import sys; sys.modules['__main__'] = 5; y = 1", { finalize: true });
    expect((await sandbox.run("1 + 1")).value).toBe(2);
  });

  test("without it everything stays", async () => {
    await using sandbox = await Sandbox.create({ isolation, files });
    await sandbox.run("f = open('/w/a', 'w')\nf.write('data')");
    expect((await sandbox.run("f.closed, f.name")).value).toEqual([false, "/w/a"]);
  });
});

test.each([
  ["a task that is cancelled calls sys.exit(3)", "sys.exit(3)", "pass", { exitCode: 3 }],
  ["its loop cannot end", "pass", "loop.shutdown_asyncgens = lambda: 1 / 0", { type: "ZeroDivisionError" }],
])("%s: all else still ends as it should", async (_, cancelled, act, ending) => {
  await using sandbox = await Sandbox.create({ files });
  const source = `import asyncio, atexit, sys
atexit.register(print, "atexit")
f = open("/w/a", "w"); f.write("data")
async def background():
  try: await asyncio.sleep(100)
  except asyncio.CancelledError: ${cancelled}
t = asyncio.create_task(background())
await asyncio.sleep(0)
loop = asyncio.get_running_loop()
${act}`;
  const run = await sandbox.run(source, { finalize: true }).catch((error) => error);
  expect(run).toMatchObject({ stdout: "atexit\n", ...ending });
  expect(await sandbox.files.readText("/w/a")).toBe("data");
  expect((await sandbox.run("'t' in globals()")).value).toBe(false);
});

test.each([
  "pass",
  "raise SystemExit(3)",
  "raise KeyError('k')",
  "import sys; sys.exit('text')",
  "def f(): 1/0\nf()",
])("__del__ finds the names of its program, however that ends: %s", async (end) => {
  await using sandbox = await Sandbox.create({ isolation: "inline" });
  const source = `class D:\n  def __del__(self): print("del", name)\nname, d = "n", D()\n${end}`;
  const ended = await sandbox.run(source, { finalize: true }).catch((error) => error);
  expect(ended.stdout).toBe("del n\n");
});

test("what is dropped with the last of a program warns where CPython has no place any more", async () => {
  await using sandbox = await Sandbox.create({ isolation: "inline" });
  const warning = "<sys>:0: RuntimeWarning: coroutine 'f' was never awaited\n";
  const kept = await sandbox.run("async def f(): pass\nkept = f()", { finalize: true });
  expect(kept.stderr).toMatch(new RegExp(`^${warning}`));
  const value = await sandbox.run("async def f(): pass\nf()");
  expect(value.stderr).toMatch(new RegExp(`^${warning}`));
});

test("a limit also stops what runs at the end", async () => {
  await using sandbox = await Sandbox.create({ limits: { wall: "1 s" } });
  const source = "class A:\n  def __del__(self):\n    while True: pass\na = A()";
  await expect(sandbox.run(source, { finalize: true })).rejects.toMatchObject({ code: "LIMIT_WALL" });
});
