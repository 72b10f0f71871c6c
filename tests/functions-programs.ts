// Functions of every kind that a host can offer, and programs that call them: each with its value, or the exception that ends it.

import { branded } from "../src/capabilities/functions/brand.ts";
import type {
  FunctionCapability,
  ObjectCapability,
} from "../src/capabilities/functions/function-capability.ts";
import { GuestException } from "../src/errors/guest-exception.ts";
import { fn, parameter } from "../src/host/calls/calls-fixture.ts";
import type { Grants } from "./functions-fixture.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
type Callable = (...given: unknown[]) => Promise<unknown>;

const cursor: ObjectCapability = branded({
  kind: "object",
  name: "Cursor",
  description: "Rows.",
  methods: new Map([["fetch", fn(({ n }) => [n, "row"], { parameters: ["n"], description: "Some rows." })]]),
  attributes: new Map([["count", fn(() => 3)]]),
  target: { secret: "of the host" },
});
const twice: FunctionCapability = fn(({ x }) => (x as number) * 2, { parameters: ["x"] });
const aborted: string[] = [];

export const grants: Grants = {
  add: fn(({ a, b }) => (a as number) + (b as number), {
    parameters: [
      parameter("a", { annotation: "int", description: "one" }),
      parameter("b", { annotation: "int", isOptional: true, defaultText: "10" }),
    ],
    returns: "int",
    description: "Adds.",
  }),
  echo: fn(({ value }) => value, { parameters: ["value"] }),
  given: fn((given) => Object.entries(given).map(([name, value]) => `${name}=${JSON.stringify(value)}`), {
    parameters: [
      parameter("first", { kind: "positionalOnly" }),
      parameter("maybe", { isOptional: true }),
      parameter("rest", { kind: "positionals" }),
      parameter("flag", { kind: "keywordOnly", isOptional: true }),
      parameter("more", { kind: "keywords" }),
    ],
  }),
  named: fn(({ a, b }) => [a, b], { parameters: ["a", parameter("b", { kind: "keywordOnly" })] }),
  slow: fn(
    async ({ x, ms }, { signal }) => {
      signal.addEventListener("abort", () => aborted.push(`slow ${x}`));
      await sleep(ms as number);
      return x;
    },
    { parameters: ["x", parameter("ms", { isOptional: true, defaultText: "5" })], isAsync: true },
  ),
  late: fn(async () => sleep(5).then(() => "late")),
  broken: fn(() => {
    throw new Error("a secret of the host");
  }),
  refuse: fn(
    ({ type }) => {
      throw new GuestException(type as string, "said so");
    },
    { parameters: ["type"] },
  ),
  strange: fn(() => Symbol("no value of Python's")),
  cursor: fn(() => ({ cursor, twice })),
  isOriginal: fn(({ value }) => value === cursor.target || value === twice, { parameters: ["value"] }),
  db: cursor,
  feed: fn(
    function* ({ n }) {
      for (let i = 0; i < (n as number); i++) yield i;
    },
    { parameters: ["n"], streams: true },
  ),
  news: fn(
    async function* ({ n }) {
      try {
        for (let i = 0; i < (n as number); i++) {
          await sleep(1);
          yield i;
        }
      } finally {
        aborted.push("news");
      }
    },
    { parameters: ["n"], streams: true, isAsync: true },
  ),
  list: fn(() => ["a", "b"], { streams: true }),
  call: fn(async ({ f, x }) => (f as Callable)(x), { parameters: ["f", "x"], isAsync: true }),
  collect: fn(
    async ({ items }) => {
      const found: unknown[] = [];
      for await (const item of items as AsyncIterable<unknown>) {
        found.push(item);
        if (item === "enough") break;
      }
      return found;
    },
    { parameters: ["items"], isAsync: true },
  ),
  tell: fn(
    ({ f }) => {
      void (f as Callable)("told");
      return "done";
    },
    { parameters: ["f"] },
  ),
  one: fn(async () => sleep(3), { isAsync: true, limits: { concurrency: 1 } }),
  twoCalls: fn(() => 1, { limits: { calls: 2 } }),
  fewBytes: fn(() => 1, { parameters: ["x"], limits: { bytes: 100 } }),
  "billing.invoice": fn(() => "paid", { description: "Pays." }),
  "billing.eu.vat": fn(() => 19),
};

