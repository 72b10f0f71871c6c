// What the command refuses before a program runs: in the words of the command line, and with --json in one object as well.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { command, type Ended, ended, sandboaRun } from "./command-fixture.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-refusals-"));
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "there"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sandboa = (...args: readonly string[]): Ended => sandboaRun(args, folder);

const wrong: readonly (readonly [args: readonly string[], told: string, code: string])[] = [
  [["--wall", "0"], "--wall: ", "BAD_OPTION"],
  [["--memory", "lots"], "--memory: ", "BAD_OPTION"],
  [["--host-memory", "1"], "--host-memory: ", "BAD_OPTION"],
  [["--cpu", "soon"], "--cpu: ", "BAD_OPTION"],
  [["--fuel", "1"], "--fuel: ", "BAD_OPTION"],
  [["--output", "much"], "--output: ", "BAD_OPTION"],
  [["--grace", "0s"], "--grace: ", "BAD_OPTION"],
  [["--time-zone", "Mars"], "--time-zone: ", "BAD_OPTION"],
  [["--module", "os"], "--module: ", "BAD_OPTION"],
  [["--read", "missing.csv"], "--read missing.csv: ", "BAD_OPTION"],
  [["--create", "there:/x"], "--create there:/x: ", "BAD_OPTION"],
  [["--write", "there:/a/../x"], "--write there:/a/../x: ", "BAD_OPTION"],
  [["--scratch", "/lib=1MiB"], "--scratch /lib=1MiB: ", "BAD_OPTION"],
  [["--overlay", "none:/w"], "--overlay none:/w: ", "BAD_OPTION"],
  [
    ["--scratch", "/tmp=lots"],
    "error: option '--scratch <guest=size>' argument '/tmp=lots' is invalid. Accepted: ",
    "USAGE",
  ],
  [["--fuel", "much"], "error: option '--fuel <units>' argument 'much' is invalid", "USAGE"],
  [["--bogus"], "error: unknown option '--bogus'", "USAGE"],
  [["--commit"], "--commit needs --overlay", "USAGE"],
  [["--learn", "nowhere/p.json"], "--learn cannot write", "USAGE"],
];

test.each(wrong)("%j is told in the words that were typed", (args, told) => {
  const { status, stdout, stderr } = sandboa(...args, "-c", "print(1)");
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr.replace(/^sandboa: /, "").startsWith(told), stderr).toBe(true);
  expect(stderr).not.toMatch(/limits\.|files\[/);
});

test.each(wrong)("with --json %j is one object on standard output as well", (args, told, code) => {
  const { status, stdout, stderr } = sandboa("--json", ...args, "-c", "print(1)");
  expect(status).toBe(2);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    ok: false,
    value: null,
    exitCode: null,
    stdout: "",
    stderr: "",
    usage: null,
  });
  expect(report).toMatchObject({ denials: [], denialsDropped: 0, error: { code, sandbox: "none" } });
  expect(report.error.message).toContain(told.replace(/^error: /, ""));
  expect(stderr).toContain(report.error.message);
});

test("so is a missing program, and a sandbox that cannot start; help and a --json of the program's are not", () => {
  expect(JSON.parse(sandboa("--json", "nothing.py").stdout)).toMatchObject({
    ok: false,
    error: { code: "USAGE", message: "cannot read the program nothing.py: ENOENT", sandbox: "none" },
  });
  expect(JSON.parse(sandboa("--json").stdout)).toMatchObject({ ok: false, error: { code: "USAGE" } });
  expect(sandboa("--json", "--help").stdout).toMatch(/^Usage: /);
  expect(sandboa("nothing.py", "--json").stdout).toBe("");
  const gone = mkdtempSync(join(folder, "gone-"));
  const words = [
    "-c",
    'rmdir "$PWD"; exec "$@"',
    "sh",
    process.execPath,
    command,
    "run",
    "--json",
    "-c",
    "1",
  ];
  const { status, stdout } = ended("sh", words, gone);
  expect(status).toBe(125);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, exitCode: null, error: { sandbox: "lost" } });
});

test("a report that was printed is not followed by another", () => {
  const source = "import os, sys; os.mkdir('/data/p.json')";
  const { status, stdout, stderr } = sandboa(
    "--json",
    "--write",
    "data",
    "--learn",
    "data/p.json",
    "-c",
    source,
  );
  expect(status).toBe(2);
  expect(stderr).toMatch(/^sandboa: --learn writes over no file/);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true });
});
