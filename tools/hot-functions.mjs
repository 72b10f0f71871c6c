// Finds which functions of the interpreter common programs run, and writes src/interpreter/hot-function-bits.ts: those are in the first part of
// the module (src/interpreter/wasm/splitting/split-module.ts), all others in the rest. For a new version of the distribution:
//   npm run build && node tools/hot-functions.mjs
// V8 tells which functions it compiles, in a process that is given no code of an earlier one.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const { outputFiles } = await build({
  entryPoints: ["src/host/images/rehearsed-programs.ts"],
  format: "esm",
  write: false,
});
const rehearsed = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
const files = ["bench/programs", "bench/kernels"].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".py"))
    .map(
      (name) => `kernel = N = None\n${readFileSync(join(folder, name), "utf8")}\nkernel and str(kernel(N))`,
    ),
);
const libraries = `
import abc, argparse, array, ast, asyncio, base64, bisect, calendar, cmath, collections, configparser, contextlib, copy, csv, dataclasses
import datetime, decimal, difflib, enum, fractions, functools, graphlib, hashlib, heapq, hmac, html, inspect, io, itertools, json, logging, math
import operator, os, pathlib, pickle, pprint, queue, random, re, secrets, shlex, shutil, statistics, string, struct, tempfile, textwrap, time
import timeit, traceback, types, typing, unittest, urllib.parse, uuid, warnings, weakref, xml.etree.ElementTree, zipfile, zlib, zoneinfo
rows = list(csv.DictReader(io.StringIO("a,b\\n1,2\\n3,4\\n")))
csv.writer(io.StringIO()).writerows([[1, "x,y"], [2.5, None]])
day = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc) + datetime.timedelta(days=1.5)
str(day), day.isoformat(), datetime.datetime.now().isoformat(), calendar.month(2026, 1), day.strftime("%d %B %Y"), datetime.date.fromisoformat("2026-02-03").weekday(), time.time(), time.gmtime()
str(decimal.Decimal("1.10") * 3 / 7), fractions.Fraction(3, 9) + 1, statistics.mean([1, 2, 4]), statistics.stdev([1, 2, 4])
hashlib.sha256(b"x").hexdigest(), hashlib.md5(b"x").hexdigest(), hashlib.sha3_256(b"x").hexdigest(), hashlib.sha512(b"x").hexdigest(), hashlib.blake2b(b"x").hexdigest(), base64.b64encode(b"xyz"), uuid.uuid4(), secrets.token_hex(8)
zlib.decompress(zlib.compress(b"a" * 1000)), struct.pack("<id", 1, 2.0), array.array("d", [1.0, 2.0]).tobytes(), pickle.loads(pickle.dumps([1]))
root = xml.etree.ElementTree.fromstring("<a b='1'><c>x</c></a>")
[e.text for e in root.iter("c")], textwrap.fill("some words " * 20, 40), list(itertools.permutations("abc", 2)), pprint.pformat({"a": [1] * 40})
@dataclasses.dataclass(order=True)
class Point:
    x: int = 0
    y: list = dataclasses.field(default_factory=list)
sorted([Point(2), Point(1)]), dataclasses.asdict(Point()), ast.literal_eval("[1, {'a': (2.5, None)}]"), inspect.signature(Point)
async def wait(): await asyncio.sleep(0); return 1
await asyncio.gather(wait(), wait()), os.listdir("/"), pathlib.Path("/work/f").write_text("x"), pathlib.Path("/work/f").read_text(), os.remove("/work/f")
try: int("x")
except ValueError as error: traceback.format_exc(), str(error)
`;
/** All methods of the built-in types, with whatever they take, and what they say of what they do not take. */
const builtins = `
import array, builtins, datetime, decimal, fractions, hashlib, io, struct, math, operator, random, itertools, collections, functools, re
values = [7, -3, 2**70, True, 2.5, -0.0, 1e300, 1 + 2j, "", "text", "Ünï", "a b,c", b"bytes", bytearray(b"ab"), [3, 1, 2], (1, "x"), {"a": 1}, {1, 2},
    frozenset("ab"), range(5), None, slice(1, 3), memoryview(b"abc"), iter([1, 2]), int, len, lambda x=1: x, collections.deque([1]),
    collections.Counter("aab"), collections.OrderedDict(a=1), re.compile("a(b)?"), re.match("a(b)?", "ab"), datetime.date(2026, 1, 31), datetime.time(12, 30),
    datetime.datetime(2026, 1, 31, 12), datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc), datetime.timedelta(days=1, seconds=5),
    datetime.timezone.utc, decimal.Decimal("1.10"), fractions.Fraction(1, 3), io.StringIO("a\\nb"), io.BytesIO(b"a\\nb"), array.array("i", [1, 2]),
    struct.Struct("<id"), hashlib.sha256(b"x"), random.Random(5), itertools.chain("ab"), enumerate("ab"), zip("ab"), map(str, "ab"),
    functools.partial(int, base=2), collections.defaultdict(list), (x for x in "ab"), property(), ValueError("x"), OSError(2, "x"), type("C", (), {})()]
arguments = [(), (1,), ("a",), (b"a",), ([1, 2],), ({"a": 2},), (" ", 1), ("a", "b"), (0, 2), ("utf-8",), (" .2f",), (5, "*"), (None,), (lambda x: x, [1, 2]),
    (str.upper, ["a"]), ("abc", 1, 2), (2.5,), ({1, 3},), ((1, 2), (3, 4))]
avoided = {"release", "__exit__", "__reduce__", "__reduce_ex__", "__init_subclass__", "__sizeof__", "breakpoint", "input", "exit", "quit", "help", "open", "copyright", "credits", "license"}
def attempt(function, parameters):
    try:
        result = function(*parameters)
        if hasattr(result, "__next__"): list(itertools.islice(result, 5))
        repr(result)[:100]
    except Exception as error:
        str(error)
for value in values:
    for name in dir(type(value)):
        if name in avoided or name.startswith("__") and name in ("__class__", "__del__", "__setattr__", "__delattr__"): continue
        for parameters in arguments:
            import copy
            try: target = copy.copy(value)
            except Exception: target = value
            attempt(getattr(target, name, None), parameters)
    attempt(lambda: f"{value!r} {value!s:>20}" + "%s %r" % (value, value), ())
for name in dir(builtins):
    function = getattr(builtins, name)
    if callable(function) and name not in avoided:
        for parameters in [*arguments, *((value,) for value in values)]: attempt(function, parameters)
for module in (math, operator, random, itertools, functools):
    for name in dir(module):
        for parameters in arguments: attempt(getattr(module, name), parameters)
for left in values:
    for right in values:
        for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "and_", "or_", "xor", "lshift", "rshift", "matmul", "eq", "lt", "ge", "contains", "getitem", "iadd", "is_"):
            if isinstance(left, int) and isinstance(right, int) and abs(right) > 100 and name in ("lshift", "mul"): continue
            attempt(getattr(operator, name), (left, right))
`;
const programs = [...Object.values(rehearsed).flat(), ...files, libraries, builtins];
const more = `
import sqlite3, struct, random, typing, collections.abc, array
with sqlite3.connect(":memory:") as base:
    base.execute("create table t(a integer primary key, b text, c real)")
    base.executemany("insert into t(b, c) values(?, ?)", [("x", 1.5), ("y", None), ("z", 3)])
    base.execute("select b, sum(c), count(*) from t where a > ? group by b order by b desc limit 5", (0,)).fetchall()
    base.execute("update t set b = upper(b) where c is not null"), base.execute("delete from t where a = 1")
    base.row_factory = sqlite3.Row
    [dict(row) for row in base.execute("select * from t join t as u using (a)")]
items = [1, 2, 3, 4]
random.shuffle(items), random.choice(items), random.sample(items, 2), random.uniform(1, 2), random.randint(1, 6), random.Random(5).random()
array.array("i", [1, 2]).tolist(), struct.unpack("<hi", bytes(6)), typing.get_type_hints(int), round(2.5), bin(5), hex(255), oct(8), pow(2, 10, 7)
complex(1, 2) ** 2, "é".encode("latin1"), "é".encode().decode(), memoryview(b"x")[0], isinstance([], collections.abc.Sequence), input
`;
programs.push(more);
const script = `
  const { Sandbox, memoryFile, scratch } = await import(${JSON.stringify(join(process.cwd(), "dist", "index.js"))});
  for (const isolation of ["inline", "worker"]) {
    const sandbox = await Sandbox.create({ isolation, limits: { wall: "100 s", cpu: "100 s" }, files: { "/work": scratch({ bytes: 1 << 20 }), "/in.csv": memoryFile("a,b") } });
    for (const source of ${JSON.stringify(programs)}) await sandbox.run(source);
    for (const source of ["1 / 0", "import nothing", "def f(:", "x = [", "'", "import threading; threading.Thread(target=print).start()", "open('/x')", "open('/work/x', 'w').write(open('/in.csv').read())", "raise SystemExit(3)", "x = ("])
      await sandbox.run(source).catch(() => {});
    await sandbox.reset();
    await sandbox.run("[1, 'a', {'b': 2.5}, None, b'c']");
    await sandbox.close();
  }`;
