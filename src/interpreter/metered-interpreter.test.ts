// The metered form of the real interpreter: it computes what the plain one does, whatever runs for long keeps asking the host,
// and the units that a program uses depend on the program alone.
import { beforeAll, describe, expect, test } from "vitest";
import { hostilePrograms } from "./hostile-programs-fixture.ts";
import { loadForm, Trial } from "./metered-fixture.ts";

let plain: Trial;
let metered: Trial;
beforeAll(async () => {
  plain = new Trial(await loadForm(false));
  metered = new Trial(await loadForm(true));
}, 120_000);

const program = `
import hashlib, json, pickle, re, zlib
words = re.findall(r"\\w+", "the quick brown fox jumps over the lazy dog " * 50)
counts = {}
for word in words: counts[word] = counts.get(word, 0) + 1
text = json.dumps(sorted(counts.items()), indent=1)
blob = zlib.compress(pickle.dumps([text, {word: i for i, word in enumerate(words)}, 3**5000]))
back = pickle.loads(zlib.decompress(blob))
def g(n):
    try:
        for i in range(n): yield i * 1.5
    finally: counts["end"] = n
def f(n): return n if n < 2 else f(n - 1) + f(n - 2)
try: {}["x"]
except KeyError as error: caught = repr(error)
[text, hashlib.sha256(repr(back).encode()).hexdigest(), sum(g(500)), f(12), caught, hash("x"), counts["end"],
 str(3**500 // 7**20), max(map(len, words)), sorted(set(words)), bytes(range(256)).hex()]
`;

test("it computes what the plain form does, from the same snapshot", async () => {
  expect((await loadForm(true)).image).toBe((await loadForm(false)).image);
  const expected = plain.value(program);
  expect(Array.isArray(expected)).toBe(true);
  expect(metered.value(program)).toEqual(expected);
  metered.reset();
  expect(metered.value(program, { sliceUnits: 13 })).toEqual(expected);
});

describe("fuel", () => {
  test("is the same for the same program, whatever the slices", () => {
    const spent = [undefined, 10_000, 1, 777].map((sliceUnits) => {
      metered.reset();
      metered.run(program, sliceUnits === undefined ? {} : { sliceUnits });
      return metered.spent;
    });
    expect(spent[0]).toBeGreaterThan(10_000);
    expect(new Set(spent).size).toBe(1);
  });

  test("is the same in another machine of the same image", async () => {
    metered.reset();
    metered.run(program);
    const other = new Trial(await loadForm(true));
    other.reset();
    other.run(program);
    expect(other.spent).toBe(metered.spent);
  });

  test("a budget stops at the same place, whatever the slices", () => {
    const endings = [10_000, 3, 1000].map((sliceUnits) => {
      metered.reset();
      const outcome = metered.run("n = 0\nwhile True: n += 1; open('/tmp/n', 'w').write(str(n))", {
        budget: 100_000,
        sliceUnits,
      });
      return { kind: outcome.kind, spent: metered.spent };
    });
    expect(endings[0]?.kind).toBe("stopped");
    expect(endings[0]?.spent).toBeGreaterThanOrEqual(100_000);
    // The last charge may be that of a call of the kernel, 200 units and what it moved.
    expect(endings[0]?.spent).toBeLessThan(100_300);
    expect(new Set(endings.map((ending) => JSON.stringify(ending))).size).toBe(1);
  });

  test("a Python loop that asked fifty times as often asks once a slice", () => {
    metered.reset();
    metered.run("for _ in range(10**5): pass");
    expect(metered.asked).toBeLessThan(metered.spent / 9_999);
  });
});

// A program that is not charged runs until the test runner gives up: no clock decides.
describe("a hostile program is stopped at the thirtieth slice of 1,000 units", () => {
  test.each(hostilePrograms)("$name", ({ setup, attack }) => {
    metered.reset();
    if (setup !== undefined) expect(metered.value(setup)).toBeNull();
    const outcome = metered.value(attack, { sliceUnits: 1000, maxAsked: 30 });
    expect(outcome).toMatchObject({ kind: "stopped", reason: { kind: "limit" } });
    // One charge may be larger than a slice, by a step of a bulk copy at most.
    expect(metered.spent).toBeLessThan(30 * 1000 + 30 * (1 << 14));
  });

  test("and the interpreter can be used again", () => {
    metered.reset();
    expect(metered.value("6 * 7")).toBe(42);
  });
});
