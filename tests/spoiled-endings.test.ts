// Programs that take away, break or watch what would tell how they ended: each ends as natively, and the sandbox goes on.
import { type Isolation, LimitError, Sandbox, scratch } from "sandboa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

let sandbox: Sandbox;
const files = { "/s": scratch({ bytes: "4 KiB" }) };
beforeAll(async () => {
  sandbox = await Sandbox.create({ files, onEvent: () => {} });
});
beforeEach(() => sandbox.reset());
afterAll(() => sandbox.close());

interface End {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number | undefined;
  readonly traceback?: string;
}
/** As a whole program. */
async function endOf(source: string, filename = "program.py"): Promise<End> {
  return sandbox.run(source, { filename, finalize: true, value: false }).catch((error: End) => error);
}

// Expected: what `python3.14 program.py` writes, and its exit status.
test.each<[words: string, source: string, end: End]>([
  ["removes sys.stdout", "import sys; print('x'); del sys.stdout", { stdout: "x\n", exitCode: 0 }],
  ["removes sys.stderr", "import sys; print('x'); del sys.stderr", { stdout: "x\n", exitCode: 0 }],
  ["removes sys.__stdout__", "import sys; print('x'); del sys.__stdout__", { stdout: "x\n", exitCode: 0 }],
  [
    "fails without sys.stdout",
    "import sys\nprint('x'); del sys.stdout\n1/0",
    {
      stdout: "x\n",
      traceback:
        'Traceback (most recent call last):\n  File "program.py", line 3, in <module>\n    1/0\n    ~^~\nZeroDivisionError: division by zero\n',
    },
  ],
  [
    "removes builtins",
    "import builtins\nfor name in ('any', 'len', 'isinstance', 'type', 'eval', 'getattr', 'str'): delattr(builtins, name)\nprint('x')",
    { stdout: "x\n", exitCode: 0 },
  ],
  [
    "breaks the library's tracebacks",
    "import traceback\ntraceback.TracebackException = None\nraise ValueError('x')",
    {
      traceback:
        'Traceback (most recent call last):\n  File "program.py", line 3, in <module>\nValueError: x\n',
    },
  ],
  [
    "has a monitor that fails",
    "import sys\nm = sys.monitoring\nm.use_tool_id(3, 'x')\ndef fail(*_): raise RuntimeError\nm.register_callback(3, m.events.PY_START, fail)\nm.set_events(3, m.events.PY_START)",
    { stdout: "", stderr: "", exitCode: 0 },
  ],
  [
    "has a profiler that would end what comes behind it",
    "import sys\nn = 0\ndef fail(*_):\n    global n\n    n += 1\n    if n > 60: raise SystemExit(7)\nsys.setprofile(fail)\nx = 1",
    { stdout: "", stderr: "", exitCode: 0 },
  ],
  ["forgets its modules' finders", "import sys; sys.meta_path.clear()", { stderr: "", exitCode: 0 }],
  [
    "loses output at its end",
    "import sys\nsys.stdout = open('/s/full', 'w')\nprint('y' * 5000)\n",
    {
      stdout: "",
      stderr: expect.stringMatching(/^Exception ignored while flushing sys.stdout:\nOSError: /),
      exitCode: 120,
    },
  ],
  [
    "loses output at its end, and exits",
    "import sys\nsys.stdout = open('/s/full', 'w')\nprint('y' * 5000)\nsys.exit(3)",
    { exitCode: 120 },
  ],
  [
    "has a stream without flush",
    "import sys\nclass W:\n    def write(self, text): pass\nsys.stdout = W()",
    {
      stderr:
        "Exception ignored while flushing sys.stdout:\nAttributeError: 'W' object has no attribute 'flush'\n",
      exitCode: 120,
    },
  ],
  [
    "has detached its stream",
    "import sys\nsys.stdout.detach()",
    {
      stderr:
        "Exception ignored while flushing sys.stdout:\nValueError: underlying buffer has been detached\n",
      exitCode: 120,
    },
  ],
  [
    "knows builtins as a module",
    "print(__builtins__.len('abc'), type(__builtins__).__name__)",
    { stdout: "3 module\n" },
  ],
])("that %s", async (_words, source, end) => {
  expect(await endOf(source)).toMatchObject(end);
  await sandbox.reset();
  expect((await sandbox.run("6 * 7")).value).toBe(42);
});

test("a stream that a program has put in place of its output is not the next one's", async () => {
  await endOf("import io, sys\nsys.stdout = sys.stderr = io.StringIO()\nsys.stdin = None");
  expect(await endOf("import sys\nprint('x'); print(sys.stdin.read())")).toMatchObject({ stdout: "x\n\n" });
});

test.each(["del sys.modules['__main__']", "sys.modules['__main__'] = None"])(
  "runs after %s have an empty __main__",
  async (source) => {
    await sandbox.run(`import sys\nx = 1\n${source}`);
    expect((await sandbox.run("'x' in globals()")).value).toBe(false);
    expect((await sandbox.run("__name__", { filename: "f.py" })).value).toBe("__main__");
  },
);

test("a profiler and a tracer see the program, run after run, and nothing of what runs it", async () => {
  await sandbox.run(
    "import sys\nseen = []\ndef see(frame, event, _): seen.append((event, frame.f_code.co_name, frame.f_code.co_filename))\nsys.setprofile(see); sys.settrace(see)",
  );
  await sandbox.run("def f(): pass\nf()");
  const source = "sys.setprofile(None); sys.settrace(None); [s for s in seen if s[0] == 'call']";
  const { value } = await sandbox.run(source, { filename: "last" });
  const called = (value as [string, string, string][]).map(([, name, file]) => [name, file]);
  expect(called).toContainEqual(["f", "<run 2>"]);
  expect(called.filter(([, file]) => String(file).startsWith("/lib/python3.14/sandboa"))).toEqual([]);
});

test("context variables are the same with await and without", async () => {
  await sandbox.run("import asyncio, contextvars\nv = contextvars.ContextVar('v', default=0)\nv.set(1)");
  expect((await sandbox.run("await asyncio.sleep(0)\nv.get()")).value).toBe(1);
  await sandbox.run("v.set(2)");
  expect((await sandbox.run("await asyncio.sleep(0)\nv.get()")).value).toBe(2);
  await sandbox.run("await asyncio.sleep(0)\nv.set(3); None");
  expect((await sandbox.run("v.get()")).value).toBe(3);
});

test("a handler of signals in an event loop", async () => {
  const source = `
import asyncio, os, signal
async def main():
    loop = asyncio.get_running_loop()
    got = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, got.set)
    loop.call_later(0.01, os.kill, os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(got.wait(), 5)
    return loop.remove_signal_handler(signal.SIGUSR1), loop.remove_signal_handler(signal.SIGUSR1)
asyncio.run(main())`;
  const first = await sandbox.run(source);
  expect(first.value).toEqual([true, false]);
  expect(first.usage.openFiles).toBe(3);
});

describe.each<Isolation>(["inline", "worker"])("a soft stop, %s,", (isolation) => {
  test.each([
    ["the repr of a result", "class Slow:\n    def __repr__(self):\n        while True: pass\nSlow()"],
    [
      "the text of an exit",
      "class Slow:\n    def __str__(self):\n        while True: pass\nraise SystemExit(Slow())",
    ],
  ])("in %s is a stop", async (_words, source) => {
    const limits = { wall: "300 ms", soft: { grace: "20 s" } };
    await using stopped = await Sandbox.create({ isolation, limits });
    const error = await stopped.run(source).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ limit: "wall", sandbox: "usable" });
  });
});
