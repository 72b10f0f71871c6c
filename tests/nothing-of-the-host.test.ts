// A guest that looks everywhere finds nothing of the machine: it writes down all that it can reach, and the host, which alone
// knows what must not be there, reads that. One process with a marked environment, home, working folder and file names.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Sandbox } from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const project = resolve(import.meta.dirname, "..");
const cache =
  process.env.SANDBOA_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "/", ".cache"), "sandboa");
let folder: string;
let work: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-zqhost-"));
  work = join(folder, "zqwork");
  for (const name of ["zqwork", "zqhome", "zqtmp"]) mkdirSync(join(folder, name));
  writeFileSync(join(work, "zqinput.csv"), "a,b\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes every name below "/", what the system tells about itself, and every text and byte string of every reachable object. */
const walker = `
import gc, os, sys, platform, socket, sysconfig, site, locale, time, getpass, tempfile, uuid, types
texts = set()
def note(value):
    if isinstance(value, (bytes, bytearray)): texts.add(bytes(value))
    elif isinstance(value, str): texts.add(value.encode("utf-8", "surrogatepass"))
    else: texts.add(repr(value).encode("utf-8", "surrogatepass"))
def attempt(call, *args):
    try: note(call(*args))
    except BaseException as error: note(f"{type(error).__name__}: {error}")
for top, folders, files in os.walk("/", onerror=note):
    for name in folders + files:
        path = os.path.join(top, name); note(path); attempt(os.stat, path); attempt(os.readlink, path)
for path in ("/proc", "/proc/self/environ", "/proc/self/maps", "/proc/1/cmdline", "/sys", "/etc/passwd", "/etc/hostname", "/root", "/home"):
    attempt(os.listdir, path); attempt(open, path)
for module in (os, sys, platform, socket, sysconfig, site, locale, time, getpass, tempfile, uuid):
    for name in sorted(dir(module)):
        value = getattr(module, name); note(name)
        if not callable(value): note(value)
for call in (os.uname, os.getpid, os.getppid, os.getuid, os.getlogin, os.getcwd, os.cpu_count, os.getloadavg, os.times,
             os.get_terminal_size, os.ctermid, platform.platform, platform.node, platform.processor, platform.python_build,
             socket.gethostname, socket.getfqdn, getpass.getuser, tempfile.gettempdir, uuid.getnode, locale.getlocale,
             sysconfig.get_config_vars, sysconfig.get_paths, site.getusersitepackages, sys._current_frames, sys._getframe):
    attempt(call)
for fd in range(0, 64): attempt(os.readlink, f"/dev/fd/{fd}"); attempt(os.fstat, fd); attempt(os.ttyname, fd)
gc.unfreeze()
seen, waiting = {}, [*gc.get_objects(), *sys.modules.values(), sys._getframe()]
while waiting:
    value = waiting.pop()
    if id(value) in seen or value is seen or value is waiting or value is texts: continue
    seen[id(value)] = value
    if isinstance(value, (str, bytes, bytearray, memoryview)): note(bytes(value) if isinstance(value, memoryview) else value)
    elif isinstance(value, types.CodeType): waiting += [value.co_filename, value.co_names, value.co_consts]
    waiting += gc.get_referents(value)
with open("/dump", "xb") as out: out.write(b"\\n".join(texts))
len(texts), len(seen), os.getpid(), os.getppid()`;

/** All of linear memory, byte for byte. The first run has left its traces there. */
const memoryScan = `
import ctypes
with open("/memory", "xb") as out: out.write((ctypes.c_char * (memory - 1024)).from_address(1024))`;

const program = `
const { hostFile, Sandbox } = await import(process.env.ZQ_LIBRARY);
const sandbox = await Sandbox.create({
  files: {
    "/in/data.csv": hostFile("./zqinput.csv", "read"),
    "/dump": hostFile("./zqdump", "create"),
    "/memory": hostFile("./zqmemory", "create"),
  },
  env: { GRANTED: "granted-mark" }, args: ["program"], modules: ["_ctypes"], limits: { wall: "60 s", memory: "512 MiB" },
});
const walked = await sandbox.run(process.env.ZQ_WALKER);
await sandbox.run(process.env.ZQ_SCAN, { inputs: { memory: walked.usage.memoryBytes } });
console.log(JSON.stringify({ value: walked.value, pid: process.pid, version: process.version }));
await sandbox.close();`;

describe("a guest that looks everywhere", () => {
  let report: { value: [number, number, number, number]; pid: number; version: string };
  let found: (needle: string | Buffer) => string[];
  beforeAll(() => {
    const ended = spawnSync(process.execPath, ["--input-type=module", "-e", program, "zqargument"], {
      cwd: work,
      encoding: "utf8",
      env: {
        ...{ HOME: join(folder, "zqhome"), USER: "zquser", LOGNAME: "zquser", TMPDIR: join(folder, "zqtmp") },
        ...{
          SECRET: "zqsecret",
          PATH: "/zqpath",
          SANDBOA_CACHE: cache,
          ZQ_WALKER: walker,
          ZQ_SCAN: memoryScan,
          ZQ_LIBRARY: pathToFileURL(join(project, "dist", "index.js")).href,
        },
      },
    });
    expect(ended.stderr).toBe("");
    report = JSON.parse(ended.stdout);
    const places = ["zqdump", "zqmemory"].map((name) => [name, readFileSync(join(work, name))] as const);
    found = (needle) => {
      const text = needle.toString();
      const forms = [Buffer.from(text), Buffer.from(text, "utf16le"), wide(text)];
      return places.filter(([, bytes]) => forms.some((form) => bytes.includes(form))).map(([name]) => name);
    };
  });

  test("looked at thousands of objects, and what it was granted is among what it saw", () => {
    expect(report.value[0]).toBeGreaterThan(20_000);
    expect(report.value[1]).toBeGreaterThan(40_000);
    expect(found("granted-mark")).toEqual(["zqdump", "zqmemory"]);
    expect(found("/in/data.csv")).toContain("zqdump");
  });

  test("finds no path, name, environment or version of the host", () => {
    const needles = [
      // Every marked path, name, argument and environment value.
      ...[
        "zqhost",
        "zqwork",
        "zqhome",
        "zqtmp",
        "zqinput",
        "zquser",
        "zqsecret",
        "zqpath",
        "zqargument",
        ".zq-",
      ],
      ...[project, process.execPath, cache, "node_modules", "pyodide.asm.wasm", "worker.cjs"],
      report.version.slice(1),
      process.versions.v8,
      ...[hostname(), userInfo().homedir, userInfo().username].filter((name) => name.length > 5),
    ];
    expect(needles.filter((needle) => found(needle).length > 0)).toEqual([]);
  });

  test("is told a process number that is nobody's", () => {
    expect(report.value.slice(2)).toEqual([42, 1]);
    expect(report.pid).not.toBe(42);
  });
});

function wide(text: string): Buffer {
  return Buffer.from(Uint32Array.from([...text].map((letter) => letter.charCodeAt(0))).buffer);
}

describe("ways out that other systems have", () => {
  test.each([
    ["import js", "ModuleNotFoundError"],
    ["import pyodide_js", "ModuleNotFoundError"],
    ["import _pyodide_core", "ModuleNotFoundError"],
    ["import pyodide.code; pyodide.code.run_js('1')", "ModuleNotFoundError"],
    ["import _pyodide._core_docs as d; d.run_js('1')", "AttributeError"],
    ["import imp", "ModuleNotFoundError"],
    [
      "import _imp; _imp.create_builtin(__import__('importlib.machinery').machinery.ModuleSpec('_pyodide_core', None)).x",
      "AttributeError",
    ],
    ["import os; os.posix_spawn('/bin/sh', ['sh'], {})", "AttributeError"],
    ["import os; os.execv('/bin/sh', ['sh'])", "OSError"],
    ["import os; os.fork()", "OSError"],
    ["import subprocess; subprocess.run(['ls'])", "OSError"],
    ["import threading; threading.Thread(target=print).start()", "RuntimeError"],
    ["import _thread; _thread.start_new_thread(print, ())", "RuntimeError"],
    ["import multiprocessing; multiprocessing.Process(target=print).start()", "ModuleNotFoundError"],
    ["import concurrent.futures as c; c.ThreadPoolExecutor().submit(print)", "RuntimeError"],
    [
      "import asyncio\nasync def f(): await asyncio.create_subprocess_shell('ls')\nasyncio.run(f())",
      "OSError",
    ],
    ["import os; os.kill(1, 9)", "ProcessLookupError"],
    ["import ctypes", "ModuleNotFoundError"],
    ["import urllib.request; urllib.request.urlopen('http://localhost/')", "URLError"],
  ])("%s fails with %s", async (source, type) => {
    await using sandbox = await Sandbox.create();
    const error = await sandbox.run(source).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "PythonError", sandbox: "usable" });
    expect((error as { type: string }).type.split(".").at(-1)).toBe(type);
  });

  test("os.system has no shell and says so", async () => {
    await using sandbox = await Sandbox.create();
    const run = await sandbox.run("import os; [os.system('echo out'), os.popen]");
    expect(run).toMatchObject({ stdout: "", stderr: "" });
    expect((run.value as unknown[])[0]).not.toBe(0);
  });
});
