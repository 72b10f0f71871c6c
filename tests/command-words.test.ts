// The words of a command line: which are the command's own, which may be said once, and those that are not UTF-8.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command, type Ended, ended, sandboaRun } from "./command-fixture.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-words-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sandboa = (...args: readonly string[]): Ended => sandboaRun(args, folder);

/** Through a shell that makes the bytes: Node gives a child no others than UTF-8. `\377` is what is not. */
function ofBytes(...args: readonly string[]): Ended {
  const words = [process.execPath, command, "run", ...args].map((word) => `"$(printf '%b' '${word}')"`);
  return ended("sh", ["-c", words.join(" ")], folder);
}

const argv = "import sys; print(sys.argv)";

test.each([
  [["-x"], "['-c', '-x']\n"],
  [["--json"], "['-c', '--json']\n"],
  [["--help"], "['-c', '--help']\n"],
  [["a", "-c", "b", "--wall", "--"], "['-c', 'a', '-c', 'b', '--wall', '--']\n"],
  [["--", "-x"], "['-c', '--', '-x']\n"],
  [["-m", "x"], "['-c', '-m', 'x']\n"],
])("what follows -c CODE is the program's: %j", (args, stdout) => {
  expect(sandboa("-c", argv, ...args)).toEqual({ status: 0, stdout, stderr: "" });
  expect(sandboa(`-c${argv}`, ...args)).toEqual({ status: 0, stdout, stderr: "" });
});

test("-c and -m without a word are told, and a word that looks like an option is taken", () => {
  for (const flag of ["-c", "-m"])
    expect(sandboa(flag)).toEqual({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining(`'${flag} <${flag === "-c" ? "code" : "module"}>' argument missing`),
    });
  expect(sandboa("-c", "-1", "-2")).toEqual({ status: 0, stdout: "", stderr: "" });
});

describe("said twice", () => {
  test.each([
    ["--memory", "64MiB", "65MiB"],
    ["--host-memory", "64MiB", "65MiB"],
    ["--wall", "5s", "5s"],
    ["--cpu", "5s", "6s"],
    ["--fuel", "5e6", "6e6"],
    ["--grace", "5s", "6s"],
    ["--output", "1KiB", "2KiB"],
    ["--isolation", "inline", "process"],
    ["--clock", "real", "frozen"],
    ["--time-zone", "UTC", "Europe/Berlin"],
    ["--learn", "a.json", "b.json"],
  ])("%s is refused", (flag, first, second) => {
    const ended = sandboa(flag, first, flag, second, "-c", "print(1)");
    expect(ended).toMatchObject({ status: 2, stdout: "" });
    expect(ended.stderr).toMatch(new RegExp(`^error: option '${flag} .*It is given twice\\.`));
  });

  test("what gathers is not, nor what only says yes", () => {
    const source = "import os; print(dict(os.environ), sorted(os.listdir('/')))";
    writeFileSync(join(folder, "a.txt"), "");
    writeFileSync(join(folder, "b.txt"), "");
    const args = [
      "--read",
      "a.txt",
      "--read",
      "b.txt",
      "--env",
      "A=1",
      "--env",
      "B=2",
      "--explain",
      "--explain",
    ];
    expect(sandboa(...args, "-c", source).stdout).toBe(
      "{'A': '1', 'B': '2'} ['a.txt', 'b.txt', 'dev', 'lib']\n",
    );
  });
});

describe.runIf(process.platform === "linux")("bytes that are not UTF-8", () => {
  test("reach the program in its arguments and its environment, as with python", () => {
    const source =
      'import os, sys; print(ascii(sys.argv[1:]), ascii(os.environ["A"]), os.fsencode(sys.argv[1]))';
    expect(
      ofBytes(
        "--env",
        "A=\\0303\\0251\\0377",
        "-c",
        source,
        "a\\0377\\0303",
        "\\0303\\0251",
        "\\0357\\0277\\0275",
      ),
    ).toEqual({
      status: 0,
      stdout: "['a\\udcff\\udcc3', '\\xe9', '\\ufffd'] '\\xe9\\udcff' b'a\\xff\\xc3'\n",
      stderr: "",
    });
    writeFileSync(join(folder, "argv.py"), "import sys; print(ascii(sys.argv))");
    expect(ofBytes("argv.py", "\\0377", "\\0360\\0237\\0230\\0200").stdout).toBe(
      "['argv.py', '\\udcff', '\\U0001f600']\n",
    );
  });

  test("anywhere else are refused: a file of that name would be another", () => {
    for (const args of [
      ["--read", "a\\0377", "-c", "1"],
      ["a\\0377.py"],
      ["-c", "1 # \\0377"],
      ["-m", "\\0377"],
      ["--learn=\\0377", "-c", "1"],
      // No environment: what stands before has its word already, or is a word itself.
      ["--read", "--env", "a\\0377", "-c", "1"],
      ["--read", "--env=\\0377", "-c", "1"],
      ["--env", "--env", "a\\0377"],
      ["-c", "--env=\\0377"],
    ])
      expect(ofBytes(...args)).toEqual({
        status: 2,
        stdout: "",
        stderr: expect.stringMatching(/^sandboa: ".*\\udcff.*" is not UTF-8; only .*\n$/),
      });
  });

  test("are no others than those: U+FFFD is a character", () => {
    expect(sandboa("\ufffd.py").stderr).toBe("sandboa: cannot read the program \ufffd.py: ENOENT\n");
  });
});
