// What one tenant can leave for the next one of the same interpreter, behind each wall: nothing.
import { type Isolation, Pool, type Sandbox, scratch } from "sandboa";
import { describe, expect, test } from "vitest";
import { distribution } from "../src/interpreter/distribution.ts";

const walls: readonly Isolation[] = ["inline", "worker", "process"];

/** Runs `first` as one tenant of a pool of one, then `second` as the next, and gives what that one found. */
async function tenants(
  pool: Pool,
  first: (sandbox: Sandbox) => Promise<unknown>,
  second: (sandbox: Sandbox) => Promise<unknown>,
): Promise<unknown> {
  {
    await using sandbox = await pool.checkout({
      files: { "/tmp": scratch({ bytes: "1 MiB" }) },
      env: { TZ: "America/New_York" },
      timeZone: "Asia/Tokyo",
      limits: { soft: { grace: "1 s", raise: "TimeoutError" }, recursion: 400 },
    });
    await first(sandbox);
  }
  await using sandbox = await pool.checkout();
  return await second(sandbox);
}

const value = (source: string) => async (sandbox: Sandbox) => (await sandbox.run(source)).value;

/** Both ways of making an interpreter pristine. */
const ways = walls.flatMap((isolation) =>
  (["short", "long"] as const).map((programs) => [isolation, programs] as const),
);

