// The command as a person uses it: exit statuses, streams, grants, programs of the standard library.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const command = resolve(import.meta.dirname, "..", "dist", "cli.cjs");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-command-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function sandboa(args: readonly string[], input = ""): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [command, ...args], { cwd: folder });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (status) => done({ status, stdout, stderr }));
    child.stdin.end(input);
  });
}

describe("exit status", () => {
  test.each([
    [["-c", "print('hi')"], 0, "hi\n", ""],
    [["-c", "import sys; sys.exit(7)"], 7, "", ""],
    [["-c", "import os; os._exit(9)"], 9, "", ""],
    [["-c", "1/0"], 1, "", "ZeroDivisionError: division by zero"],
    [["--wall", "300ms", "-c", "while True: pass"], 124, "", "limit wall"],
    [["--cpu", "200ms", "-c", "while True: pass"], 124, "", "limit cpu"],
    [["--fuel", "5_000_000", "-c", "while True: pass"], 126, "", "limit fuel"],
    [
      ["--host-memory", "64KiB", "-c", "while True: print('x' * 1000)"],
      126,
      /^(x+\n)+x*$/,
      "limit hostMemory",
    ],
    [["--wall", "300ms", "--grace", "5s", "-c", "while True: pass"], 124, "", "KeyboardInterrupt"],
    [["--isolation", "inline", "--wall", "300ms", "-c", "while True: pass"], 124, "", "limit wall"],
    [["--isolation", "process", "-c", "import os; os.abort()"], 125, "", "aborted"],
    [["-c", "import os; os.abort()"], 125, "", "aborted"],
    [["--output", "1KiB", "-c", "while True: print('x')"], 126, /^(x\n){512}$/, "limit output"],
    [["--bogus"], 2, "", "unknown option"],
    [["--read", "missing.csv", "-c", "1"], 2, "", "--read missing.csv: "],
    [["--memory", "lots", "-c", "1"], 2, "", "--memory: "],
    [["--cpu", "soon", "-c", "1"], 2, "", "--cpu: "],
    [["--fuel", "much", "-c", "1"], 2, "", "a whole number of units"],
    [["--fuel", "1", "-c", "1"], 2, "", "--fuel: "],
    [["--grace", "0s", "-c", "1"], 2, "", "--grace: "],
    [["--isolation", "cage", "-c", "1"], 2, "", "inline, worker, process"],
    [["nothing.py"], 2, "", "cannot read the program"],
  ])("%j ends with %i", async (args, status, stdout, stderr) => {
    const ended = await sandboa(["run", ...args]);
    expect(ended.status, ended.stderr).toBe(status);
    if (stdout instanceof RegExp) expect(ended.stdout).toMatch(stdout);
    else expect(ended.stdout).toBe(stdout);
    expect(ended.stderr).toContain(stderr);
  });
});

describe("grants", () => {
  test("a program reads its file, makes its file, and finds nothing else", async () => {
    writeFileSync(join(folder, "in.txt"), "granted");
    writeFileSync(join(folder, "other.txt"), "secret");
    const source = [
      "import os, sys",
      "open('/out.txt', 'x').write(open('in.txt').read().upper())",
      "print(sys.argv[1:], sorted(os.listdir('/')), os.path.exists('other.txt'), dict(os.environ))",
    ].join("\n");
    writeFileSync(join(folder, "program.py"), source);
    const ended = await sandboa([
      "run",
      "--read",
      "./in.txt",
      "--create",
      "out.txt",
      "--env",
      "A=1",
      "program.py",
      "--x",
      "y",
    ]);
    expect(ended).toEqual({
      status: 0,
      stdout: "['--x', 'y'] ['dev', 'in.txt', 'lib', 'out.txt'] False {'A': '1'}\n",
      stderr: "",
    });
    expect(readFileSync(join(folder, "out.txt"), "utf8")).toBe("GRANTED");
  });

  test("standard input is empty unless it is granted, and can be the program", async () => {
    expect((await sandboa(["run", "-c", "import sys; print(repr(sys.stdin.read()))"], "abc")).stdout).toBe(
      "''\n",
    );
    expect((await sandboa(["run", "--stdin", "-c", "print(input())"], "abc\n")).stdout).toBe("abc\n");
    expect((await sandboa(["run", "-"], "print(6 * 7)")).stdout).toBe("42\n");
  });

  test("--json tells everything in one object", async () => {
    const ended = await sandboa([
      "run",
      "--json",
      "-c",
      "print('out'); {'a': [1, 2.5, None], '__proto__': 1}",
    ]);
    const report = JSON.parse(ended.stdout);
    expect(report).toMatchObject({ ok: true, stdout: "out\n", stderr: "", error: null });
    expect(Object.entries(report.value)).toEqual([
      ["a", [1, 2.5, null]],
      ["__proto__", 1],
    ]);
    const failed = JSON.parse((await sandboa(["run", "--json", "-c", "raise KeyError('k')"])).stdout);
    expect(failed).toMatchObject({
      ok: false,
      error: { code: "PYTHON_EXCEPTION", type: "KeyError", message: "'k'" },
    });
    expect(failed.error.traceback).toContain("KeyError: 'k'");
  });
});

