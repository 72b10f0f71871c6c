// Where the folder that a program lies in is granted, the program imports from it, as with python.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ended, sandboaRun } from "./command-fixture.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-beside-"));
  mkdirSync(join(folder, "pkg", "sub d'\"é"), { recursive: true });
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "pkg", "helper.py"), "name = 'beside'");
  writeFileSync(join(folder, "pkg", "sub d'\"é", "helper.py"), "name = 'deeper'");
  const main = "import sys, helper; print(helper.name, sys.path[0], __file__, dir())";
  for (const place of ["pkg", "pkg/sub d'\"é"]) writeFileSync(join(folder, place, "main.py"), main);
  symlinkSync("../pkg/main.py", join(folder, "bin", "linked.py"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sandboa = (...args: readonly string[]): Ended => sandboaRun(args, folder);

const plain =
  "['__builtins__', '__doc__', '__file__', '__loader__', '__name__', '__package__', '__spec__', 'helper', 'sys']";

test.each([
  [["--read", "pkg", "pkg/main.py"], "beside /pkg pkg/main.py"],
  [["--read", "./pkg", "./pkg/main.py"], "beside /pkg ./pkg/main.py"],
  [["--write", "pkg", "pkg/main.py"], "beside /pkg pkg/main.py"],
  [["--overlay", "pkg:/app", "pkg/main.py"], "beside /app pkg/main.py"],
  [["--read", ".:/app", "pkg/sub d'\"é/main.py"], "deeper /app/pkg/sub d'\"é pkg/sub d'\"é/main.py"],
  [["--read", "pkg", "bin/linked.py"], "beside /pkg bin/linked.py"],
  [["--isolation", "inline", "--fuel", "1e8", "--read", "pkg", "pkg/main.py"], "beside /pkg pkg/main.py"],
  [["--isolation", "process", "--read", "pkg", "pkg/main.py"], "beside /pkg pkg/main.py"],
])("%j", (args, told) => {
  const ended = sandboa(...args);
  expect(ended.stderr.replace(/^sandboa: nothing changed.*\n/, "")).toBe("");
  expect(ended.stdout).toBe(`${told} ${plain}\n`);
});

test("where it is not granted nothing changes: the program finds what lies in its working folder, /", () => {
  for (const args of [[], ["--read", "bin"], ["--create", "pkg"], ["--read", "pkg/main.py"]])
    expect(sandboa(...args, "pkg/main.py").stderr).toContain("ModuleNotFoundError: No module named 'helper'");
  const args = ["--read", "pkg/helper.py:/helper.py", "pkg/main.py"];
  expect(sandboa(...args)).toMatchObject({ status: 0, stdout: `beside  pkg/main.py ${plain}\n` });
  // What has worked goes on: / comes after the program's own folder.
  const both = ["--read", "bin:/bin", "--read", "pkg/helper.py:/helper.py", "bin/main.py"];
  writeFileSync(join(folder, "bin", "main.py"), "import helper; print(helper.name)");
  expect(sandboa(...both)).toMatchObject({ status: 0, stdout: "beside\n" });
});
