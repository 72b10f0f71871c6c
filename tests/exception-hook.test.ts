// A program that tells of its uncaught exception itself, by sys.excepthook: python3 prints no traceback of its own then. What is expected
// is what CPython 3.14 writes.
import { PythonError, Sandbox, scratch } from "sandboa";
import { expect, test } from "vitest";
import { type Ended, sandboaRun } from "./command-fixture.ts";

const command = (code: string): Ended => sandboaRun(["-c", code]);

const failed = 'Traceback (most recent call last):\n  File "<string>", line ';

test("the hook is told before the functions of atexit, and nothing else is printed", () => {
  const code = `import atexit, sys, traceback
def fail(): 1/0
atexit.register(print, "exit")
sys.excepthook = lambda kind, error, at: print(kind.__name__, error, [f.name for f in traceback.extract_tb(at)])
fail()`;
  const stdout = "ZeroDivisionError division by zero ['<module>', 'fail']\nexit\n";
  expect(command(code)).toEqual({ status: 1, stdout, stderr: "" });
});

test("a hook may end the program", () => {
  const code = "import sys\nsys.excepthook = lambda *_: sys.exit(7)\n1/0";
  expect(command(code)).toEqual({ status: 7, stdout: "", stderr: "" });
});

test("both are told where the hook itself fails, and where there is none", () => {
  const broken = command("import sys\nsys.excepthook = lambda *_: [].pop()\n1/0");
  expect(broken.status).toBe(1);
  expect(broken.stderr).toMatch(
    /^Error in sys\.excepthook:\n[\s\S]*IndexError: pop from empty list\n\nOriginal exception was:\nTraceback[\s\S]*\nZeroDivisionError: division by zero\n$/,
  );
  expect(broken.stderr.split(failed)).toHaveLength(3);
  const missing = command("import sys\ndel sys.excepthook\n1/0");
  expect(missing.stderr).toMatch(
    /^sys\.excepthook is missing\nTraceback[\s\S]*\nZeroDivisionError: division by zero\n$/,
  );
  expect(missing.stderr.split("Traceback")).toHaveLength(2);
});

test("the host is told of the error as of any other, and whether the program has told of it; a run that is no whole program tells the host alone", async () => {
  await using sandbox = await Sandbox.create({ isolation: "inline" });
  const source = "import sys\nsys.excepthook = lambda *_: print('told')\n1/0";
  const whole = await sandbox.run(source, { finalize: true }).catch((error) => error);
  expect(whole).toBeInstanceOf(PythonError);
  expect(whole).toMatchObject({ type: "ZeroDivisionError", reported: true, stdout: "told\n" });
  const part = await sandbox.run(source).catch((error) => error);
  expect(part).toMatchObject({ type: "ZeroDivisionError", reported: false, stdout: "" });
  await sandbox.reset();
  const plain = await sandbox.run("1/0", { finalize: true }).catch((error) => error);
  expect(plain).toMatchObject({ type: "ZeroDivisionError", reported: false });
});

test("where a program has replaced its standard error, the traceback goes there", () => {
  const said = command("import sys\nsys.stderr = sys.stdout\n1/0");
  expect(said.status).toBe(1);
  expect(said.stderr).toBe("");
  expect(said.stdout).toMatch(
    /^Traceback \(most recent call last\):\n {2}File "<string>", line 3, in <module>\n/,
  );
  const kept = command(
    "import atexit, io, sys\nsys.stderr = io.StringIO()\natexit.register(lambda: print(sys.stderr.getvalue()[-14:], repr(sys.last_exc)))\nraise KeyError('k')",
  );
  expect(kept).toEqual({ status: 1, stdout: "KeyError: 'k'\n KeyError('k')\n", stderr: "" });
});

test("a traceback is as long as sys.tracebacklimit says, and ends where the error is", () => {
  const { stderr } = command("import sys\nsys.tracebacklimit = 1\ndef fail(): 1/0\nfail()");
  expect(stderr).toMatch(/^Traceback \(most recent call last\):\n {2}File "<string>", line 3, in fail\n/);
});

test("an error that a program has kept does not show how the host called the program", async () => {
  await using sandbox = await Sandbox.create({ isolation: "inline" });
  await sandbox.run("try: 1/0\nexcept ZeroDivisionError as error:\n  kept = error\n  raise").catch(() => {});
  const { value } = await sandbox.run(
    "import traceback\n[frame.name for frame in traceback.extract_tb(kept.__traceback__)]",
  );
  expect(value).toEqual(["<module>"]);
});

const files = { "/w": scratch({ bytes: "1 MiB" }) };
const late = `import atexit, sys
atexit.register(print, "atexit")
f = open("/w/a", "w"); f.write("data")
`;

