// Every way in which a guest can bring its interpreter down ends as a typed error of this package or an ordinary Python error, the
// sandbox can be reset, and the host goes on.
import { LimitError, PythonError, Sandbox, SandboxLostError } from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.create({ limits: { memory: "96 MiB", wall: "20 s" } });
});
afterAll(() => sandbox.close());

/** How it ended; afterwards a reset sandbox must answer as a new one. */
async function ending(source: string): Promise<unknown> {
  const ended = await sandbox.run(source).then(
    (run) => run.value,
    (error: unknown) => error,
  );
  await sandbox.reset();
  expect((await sandbox.run("import sys; [6 * 7, sys.getrecursionlimit(), 'x' in globals()]")).value).toEqual(
    [42, 1000, false],
  );
  return ended;
}

const nest = (make: string): string => `x = ()\nfor i in range(300_000): x = ${make}\n`;

/** CPython does not count these; the engine's stack may end first. Everything else is an ordinary Python error. */
const unguarded: readonly string[] = ["no recursion limit"];

describe("deep recursion in C", () => {
  test.each([
    ["dealloc of nested tuples", `${nest("(x,)")}del x`],
    ["repr", `${nest("[x]")}repr(x)`],
    ["hash", `${nest("(x,)")}hash(x)`],
    ["comparison", `${nest("[x]")}y = ()\nfor i in range(300_000): y = [y]\nx == y`],
    ["pickle", `import pickle\n${nest("[x]")}pickle.dumps(x)`],
    ["json", `import json\n${nest("[x]")}json.dumps(x)`],
    ["marshal", `import marshal\n${nest("[x]")}marshal.dumps(x)`],
    ["deepcopy", `import copy\n${nest("[x]")}copy.deepcopy(x)`],
    ["compile of nested parentheses", "compile('(' * 10**5 + ')' * 10**5, 'x', 'eval')"],
    ["compile of nested operators", "compile('-' * 10**6 + '1', 'x', 'eval')"],
    ["compile of a long chain", "compile('+'.join(['1'] * 10**5), 'x', 'eval')"],
    [
      "ast, made by hand",
      "import ast\nx = ast.Constant(1)\nfor i in range(10**5): x = ast.UnaryOp(ast.USub(), x)\ncompile(ast.fix_missing_locations(ast.Expression(x)), 'x', 'eval')",
    ],
    ["sort keys", "def f(n): return sorted([1], key=lambda _: f(n + 1))\nf(0)"],
    ["getattr", "class C:\n    def __getattr__(self, n): return getattr(self, n)\nC().x"],
    ["no recursion limit", "import sys; sys.setrecursionlimit(10**8)\ndef f(): return f()\nf()"],
    [
      "no recursion limit, through C",
      "import sys; sys.setrecursionlimit(10**8)\ndef f(): return list(map(lambda _: f(), [1]))\nf()",
    ],
    ["isinstance with nested tuples", `${nest("(x,)")}isinstance(1, x)`],
    ["a chain of iterators", "x = iter([])\nfor i in range(10**5): x = filter(None, x)\nlist(x)"],
    [
      "a chain of exceptions",
      "e = None\nfor i in range(10**5):\n    n = Exception(); n.__cause__ = e; e = n\nraise e",
    ],
    ["regular expression", "import re\nre.compile('(' * 10**4 + ')' * 10**4)"],
    ["xml", "import xml.etree.ElementTree as E\nE.tostring(E.fromstring('<a>' * 10**5 + '</a>' * 10**5))"],
  ])("%s", async (name, source) => {
    const ended = await ending(source);
    if (ended instanceof SandboxLostError) {
      expect(unguarded).toContain(name);
      expect(ended.code).toBe("SANDBOX_CRASHED");
    } else if (ended instanceof Error) expect(ended).toBeInstanceOf(PythonError);
    if (ended instanceof Error)
      expect(ended.message).not.toMatch(/kernel failed|\.ts|\.js|node:|Maximum call stack/);
  });
});