describe.each(ways)("%s, for %s programs", (isolation, programs) => {
  // _hiwire_set puts a reference into a table of the module that is neither memory nor a global: what could be left there would stay.
  test("tables of host references, by ctypes", async () => {
    await using pool = await Pool.create({ size: 1, isolation, programs, modules: ["_ctypes"] });
    const look = "import ctypes\nlib = ctypes.CDLL(None)\n";
    let planted: unknown;
    const found = await tenants(
      pool,
      async (sandbox) => {
        planted = await sandbox.run(`${look}lib._hiwire_set(0, 4711)`).catch((reason: unknown) => reason);
      },
      (sandbox) => sandbox.run(`${look}lib._hiwire_get(0)`).catch((reason: unknown) => reason),
    );
    expect(planted).toMatchObject({ code: "SANDBOX_CRASHED", message: /unreachable/ });
    // A pristine table is empty: that is a trap.
    expect(found).toMatchObject({ code: "SANDBOX_CRASHED", message: /table index is out of bounds/ });
  });

  test("callbacks and looked-up symbols in the function table, by ctypes", async () => {
    await using pool = await Pool.create({ size: 1, isolation, programs, modules: ["_ctypes"] });
    const make =
      "import ctypes\nkind = ctypes.CFUNCTYPE(ctypes.c_int)\nkept = [kind(lambda n=n: 4711 + n) for n in range(20)]\n";
    const place = "ctypes.cast(kept[7], ctypes.c_void_p).value";
    const at = await tenants(pool, value(`${make}${place}`), value(`${make}${place}`));
    const error = await tenants(pool, value(`${make}kept[7]()`), (sandbox) =>
      sandbox
        .run(`import ctypes\nctypes.CFUNCTYPE(ctypes.c_int)(${at})()`)
        .catch((reason: unknown) => reason),
    );
    expect(error).toMatchObject({ code: "SANDBOX_CRASHED", sandbox: "lost" });
  });

  // They are not in the snapshot, and come when a module asks for them, unless there is something already.
  test("late data of the module, written over by ctypes", async () => {
    await using pool = await Pool.create({ size: 1, isolation, programs, modules: ["_ctypes"] });
    const ranges = JSON.stringify(distribution.lateData.map(({ start, end }) => [start, end]));
    const spoil = `import ctypes\nfor start, end in ${ranges}:\n  ctypes.memset(start, 65, end - start)`;
    const name =
      "import unicodedata\n[unicodedata.name('ß', 'unknown'), '中'.encode('gbk', 'replace').hex()]";
    let own: unknown;
    const found = await tenants(
      pool,
      async (sandbox) => {
        await sandbox.run(spoil);
        own = await sandbox.run(name).catch((reason: unknown) => reason);
      },
      value(name),
    );
    // What CPython says of them.
    const right = ["LATIN SMALL LETTER SHARP S", "d6d0"];
    expect(own).not.toMatchObject({ value: right });
    expect(found).toEqual(right);
    const left = `import ctypes\nsum(any(ctypes.string_at(start, end - start)) for start, end in ${ranges})`;
    for (const first of [spoil, name]) expect(await tenants(pool, value(first), value(left))).toBe(0);
  });

  test("signals: handlers, those that wait, and alarms", async () => {
    await using pool = await Pool.create({ size: 1, isolation, programs });
    const plant = `
import signal
def handler(*_):
    raise RuntimeError("of the last tenant")
for number in (2, 14, 15):
    signal.signal(number, handler)`;
    const found = await tenants(
      pool,
      value(plant),
      value(
        "import signal\n[signal.getsignal(2) is signal.default_int_handler, str(signal.getsignal(14)), str(signal.getsignal(15)), sum(range(1000))]",
      ),
    );
    const fresh = await tenants(
      pool,
      value("1"),
      value(
        "import signal\n[signal.getsignal(2) is signal.default_int_handler, str(signal.getsignal(14)), str(signal.getsignal(15)), sum(range(1000))]",
      ),
    );
    expect(found).toEqual(fresh);
  });

  test("a signal that was raised as the last thing of a lifetime", async () => {
    await using pool = await Pool.create({ size: 1, isolation, programs });
    // The request's handler is what runs after the guest's last statement: its own calls are answered by a signal too.
    const late =
      "import _thread, sys\nsys.setswitchinterval(1e-6)\ntry: _thread.interrupt_main()\nexcept KeyboardInterrupt: pass";
    for (let i = 0; i < 3; i++) {
      const found = await tenants(
        pool,
        (sandbox) => sandbox.run(late).catch(() => {}),
        value("n = 0\nfor i in range(10000): n += i\nn"),
      );
      expect(found).toBe(49_995_000);
    }
  });

  test("everything else that a program can set", async () => {
    await using pool = await Pool.create({ size: 1, isolation, programs });
    const probe = `
import sys, gc, os, time, locale, decimal, builtins, threading, warnings, codecs, atexit, random, logging, linecache, re
[sys.getrecursionlimit(), gc.get_threshold(), gc.isenabled(), os.umask(0o22), time.tzname, time.timezone, os.getcwd(),
 os.listdir("/"), dict(os.environ), sys.argv, sys.getswitchinterval(), decimal.getcontext().prec, locale.setlocale(locale.LC_ALL),
 sys.get_int_max_str_digits(), sys.gettrace() is None, sys.getprofile() is None, sys.excepthook is sys.__excepthook__,
 hasattr(builtins, "planted"), len(warnings.filters), sys.flags.hash_randomization, sys._xoptions, len(sys.meta_path), len(sys.path_hooks),
 sys.displayhook is sys.__displayhook__, sys.breakpointhook is sys.__breakpointhook__, sys.unraisablehook is sys.__unraisablehook__,
 sys.get_asyncgen_hooks()[0] is None, sys.dont_write_bytecode, sys.stdout.line_buffering, sys.getwindowsversion if hasattr(sys, "getwindowsversion") else 0,
 sorted(m for m in sys.modules if "planted" in m), time.localtime(0).tm_hour, codecs.lookup("utf-8").name, len(linecache.cache),
 logging.getLogger().level, threading.active_count()]`;
    const plant = `
import sys, gc, os, time, locale, decimal, builtins, warnings, atexit, types, codecs, linecache, logging
sys.setrecursionlimit(123); gc.set_threshold(1, 2, 3); gc.disable(); os.umask(0o777); os.environ["TZ"] = "EST5EDT"
os.chdir("/tmp"); open("/tmp/left", "w").write("x"); sys.argv[:] = ["a", "b"]; sys.setswitchinterval(1); decimal.getcontext().prec = 3
sys.set_int_max_str_digits(0); builtins.planted = builtins.print = 1; warnings.simplefilter("error"); sys.modules["planted"] = types.ModuleType("planted")
sys.meta_path.insert(0, object()); sys.path_hooks.insert(0, object()); sys.displayhook = sys.excepthook = sys.breakpointhook = sys.unraisablehook = None
sys.set_asyncgen_hooks(lambda *_: 0, lambda *_: 0); sys.dont_write_bytecode = True; linecache.cache["x"] = (1, None, [], "x"); logging.getLogger().setLevel(1)
codecs.register(lambda name: 1); atexit.register(lambda: os.write(1, b"ghost")); os.close(0); os.dup2(1, 9)
class Ghost:
    def __del__(self): os.write(1, b"ghost")
ghost = Ghost(); ghost.self = ghost
sys.settrace(lambda *_: None); sys.setprofile(lambda *_: None)
sys.stdout.write("half a line")`;
    const output: string[] = [];
    const probed = async (sandbox: Sandbox) => {
      const run = await sandbox.run(probe);
      output.push(run.stdout + run.stderr);
      return run.value;
    };
    const fresh = await tenants(pool, value("1"), probed);
    expect(await tenants(pool, value(plant), probed)).toEqual(fresh);
    expect(output).toEqual(["", ""]);
  });

  test("hash secrets, interned strings and bytes of the last tenant in memory", async () => {
    await using pool = await Pool.create({ size: 1, isolation, programs, modules: ["_ctypes"] });
    const hash = value("hash('of the same text')");
    const hashes = new Set<unknown>();
    for (let i = 0; i < 4; i++) hashes.add(await tenants(pool, hash, hash));
    expect(hashes.size).toBe(4);
    const word = "Sesame" + "Opened";
    const plant = `
import sys
text = sys.intern("".join(["Sesame", "Opened"]))
secret = [text.encode() * 100 for _ in range(2000)]
big = bytearray(secret[0]) * 50`;
    // The whole linear memory, read through ctypes; the word itself is put together only for the search.
    const search = `
import ctypes
def count(parts):
    word = "".join(parts).encode()
    found, at, piece = 0, 1024, 1 << 20
    while True:
        try: memory = ctypes.string_at(at, min(piece, END - at))
        except Exception: break
        found += memory.count(word)
        at += piece
        if at >= END: break
    return found
import sandboa
END = sandboa.usage()["memory"].used
count(["emaSes"[3:] + "ame", "Opened"])`;
    expect(word).toBe("SesameOpened");
    expect(await tenants(pool, value("1"), value(plant + search))).toBeGreaterThan(50_000);
    const found = await tenants(pool, value(plant), value(search));
    // The word and its encoding, made by the search itself, and copies of pieces.
    expect(found).toBeLessThan(50);
  });
});

test("a cancellation that comes after the run has ended does not end the next one", async () => {
  await using pool = await Pool.create({ size: 1 });
  await using sandbox = await pool.checkout();
  for (let i = 0; i < 20; i++) {
    const stop = new AbortController();
    const run = sandbox.run("1", { signal: stop.signal });
    // In the same turn in which the answer arrives, or just before.
    const outcome = run.then(
      ({ value: one }) => one,
      (error: { code: string }) => error.code,
    );
    if (i % 2 === 0) setImmediate(() => stop.abort());
    else
      void run.then(
        () => stop.abort(),
        () => {},
      );
    if ((await outcome) !== 1) await sandbox.reset();
    stop.abort();
    expect((await sandbox.run("import time; time.sleep(0.001); 2")).value).toBe(2);
  }
});