/** [what, source, value or exception]; `inline`: where the one thread cannot wait. */
type Row = readonly [what: string, source: string, value: unknown, inline?: unknown];
const cannot = (name: string): string =>
  `RuntimeError: ${name}() answers later, and this sandbox cannot wait inside of a synchronous call: use await, or isolation "worker" or "process"`;

export const programs: readonly Row[] = [
  ["positions and names", "from host import add\n[add(1), add(1, 2), add(b=2, a=5)]", [11, 3, 7]],
  [
    "a true signature",
    "import host, inspect\nstr(inspect.signature(host.add))",
    "(a: 'int', b: 'int' = 10) -> 'int'",
  ],
  [
    "a docstring",
    "import host\n[host.add.__doc__, host.add.__module__, host.add.__name__, host.add.__qualname__]",
    ["Adds.\n\nArguments:\n    a: one", "host", "add", "add"],
  ],
  [
    "a missing argument",
    "import host\nhost.add()",
    "TypeError: add() missing 1 required positional argument: 'a'",
  ],
  [
    "an argument too many",
    "import host\nhost.add(1, 2, 3)",
    "TypeError: add() takes from 1 to 2 positional arguments but 3 were given",
  ],
  [
    "a name too many",
    "import host\nhost.add(1, c=2)",
    "TypeError: add() got an unexpected keyword argument 'c'",
  ],
  [
    "all kinds of parameters",
    "from host import given\n[given(1), given(1, 2, 3, flag=True, z=4, __class__=5)]",
    [
      ["first=1", "rest=[]"],
      ["first=1", "maybe=2", "rest=[3]", "flag=true", "z=4", "__class__=5"],
    ],
  ],
  [
    "an argument by position only, by name",
    "from host import given\ngiven(first=1)",
    "TypeError: given() missing 1 required positional argument: 'first'",
  ],
  ["an argument by name only", "from host import named\nnamed(1, b=2)", [1, 2]],
  [
    "an argument by name only, by position",
    "from host import named\nnamed(1, 2)",
    "TypeError: named() takes 1 positional argument but 2 were given",
  ],
  [
    "a name that is none on the host",
    "from host import given\ngiven(1, __proto__=2)",
    "TypeError: given() got an argument that has no name",
  ],
  [
    "values both ways",
    "from host import echo\n[echo(x) for x in (None, True, 2.5, 'ä', b'x', [1, [2]], (), {'k': 1})]",
    [null, true, 2.5, "ä", new Uint8Array([120]), [1, [2]], [], new Map([["k", 1]])],
  ],
  [
    "a submodule",
    "from host.billing import invoice\nfrom host.billing.eu import vat\n[invoice(), vat(), invoice.__module__]",
    ["paid", 19, "host.billing"],
  ],
  ["a module as an attribute", "import host\nhost.billing.eu.vat()", 19],
  ["what is not there", "import host.nothing", "ModuleNotFoundError: No module named 'host.nothing'"],
  [
    "what is not there, either",
    "from host import nothing",
    "ImportError: cannot import name 'nothing' from 'host' (unknown location)",
  ],
  ["an error of the host", "import host\nhost.broken()", "host.HostError: broken() failed"],
  ["an answer that cannot cross", "import host\nhost.strange()", "host.HostError: strange() failed"],
  ["a chosen exception", "import host\nhost.refuse('KeyError')", "KeyError: 'said so'"],
  [
    "an exception of the host's own",
    "import host\ntry: host.refuse('MyQuota')\nexcept host.HostError as e: r = [type(e) is host.MyQuota, str(e)]\nr",
    [true, "said so"],
  ],
  ["await", "from host import slow\nawait slow(4)", 4],
  [
    "a synchronous call of an async function",
    "from host import slow\ndef f(): return slow(4)\nf()",
    4,
    cannot("slow"),
  ],
  ["a synchronous call that is answered late", "from host import late\nlate()", "late", cannot("late")],
  [
    ".sync and .aio",
    "from host import add, slow\n[add.sync(1), await add.aio(2), await slow.aio(3)]",
    [11, 12, 3],
  ],
  [
    "gather",
    "import asyncio\nfrom host import slow\nawait asyncio.gather(*(slow(i, 20 - i) for i in range(20)))",
    [...Array(20).keys()],
  ],
  [
    "asyncio.run",
    "import asyncio\nfrom host import slow\nasync def main(): return await slow(7)\nasyncio.run(main())",
    7,
    'RuntimeError: the host answers later, and this sandbox cannot wait inside of synchronous code: use await at the top level, or isolation "worker" or "process"',
  ],
  [
    "as they come",
    "import asyncio\nfrom host import slow\n[await t for t in asyncio.as_completed([slow(1, 60), slow(2, 5), slow(3, 30)])]",
    [2, 3, 1],
  ],
  [
    "a timeout",
    `import asyncio
from host import slow
try:
    async with asyncio.timeout(0.02): await slow(1, 5000)
except TimeoutError: r = 'timeout'
[r, await slow(2)]`,
    ["timeout", 2],
  ],
  [
    "wait_for",
    "import asyncio\nfrom host import slow\nawait asyncio.wait_for(slow(1, 5000), 0.01)",
    "TimeoutError",
  ],
  [
    "a task that is cancelled",
    `import asyncio
from host import slow
t = asyncio.create_task(slow(1, 5000))
await asyncio.sleep(0.01)
t.cancel()
try: await t
except asyncio.CancelledError: r = 'cancelled'
r`,
    "cancelled",
  ],
  [
    "a task group with one that fails",
    `import asyncio
from host import slow, broken
try:
    async with asyncio.TaskGroup() as g:
        a = g.create_task(slow(1, 5000))
        b = g.create_task(broken.aio())
except* Exception as e: r = [str(x) for x in e.exceptions]
[r, a.cancelled()]`,
    [["broken() failed"], true],
  ],
  [
    "sleeping meanwhile",
    "import asyncio\nfrom host import slow\nt = asyncio.create_task(slow('host', 40))\nawait asyncio.sleep(0.005)\n[t.done(), await t]",
    [false, "host"],
  ],
  [
    "an object",
    "from host import db\n[db.fetch(2), db.count, repr(db), type(db).__name__, db.fetch.__doc__]",
    [[2, "row"], 3, "<host.Cursor>", "Cursor", "Some rows."],
  ],
  [
    "an object has nothing else",
    "from host import db\ndb.target",
    "AttributeError: 'Cursor' object has no attribute 'target'",
  ],
  [
    "an attribute cannot be set",
    "from host import db\ndb.count = 4",
    "AttributeError: property 'count' of 'Cursor' object has no setter",
  ],
  [
    "handles",
    "from host import cursor\nc = cursor()\n[c['cursor'].fetch(1), c['cursor'].count, c['twice'](21)]",
    [[1, "row"], 3, 42],
  ],
  [
    "a handle is the same as long as it lives",
    "from host import cursor\nc = cursor()\nd = cursor()\n[c['twice'] is d['twice'], c['cursor'] is d['cursor']]",
    [true, true],
  ],
  [
    "what is passed back is the original",
    "from host import cursor, isOriginal, db\nc = cursor()\n[isOriginal(c['cursor']), isOriginal(c['twice']), isOriginal(db), isOriginal(len)]",
    [true, true, true, false],
  ],
  [
    "handles that were let go",
    "from host import cursor\nfor i in range(1500): cursor()\ncursor()['twice'](4)",
    8,
  ],
  [
    "a stream",
    "from host import feed\n[list(feed(3)), [x for x in feed(2)]]",
    [
      [0, 1, 2],
      [0, 1],
    ],
  ],
  ["a list as a stream", "from host import list as items\n[x async for x in items()]", ["a", "b"]],
  ["an async stream", "from host import news\n[x async for x in news(3)]", [0, 1, 2]],
  [
    "an async stream in sync code",
    "from host import news\ndef f(): return list(news(3))\nf()",
    [0, 1, 2],
    cannot("news"),
  ],
  [
    "a stream that is closed",
    "from host import news\ns = news(5)\nr = [await anext(s)]\ns.close()\nr += [x async for x in s]\nr",
    [0],
  ],
  [
    "many streams, one after the other",
    "from host import feed\nsum(next(feed(1)) + 1 for i in range(1500))",
    1500,
  ],
  ["a stream passed on", "from host import feed, collect\nawait collect(feed(3))", [0, 1, 2]],
  ["a callable", "from host import call\nawait call(lambda x: x + 1, 4)", 5],
  [
    "a callable in sync code",
    "from host import call\ndef f(): return call(lambda x: x + 1, 4)\nf()",
    5,
    cannot("call"),
  ],
  [
    "a coroutine function",
    "import asyncio\nfrom host import call\nasync def f(x):\n    await asyncio.sleep(0.001)\n    return x + 1\nawait call(f, 4)",
    5,
  ],
  [
    "a callable that calls the host",
    "from host import call, slow\nasync def f(x): return await slow(x) + 1\nawait call(f, 4)",
    5,
  ],
  [
    "a callable that raises",
    "from host import call\nawait call(lambda x: 1 // 0, 4)",
    "ZeroDivisionError: division by zero",
  ],
  [
    "a callable that is told after the answer",
    "from host import tell\nseen = []\n[tell(seen.append), seen]",
    ["done", ["told"]],
  ],
  ["a generator", "from host import collect\nawait collect(x * x for x in range(4))", [0, 1, 4, 9]],
  [
    "an async generator",
    "from host import collect, slow\nasync def g():\n    for i in range(3): yield await slow(i)\nawait collect(g())",
    [0, 1, 2],
  ],
  [
    "a generator that is left",
    "from host import collect\nleft = []\ndef g():\n    try:\n        yield 1\n        yield 'enough'\n        yield 2\n    finally: left.append(1)\n[await collect(g()), left]",
    [[1, "enough"], [1]],
  ],
  [
    "one at a time",
    "import asyncio\nfrom host import one\nlen(await asyncio.gather(*(one() for i in range(5))))",
    5,
  ],
  [
    "calls are used up",
    "from host import twoCalls\n[twoCalls(), twoCalls()]\ntwoCalls()",
    "PermissionError: twoCalls() has used up its 2 calls",
  ],
  [
    "bytes are used up",
    "from host import fewBytes\nfewBytes(b'x' * 100)",
    "PermissionError: fewBytes() has used up its 100 bytes",
  ],
  [
    "what cannot cross",
    "from host import echo\necho(object())",
    "TypeError: echo() argument 'value' cannot be copied: an object of type object",
  ],
  [
    "what cannot cross, further inside",
    "from host import given\ngiven(1, 2, 3, [object()])",
    "TypeError: given() argument 'rest'[1][0] cannot be copied: an object of type object",
  ],
  [
    "what cannot cross, awaited",
    "from host import slow\nawait slow({'k': object()})",
    "TypeError: slow() argument 'x'['k'] cannot be copied: an object of type object",
  ],
  [
    "what was lent comes back as itself",
    "from host import echo\ndef g(): yield 1\ni = g()\n[echo(print) is print, echo([i])[0] is i]",
    [true, true],
  ],
  ["StopIteration at the top", "next(iter([]))", "StopIteration"],
  [
    "a thousand at once",
    "import asyncio\nfrom host import slow\nsum(await asyncio.gather(*(slow(i, 1) for i in range(1000))))",
    499500,
  ],
];