describe("the end of the process", () => {
  test.each([
    ["faulthandler._sigsegv()", "SANDBOX_ABORTED"],
    ["faulthandler._sigfpe()", "SANDBOX_CRASHED"],
    ["faulthandler._sigabrt()", "SANDBOX_ABORTED"],
    ["faulthandler._fatal_error_c_thread()", undefined],
    ["faulthandler._read_null()", undefined],
    ["os.abort()", "SANDBOX_ABORTED"],
    ["os._exit(0)", "SANDBOX_EXITED"],
    ["os._exit(-1)", "SANDBOX_EXITED"],
    ["os._exit(2**31 - 1)", "SANDBOX_EXITED"],
    ["os.kill(os.getpid(), signal.SIGKILL)", undefined],
    ["os.kill(os.getpid(), signal.SIGSEGV)", undefined],
    ["signal.raise_signal(signal.SIGABRT)", undefined],
    ["signal.raise_signal(signal.SIGTERM)", undefined],
    ["signal.raise_signal(signal.SIGINT)", undefined],
    ["atexit.register(os._exit, 3); sys.exit(4)", undefined],
    ["sys.settrace(lambda *a: os._exit(5)); (lambda: 1)()", "SANDBOX_EXITED"],
    ["gc.callbacks.append(lambda *a: os.abort()); gc.collect()", "SANDBOX_ABORTED"],
    ["(lambda: 0).__code__.replace(co_code=b'\\xff\\xff' * 40).__class__", undefined],
    ["exec((lambda: 0).__code__.replace(co_code=bytes(range(256)) * 4))", undefined],
    ["exec((lambda: 0).__code__.replace(co_stacksize=10**8))", undefined],
  ])("%s", async (source, code) => {
    const ended = await ending(`import atexit, faulthandler, gc, os, signal, sys\n${source}`);
    if (code !== undefined) expect(ended).toMatchObject({ name: "SandboxLostError", code });
    if (ended instanceof Error) expect(ended.message).not.toMatch(/kernel failed|\.ts|\.js|node:/);
  });
});

describe("no memory, in odd places", () => {
  const full = "kept = []\ntry:\n    while True: kept.append(bytearray(1 << 16))\nexcept MemoryError: pass\n";
  const brim = `${full}try:\n    while True: kept.append(bytes(64))\nexcept MemoryError: pass\n`;
  test.each([
    ["one large request", "bytes(2**31 - 1)"],
    ["more than the address space", "bytes(2**40)"],
    ["a large integer", "1 << (10**9)"],
    ["a large text", "'x' * (10**9)"],
    ["a large list", "[0] * (2**29)"],
    ["join", "''.join(['x' * 10**6] * 10**4)"],
    ["imports", `${brim}import asyncio, sqlite3, xml.etree.ElementTree`],
    ["a traceback", `${brim}def f(n): return f(n - 1) if n else 1 / 0\nf(500)`],
    ["the answer", `${brim}kept`],
    ["a large answer", `${full}b'x' * (1 << 20)`],
    ["print", `${brim}print(list(range(10**5)))`],
    [
      "a handler that needs memory",
      "try:\n    x = [bytearray(1 << 16) for i in range(10**6)]\nexcept MemoryError:\n    y = [bytearray(1 << 16) for i in range(10**6)]",
    ],
    [
      "sqlite",
      `import sqlite3\nd = sqlite3.connect(':memory:')\nd.execute('create table t (a)')\nwhile True: d.execute('insert into t values (zeroblob(1000000))')`,
    ],
    [
      "decompression",
      "import zlib\nz = zlib.compress(bytes(10**7))\n[zlib.decompress(z) for i in range(100)]",
    ],
    [
      "a generator's end",
      `${brim}def g():\n    try: yield 1\n    finally: bytearray(1 << 20)\nx = g(); next(x); del x`,
    ],
    ["a __del__", `class D:\n    def __del__(self): bytearray(1 << 30)\n${brim}D()`],
  ])("%s", async (_name, source) => {
    const ended = await ending(source);
    if (ended instanceof Error) {
      const typed = [PythonError, LimitError, SandboxLostError].some((type) => ended instanceof type);
      expect(typed, String(ended)).toBe(true);
      expect(ended.message).not.toMatch(/kernel failed|\.ts|\.js|node:/);
    }
  });
});