describe("the text of a program", () => {
  const e = Buffer.from([0xe9]);
  test.each([
    ["# -*- coding: latin-1 -*-\nprint('", e, "é\n"],
    ["#!/usr/bin/python\r\n# vim: set fileencoding=ISO_8859-1 :\r\nprint('", e, "é\n"],
    ["# coding: cp1252\nprint('", Buffer.from([0x80]), "€\n"],
    ["# coding: utf-8\nprint('", Buffer.from("é"), "é\n"],
    ["\ufeff# no coding here\nprint('", Buffer.from("é"), "é\n"],
    ["print('# coding: latin-1')\n# coding: latin-1\nprint('", e, "is not UTF-8, and names no other"],
    ["# coding: utf-8\nprint('", e, "is not UTF-8, and names no other"],
    ["# coding: ascii\nprint('", e, "is not ASCII, as it says"],
    ["# coding: koi8-r\nprint('", e, "encoding koi8-r is not one of"],
  ])("%j", async (start, text, told) => {
    const end = Buffer.from("')\n");
    writeFileSync(join(folder, "text.py"), Buffer.concat([Buffer.from(start), text, end]));
    const ended = await sandboa(["run", "text.py"]);
    const isRefused = told.startsWith("is ") || told.startsWith("enc");
    expect(ended.status).toBe(isRefused ? 2 : 0);
    if (isRefused) expect(ended.stderr).toMatch(/^sandboa: cannot read the program text\.py: it.*\n$/);
    expect(isRefused ? ended.stderr : ended.stdout).toContain(told);
  });
});

describe("programs of the standard library", () => {
  test("json.tool, calendar and timeit", async () => {
    writeFileSync(join(folder, "data.json"), '{"b": [1, 2]}');
    const json = await sandboa(["run", "--read", "data.json", "-m", "json.tool", "--compact", "data.json"]);
    expect(json.stdout).toBe('{"b":[1,2]}\n');
    const calendar = await sandboa(["run", "-m", "calendar", "2026", "2"]);
    expect(calendar.stdout).toContain("   February 2026\nMo Tu We Th Fr Sa Su\n                   1\n");
    expect((await sandboa(["run", "-m", "timeit", "-n", "10", "pass"])).stdout).toMatch(
      /^10 loops, best of 5: /,
    );
  });

  test("unittest on a granted test file", async () => {
    const source =
      "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): self.assertEqual(1, 1)\n";
    writeFileSync(join(folder, "test_it.py"), source);
    const ended = await sandboa(["run", "--read", "test_it.py", "-m", "unittest", "test_it"]);
    expect(ended.stderr).toContain("Ran 1 test");
    expect(ended.status).toBe(0);
  });

  test("sqlite3 on a granted database and zipfile on a granted archive", async () => {
    const make = [
      "import sqlite3, zipfile, shutil",
      "d = sqlite3.connect('/tmp/x.db'); d.execute('create table t (a)'); d.executemany('insert into t values (?)', [(1,), (2,)]); d.commit(); d.close()",
      "with zipfile.ZipFile('/tmp/x.zip', 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('inside.txt', 'packed' * 100)",
      "open('/x.db', 'xb').write(open('/tmp/x.db', 'rb').read()); open('/x.zip', 'xb').write(open('/tmp/x.zip', 'rb').read())",
    ].join("\n");
    const made = await sandboa([
      "run",
      "--scratch",
      "/tmp=1MiB",
      "--create",
      "x.db",
      "--create",
      "x.zip",
      "-c",
      make,
    ]);
    expect(made).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(existsSync(join(folder, "x.db"))).toBe(true);
    const sum =
      "import sqlite3; print(sqlite3.connect('file:/x.db?mode=ro', uri=True).execute('select sum(a) from t').fetchone())";
    expect((await sandboa(["run", "--read", "x.db", "-c", sum])).stdout).toBe("(3,)\n");
    const list = await sandboa(["run", "--read", "x.zip", "-m", "zipfile", "-l", "x.zip"]);
    expect(list.stdout).toMatch(/inside\.txt .* 600\n$/);
  });
});