/** Empty at first: what prepares an interpreter is needed as well, and counts whether one was there before or not. */
const cache = mkdtempSync(join(tmpdir(), "sandboa-hot-"));
process.on("exit", () => rmSync(cache, { recursive: true, force: true }));

/** What V8 says of what it compiles. */
function trace(...words) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--trace-wasm-compilation-times", ...words],
    {
      env: { ...process.env, SANDBOA_ENGINE_FLAGS: "none", SANDBOA_CACHE: cache },
      encoding: "utf8",
      maxBuffer: 1 << 28,
    },
  );
  if (status !== 0) throw new Error(stderr);
  process.stderr.write(stderr);
  return stdout;
}

const whole =
  "import sys, os, atexit\natexit.register(print, sys.argv, os.environ)\nprint(1)\nprint(2, file=sys.stderr)\nsys.exit(0)";
const command = ["dist/cli.cjs", "run", "--env", "A=1", "--scratch", "/w=1 MiB"];
const stdout =
  trace("--input-type=module", "-e", script) +
  trace(...command, "-c", "print(1)") +
  trace(...command, "-c", whole, "argument") +
  trace(...command, "bench/programs/records.py") +
  trace(...command, "--json", "-c", whole);
const hot = new Set(
  [...stdout.matchAll(/^Compiled function \S+#(\d+) using/gm)].map(([, index]) => Number(index)),
);
const bits = new Uint8Array((Math.max(...hot) >> 3) + 1);
for (const index of hot) bits[index >> 3] |= 1 << (index & 7);
const lines =
  Buffer.from(bits)
    .toString("base64")
    .match(/.{1,120}/g) ?? [];
writeFileSync(
  "src/interpreter/hot-function-bits.ts",
  `// Made by tools/hot-functions.mjs. A bit for each function of pyodide.asm.wasm, the lowest of each byte first: whether common programs run it.
export const hotFunctionBits =
  ${lines.map((line) => JSON.stringify(line)).join(" +\n  ")};
`,
);
console.log(`${hot.size} functions`);
