// A reset of the noted pages alone leaves the very memory that a reset of everything leaves: whatever ran before, byte for byte.
import { beforeAll, describe, expect, test } from "vitest";
import { type LoadedImage, loadImage } from "../host/images/image-cache.ts";
import { refusedByDefault } from "../host/images/library-choice.ts";
import { hostilePrograms } from "./hostile-programs-fixture.ts";
import { loadForm, Trial } from "./metered-fixture.ts";
import { cardBytes, cardTable } from "./wasm/marking/card-table.ts";

let tracked: LoadedImage;
let pristine: Buffer;
beforeAll(async () => {
  tracked = await loadForm(true, true);
  const whole = new Trial(await loadForm(true));
  whole.run("x = 1");
  whole.reset();
  pristine = whole.memory();
}, 120_000);

/** Where two memories differ, by page; notes are no content. */
function difference(found: Buffer, expected = pristine): string[] {
  const { start } = cardTable(expected.length);
  const pages: string[] = [];
  for (let at = 0; at < start; at += cardBytes) {
    const end = Math.min(at + cardBytes, start);
    if (found.compare(expected, at, end, at, end) !== 0) pages.push(`0x${at.toString(16)}`);
  }
  return pages;
}

const ordinary = {
  nothing: "pass",
  "a value": "1 + 1",
  "most of the library": `
import json, re, pickle, sqlite3, zlib, decimal, collections, dataclasses, datetime, hashlib, itertools, textwrap
@dataclasses.dataclass
class Record:
    name: str
    when: datetime.date
records = [Record(f"name {i}", datetime.date(2026, 1, 1 + i % 28)) for i in range(300)]
text = json.dumps([dataclasses.asdict(record) for record in records], default=str)
found = re.findall(r'"name": "(\\w+ \\d+)"', text)
connection = sqlite3.connect(":memory:")
connection.execute("create table t (a, b)")
connection.executemany("insert into t values (?, ?)", [(name, len(name)) for name in found])
packed = zlib.compress(pickle.dumps(collections.Counter(found)))
[connection.execute("select sum(b) from t").fetchone(), hashlib.sha256(packed).hexdigest(), decimal.Decimal(2).sqrt()]`,
  "late data": `
import unicodedata
[unicodedata.name(c) for c in "aä"], "あ".encode("euc_jp"), "中".encode("gbk")`,
  "what is copied and filled": `
import array
block = bytearray(300_000)
block[5000:200_000] = b"x" * 195_000
block[1:] = block[:-1]
data = memoryview(block)[::-1].tobytes() + bytes(100_000)
numbers = array.array("d", range(20_000))
numbers.byteswap()
text = "ä" * 50_000 + "\\U0001f600"
len(text.upper().encode("utf-16")) + sum(data[:100])`,
  "what the host writes": `
import os, mmap
random = os.urandom(150_000)
with open("/tmp/x", "w+b") as file:
    file.write(random)
    file.seek(0)
    back = bytearray(150_000)
    file.readinto(back)
    with mmap.mmap(file.fileno(), 0) as mapped: third = bytes(mapped)
list(os.scandir("/lib/python3.14"))
back == random == third`,
  "state that was planted": `
import sys, builtins, atexit, random, os, signal
sys.planted = builtins.planted = object()
sys.modules["planted"] = sys
sys.setrecursionlimit(5000)
atexit.register(print)
random.seed(1)
os.environ["PLANTED"] = "1"
os.umask(0o77)
str.__doc__
interned = [sys.intern(f"planted {i}") for i in range(2000)]
dict.fromkeys(range(5000)).keys() - {1}`,
  "sets and names of the library itself": `
import keyword, tokenize, opcode
for module in list(__import__("sys").modules.values()):
    for name, value in list(vars(module).items()):
        hash(name)
        if isinstance(value, (set, dict)): list(value)
vars(keyword)["planted"] = set(keyword.kwlist)`,
  "an exception in the depths": `
def f(n): return [f(n - 1)]
try: f(10**6)
except RecursionError as error: trace = error.__traceback__`,
};

describe("the memory is as it was captured after", () => {
  test.each(Object.entries(ordinary))("%s", (_name, source) => {
    const trial = new Trial(tracked);
    for (let round = 0; round < 2; round++) {
      trial.run(source);
      expect(trial.hasGrown).toBe(false);
      trial.reset();
      expect(difference(trial.memory())).toEqual([]);
    }
  });

  test.each(hostilePrograms.map((program) => [program.name, program] as const))("%s", (_name, program) => {
    const trial = new Trial(tracked);
    if (program.setup) trial.run(program.setup);
    const outcome = trial.run(program.attack, { budget: 3_000_000 });
    const grown = trial.hasGrown;
    if (outcome.kind !== "crashed" && !grown) {
      trial.reset();
      expect(difference(trial.memory())).toEqual([]);
    }
    // As after a trap.
    trial.replace();
    expect(trial.hasGrown).toBe(false);
    expect(difference(trial.memory())).toEqual([]);
    expect(trial.value("1 + 1")).toBe(2);
  });
});

test("fuel is the same with notes and without", async () => {
  const trials = [new Trial(tracked), new Trial(await loadForm(true))];
  for (const source of Object.values(ordinary)) {
    const spent = trials.map((trial) => {
      trial.run(source);
      trial.reset();
      trial.run(source);
      return trial.spent;
    });
    expect(spent[0]).toBeGreaterThan(0);
    expect(spent[1]).toBe(spent[0]);
    for (const trial of trials) trial.reset();
  }
});

test("after a trap another instance takes the memory over", () => {
  const trial = new Trial(tracked);
  const deep = "a = ()\nfor _ in range(30_000): a = (a,)\nhash(a)";
  expect(trial.run(`planted = "x" * 1000\n${deep}`).kind).toBe("crashed");
  expect(trial.hasGrown).toBe(false);
  const before = trial.buffer;
  trial.replace();
  expect(trial.buffer).toBe(before);
  expect(difference(trial.memory())).toEqual([]);
  expect(trial.value("'planted' in globals()")).toBe(false);
});

test("what the host's adapters of callbacks write is restored with the rest", async () => {
  const refusedModules = refusedByDefault.filter((name) => name !== "_ctypes");
  const load = (isTracked: boolean) => loadImage({ refusedModules, metered: true, tracked: isTracked });
  const [whole, trial] = [new Trial(await load(false)), new Trial(await load(true))];
  whole.reset();
  const source = `
import ctypes
words = [ctypes.c_longlong] * 480
back = ctypes.CFUNCTYPE(ctypes.c_longlong, *words)(lambda *values: sum(values))
def deep(n): return deep(n - 1) if n else back(*range(480))
deep(100)`;
  expect(trial.notesHold).toBe(true);
  expect(trial.value(source)).toBe(114_960);
  expect([trial.hasGrown, trial.notesHold]).toEqual([false, false]);
  trial.reset();
  expect(trial.notesHold).toBe(true);
  expect(difference(trial.memory(), whole.memory())).toEqual([]);
}, 120_000);
