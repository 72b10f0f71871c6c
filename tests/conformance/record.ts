// What is expected of CPython's tests in the box, as expected.json keeps it, and how a run is held against it: a failure that is not
// expected, an expected one that passes, and tests that are skipped for other reasons than before are all differences.
import type { Endings } from "./run-module.ts";

export interface ModuleRecord {
  readonly passed: number;
  /** Why CPython skips tests here, and how many. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Test to the name of its reason. */
  readonly failed: Readonly<Record<string, string>>;
}

export interface Reason {
  readonly text: string;
  /** Tests that never end are not run. */
  readonly run?: false;
}

export interface Expected {
  /** Debian's version of the suite. */
  readonly suite: string;
  /** Of Python in the box. */
  readonly python: string;
  readonly reasons: Readonly<Record<string, Reason>>;
  readonly modules: Readonly<Record<string, ModuleRecord>>;
}

/** The reason of a failure that nobody has looked at. No expectation may have it. */
export const unexplained = "unexplained";

export function leftOut({ modules, reasons }: Expected, name: string): readonly string[] {
  const failed = Object.entries(modules[name]?.failed ?? {});
  return failed.filter(([, reason]) => reasons[reason]?.run === false).map(([id]) => id);
}

/** Failures have the reasons that they had before. */
export function recordOf(endings: Endings, before: ModuleRecord | undefined): ModuleRecord {
  const skipped = new Map<string, number>();
  const failed = new Map<string, string>();
  let passed = 0;
  for (const [id, [kind, text]] of endings) {
    if (kind === "passed") passed += 1;
    else if (kind === "failed") failed.set(id, before?.failed[id] ?? unexplained);
    else {
      const reason = plain(text);
      skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    }
  }
  return { passed, skipped: sorted(skipped), failed: sorted(failed) };
}

/** The suite makes names and looks at numbers of its own at each run. */
function plain(reason: string): string {
  return reason.replaceAll(/\d{3,}/g, "N");
}

function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Empty when the run is as expected. */
export function differences(name: string, endings: Endings, expected: ModuleRecord | undefined): string[] {
  if (expected === undefined) return [`${name}: nothing is known of this module`];
  const found = recordOf(endings, expected);
  const told: string[] = [];
  for (const id of Object.keys(found.failed))
    if (!(id in expected.failed)) told.push(`${id} fails: ${endings.get(id)?.[1]}`);
  for (const [id, reason] of Object.entries(expected.failed))
    if (!(id in found.failed))
      told.push(`${id} does not fail (${reason}), it is ${endings.get(id)?.[0] ?? "not there"}`);
  for (const reason of new Set([...Object.keys(found.skipped), ...Object.keys(expected.skipped)])) {
    const [now, then] = [found.skipped[reason] ?? 0, expected.skipped[reason] ?? 0];
    if (now !== then) told.push(`${name}: ${now} tests are skipped, and ${then} were: ${reason}`);
  }
  if (found.passed !== expected.passed)
    told.push(`${name}: ${found.passed} tests pass, and ${expected.passed} did`);
  return told;
}