test.each([
  [
    "a hook that raises KeyboardInterrupt",
    "def hook(*_): raise KeyboardInterrupt\nsys.excepthook = hook\n1/0",
    "ZeroDivisionError",
  ],
  [
    "an error that hides its traceback",
    "class Own(Exception):\n  @property\n  def __traceback__(self): return 5\n  @property\n  def __context__(self): return 5\nraise Own",
    "Own",
  ],
  [
    "a hook that raises such an error",
    "class Own(Exception):\n  @property\n  def __context__(self): return 5\ndef hook(*_): raise Own\nsys.excepthook = hook\n1/0",
    "ZeroDivisionError",
  ],
  [
    "a task that raises KeyboardInterrupt when it is cancelled",
    "import asyncio\nasync def task():\n  try: await asyncio.sleep(9)\n  except asyncio.CancelledError: raise KeyboardInterrupt\nt = asyncio.create_task(task())\nawait asyncio.sleep(0)",
    "KeyboardInterrupt",
  ],
  [
    "an error without a name",
    "class Meta(type):\n  __module__ = property(lambda cls: 1/0)\nclass Own(Exception, metaclass=Meta): pass\nraise Own",
    "ZeroDivisionError",
  ],
])("%s does not keep a program from its end", async (_, source, type) => {
  await using sandbox = await Sandbox.create({ isolation: "inline", files });
  const error = await sandbox.run(late + source, { finalize: true }).catch((reason) => reason);
  expect(error).toMatchObject({ code: "PYTHON_EXCEPTION", type, stdout: "atexit\n" });
  expect(await sandbox.files.readText("/w/a")).toBe("data");
  expect((await sandbox.run("import sys\n['f' in globals(), hasattr(sys, 'last_exc')]")).value).toEqual([
    false,
    false,
  ]);
});

test("a soft stop while an exit code is printed: the rest of the end is done in the time that is left", async () => {
  const limits = { wall: "300 ms", soft: { grace: "5 s" } } as const;
  await using sandbox = await Sandbox.create({ files, limits });
  const source = `${late}class Slow:\n  def __str__(self):\n    while True: pass\nsys.exit(Slow())`;
  const error = await sandbox.run(source, { finalize: true }).catch((reason) => reason);
  expect(error).toMatchObject({ code: "LIMIT_WALL", sandbox: "usable", stdout: "atexit\n" });
  expect(error.cause).toMatchObject({ type: "KeyboardInterrupt" });
  expect(await sandbox.files.readText("/w/a")).toBe("data");
});

test("handlers of signals of one whole program are not for the next, and hold none of its names", async () => {
  await using sandbox = await Sandbox.create({
    limits: { soft: { grace: "1 s", raise: "TimeoutError" }, wall: "300 ms" },
  });
  const source = `import signal
class D:
  def __del__(self): print("del", name)
name, d = "n", D()
for number in signal.SIGUSR1, signal.SIGINT, signal.SIGALRM: signal.signal(number, lambda *_: print(name))
signal.signal(signal.SIGUSR2, signal.SIG_IGN)`;
  expect((await sandbox.run(source, { finalize: true })).stdout).toBe("del n\n");
  const handlers =
    "import signal\n[str(signal.getsignal(number)) for number in (signal.SIGUSR1, signal.SIGUSR2)]";
  expect((await sandbox.run(handlers)).value).toEqual(["0", "0"]);
  const interrupted = "signal.getsignal(signal.SIGINT) is signal.default_int_handler";
  expect((await sandbox.run(interrupted)).value).toBe(true);
  const stopped = await sandbox.run("while True: pass").catch((reason) => reason);
  expect(stopped.cause).toMatchObject({ type: "TimeoutError" });
});

test("hooks of one whole program are not for the next", async () => {
  await using sandbox = await Sandbox.create({ isolation: "inline" });
  const hooks =
    "import sys\nname = 'mine'\nsys.excepthook = sys.unraisablehook = sys.displayhook = lambda *_: print(name)\nsys.settrace(lambda *_: print(name))";
  await sandbox.run(hooks, { finalize: true });
  const next = await sandbox.run("def f(): pass\nf()\n1/0", { finalize: true }).catch((reason) => reason);
  expect(next).toMatchObject({ type: "ZeroDivisionError", reported: false, stdout: "", stderr: "" });
});

test("a file that is called as what has no place shows in tracebacks all the same", async () => {
  await using sandbox = await Sandbox.create({ isolation: "inline" });
  const error = await sandbox.run("def f(): 1/0\nf()", { filename: "<sys>" }).catch((reason) => reason);
  expect(error.traceback.match(/File "<sys>", line [12]/g)).toHaveLength(2);
});

test("a replaced standard error is shown as little of us as the host", () => {
  const { stdout } = command("import os, sys\nsys.stderr = sys.stdout\nos.kill(os.getpid(), 99)");
  expect(stdout).toMatch(/^Traceback[\s\S]*os\.kill[\s\S]*Invalid argument\n$/);
  expect(stdout).not.toContain("sandboa");
});
