// CPython's own tests, in the box. The quick modules, of files, are held against what is expected where the suite has been fetched;
// what is expected is checked in any case. All modules: npm run conformance.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Sandbox } from "sandboa";
import { describe, expect, test } from "vitest";
import { quickModules, testModules } from "./conformance/modules.ts";
import { differences, type Expected, leftOut, type ModuleRecord, recordOf } from "./conformance/record.ts";
import { type Ending, runModule, Suite } from "./conformance/run-module.ts";

const root = resolve(import.meta.dirname, "..");
const read = (name: string): string => readFileSync(join(root, "tests/conformance", name), "utf8");
const expected: Expected = JSON.parse(read("expected.json"));
const suite = new Suite(root);

describe("what is expected", () => {
  test("covers every module, and every failure has a reason that is explained", () => {
    expect(Object.keys(expected.modules).sort()).toEqual([...testModules]);
    const given = Object.values(expected.modules).flatMap(({ failed }) => Object.values(failed));
    expect([...new Set(given)].sort()).toEqual(Object.keys(expected.reasons).sort());
  });

  test("is told of the Python that is in the box", async () => {
    await using sandbox = await Sandbox.create();
    const run = await sandbox.run("import platform; platform.python_version()");
    expect(run.value).toBe(expected.python);
  });
});

describe("a run is held against it", () => {
  const ends = new Map<string, Ending>([
    ["m.a", ["passed", ""]],
    ["m.b", ["failed", "Traceback"]],
    ["m.c", ["skipped", "needs 1234 bytes"]],
    ["m.d", ["skipped", "needs 5678 bytes"]],
  ]);
  const known: ModuleRecord = { passed: 1, skipped: { "needs N bytes": 2 }, failed: { "m.b": "why" } };

  test("and is as expected, or not", () => {
    expect(recordOf(ends, known)).toEqual(known);
    expect(differences("m", ends, known)).toEqual([]);
    expect(differences("m", ends, undefined)).toEqual(["m: nothing is known of this module"]);
    expect(recordOf(ends, undefined).failed).toEqual({ "m.b": "unexplained" });
  });

  test.each<[string, ModuleRecord, string[]]>([
    ["a new failure", { ...known, failed: {} }, ["m.b fails: Traceback"]],
    [
      "a failure that has gone",
      { ...known, failed: { ...known.failed, "m.a": "old", "m.e": "old" } },
      ["m.a does not fail (old), it is passed", "m.e does not fail (old), it is not there"],
    ],
    [
      "tests that were skipped for another reason",
      { ...known, skipped: { other: 2 } },
      ["m: 2 tests are skipped, and 0 were: needs N bytes", "m: 0 tests are skipped, and 2 were: other"],
    ],
    ["tests that are no more", { ...known, passed: 2 }, ["m: 1 tests pass, and 2 did"]],
  ])("%s is told", (_, record, told) => {
    expect(differences("m", ends, record)).toEqual(told);
  });

  test("tests without end are left out", () => {
    const reasons = { loop: { text: "", run: false as const }, why: { text: "" } };
    const failed = { "m.a": "loop", "m.b": "why" };
    const modules = { m: { passed: 0, skipped: {}, failed } };
    expect(leftOut({ suite: "", python: "", reasons, modules }, "m")).toEqual(["m.a"]);
  });
});

const { version } = suite;
const usable = version === expected.suite;
if (!usable) {
  const found = version === undefined ? "not here" : `here in version ${version}`;
  process.stderr.write(
    `CPython's tests ${expected.suite} are ${found}: none is run. npm run conformance:fetch brings the newest.\n`,
  );
}

describe.skipIf(!usable)("CPython's own tests in the box", () => {
  test.each(quickModules)(
    "%s",
    async (name) => {
      const ends = await runModule(suite, name, read("run_module.py"), leftOut(expected, name));
      expect(differences(name, ends, expected.modules[name])).toEqual([]);
    },
    300_000,
  );
});
