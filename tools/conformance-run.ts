// What tools/conformance.mjs runs.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testModules } from "../tests/conformance/modules.ts";
import { differences, type Expected, leftOut, recordOf } from "../tests/conformance/record.ts";
import { runModule, Suite } from "../tests/conformance/run-module.ts";
import { conformancePage } from "./conformance-page.ts";

/** The exit status. */
export async function main(args: readonly string[], root: string): Promise<number> {
  const update = args.includes("--update");
  const asked = args.filter((arg) => !arg.startsWith("--"));
  const suite = new Suite(root);
  const { version } = suite;
  if (version === undefined) {
    console.error("CPython's tests are not here: npm run conformance:fetch brings them, on Debian");
    return 1;
  }
  const place = join(root, "tests/conformance");
  const file = join(place, "expected.json");
  let expected: Expected = JSON.parse(readFileSync(file, "utf8"));
  if (version !== expected.suite && !update) {
    console.error(`this is ${version} of the suite, and what is expected is told of ${expected.suite}`);
    return 1;
  }
  const program = readFileSync(join(place, "run_module.py"), "utf8");
  let differs = 0;
  for (const name of asked.length > 0 ? asked : testModules) {
    const started = performance.now();
    const endings = await runModule(suite, name, program, leftOut(expected, name));
    const record = recordOf(endings, expected.modules[name]);
    const count = (of: object): number => Object.keys(of).length;
    const skipped = Object.values(record.skipped).reduce((sum, tests) => sum + tests, 0);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${name}: ${record.passed} passed, ${skipped} skipped, ${count(record.failed)} differ, ${seconds} s`,
    );
    const told = differences(name, endings, expected.modules[name]);
    for (const line of told) console.log(line);
    differs += told.length;
    expected = { ...expected, suite: version, modules: { ...expected.modules, [name]: record } };
  }
  if (update) {
    writeFileSync(file, `${JSON.stringify(expected, null, 2)}\n`);
    writeFileSync(join(root, "docs/conformance.md"), conformancePage(expected));
    return 0;
  }
  console.log(differs === 0 ? "as expected" : `${differs} differences`);
  return differs === 0 ? 0 : 1;
}
