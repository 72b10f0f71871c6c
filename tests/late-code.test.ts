// The rest of the interpreter's module comes when a guest calls something in it: at any depth, behind every wall, and for no fuel.
import { readdirSync, readlinkSync } from "node:fs";
import { Pool, Sandbox } from "sandboa";
import { describe, expect, test } from "vitest";

const needsRest = "import unicodedata; unicodedata.name('a')";
const name = "LATIN SMALL LETTER A";

describe.each(["inline", "worker", "process"] as const)("behind the wall %s", (isolation) => {
  test("what comes late comes where Python's stack ends, and again after a reset", async () => {
    await using sandbox = await Sandbox.create({ isolation });
    const deep = `
def deeper():
    try:
        return deeper()
    except RecursionError:
        ${needsRest.split("; ").join("\n        ").replace("unicodedata.name", "return unicodedata.name")}
deeper()`;
    expect((await sandbox.run(deep)).value).toBe(name);
    await sandbox.reset();
    expect((await sandbox.run(needsRest)).value).toBe(name);
  });

  test("a guest that ends in it leaves the next one all of it", async () => {
    await using sandbox = await Sandbox.create({ isolation });
    await expect(sandbox.run(`${needsRest}; import os; os.abort()`)).rejects.toMatchObject({
      code: "SANDBOX_ABORTED",
    });
    await sandbox.reset();
    expect((await sandbox.run(needsRest)).value).toBe(name);
  });

  test("whoever is the first to need it pays no fuel for it", async () => {
    await using pool = await Pool.create({ isolation, size: 1, metered: true });
    const used: number[] = [];
    for (let use = 0; use < 3; use++) {
      await using sandbox = await pool.checkout({ limits: { fuel: 1_000_000 } });
      const { value, usage } = await sandbox.run(needsRest);
      expect(value).toBe(name);
      used.push(usage.fuel ?? 0);
    }
    expect(used).toEqual(used.map(() => used[0]));
    expect(used[0]).toBeGreaterThan(1000);
  });
});

const isLinux = process.platform === "linux";
test.runIf(isLinux)(
  `its file is closed when it was read${isLinux ? "" : " (skipped: needs /proc)"}`,
  async () => {
    const open = (): number =>
      readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).endsWith("metered.wasm.rest");
        } catch {
          // That of the listing itself is closed by now.
          return false;
        }
      }).length;
    await using first = await Sandbox.create({ isolation: "inline" });
    await first.run(needsRest);
    expect(open()).toBe(0);
    await using second = await Sandbox.create({ isolation: "inline" });
    expect((await second.run(needsRest)).value).toBe(name);
    expect(open()).toBe(0);
  },
);

test("it is made once in an instance, and not at all for what common programs do", async () => {
  const { Instance } = WebAssembly;
  let made = 0;
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, [module, imports]) {
      made += 1;
      return new target(module, imports);
    },
  });
  try {
    await using sandbox = await Sandbox.create({ isolation: "inline" });
    made = 0;
    const common = `
import json, re, math, datetime, collections, csv, io, statistics, decimal
rows = list(csv.DictReader(io.StringIO("a,b\\n1,2\\n3,4\\n")))
by = collections.defaultdict(list)
for row in rows: by[row["a"]].append(int(row["b"]))
text = json.dumps({"rows": rows, "mean": statistics.mean([1, 2, 4]), "tenth": str(decimal.Decimal("0.1"))})
re.findall(r"[a-z]+", text), math.sqrt(2), datetime.date(2026, 1, 31).isoformat(), sorted(by.items()), f"{1 / 3:.3f}"`;
    await sandbox.run(common);
    await expect(sandbox.run("{}['missing']")).rejects.toMatchObject({ type: "KeyError" });
    expect(made).toBe(0);
    await sandbox.run(needsRest);
    // What traces is called from the evaluator, which is in the first part, not by way of a table.
    const traced =
      "import sys\nsys.settrace(lambda *a: None)\nfor _ in range(3): (lambda: 1)()\nsys.settrace(None)";
    for (let times = 0; times < 2; times++) await sandbox.run(traced);
    expect(made).toBe(1);
    await sandbox.reset();
    await sandbox.run(needsRest);
    expect(made).toBe(1);
  } finally {
    WebAssembly.Instance = Instance;
  }
});
