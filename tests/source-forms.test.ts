// Source as people have it: what stands before it, between its lines, and what a traceback shows of it. The oracle is native Python.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PythonError, Sandbox } from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "sandboa-source-"));
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.create();
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

async function tracebackOf(source: string, filename?: string): Promise<string> {
  const error: unknown = await sandbox
    .run(source, filename === undefined ? {} : { filename })
    .catch((e) => e);
  if (!(error instanceof PythonError)) return expect.unreachable(String(error));
  return error.traceback;
}

describe("native Python shows the same", () => {
  const native = (source: string): string => {
    const path = join(folder, "prog.py");
    writeFileSync(path, source);
    return spawnSync("python3", [path], { encoding: "utf8" }).stderr.replaceAll(path, "prog.py");
  };
  test.each([
    ["return", "return 3"],
    ["yield", "x = 1\nyield x"],
    ["nonlocal", "nonlocal x"],
    ["a name twice", "def f(a, a): pass"],
    ["continue", "if 1:\n    continue"],
    ["a form feed and separators of other worlds", 'x = """a\u2028b\x0cc\x85d"""\ny = 1\n1 / 0  # boom'],
    ["line ends of three kinds", "x = 1\r\ny = 2\rz = 3\n1 / 0"],
  ])("%s", async (_name, source) => {
    const expected = native(source);
    expect(expected).toContain("Error");
    expect(await tracebackOf(source, "prog.py")).toBe(expected);
  });
});

test.each([
  ["a lone surrogate", "'\ud800'", "UnicodeEncodeError"],
  ["too deep a nest", `${"-".repeat(5000)}1`, "RecursionError"],
])("what cannot be compiled shows nothing of ours: %s", async (_name, source, type) => {
  const traceback = await tracebackOf(source);
  expect(traceback).toContain(type);
  expect(traceback).not.toContain("_runner");
});

test("a byte order mark may stand before a program, as before a file of Python", async () => {
  const path = join(folder, "marked.py");
  const source = "\ufeffprint('a')";
  writeFileSync(path, source);
  const expected = execFileSync("python3", [path], { encoding: "utf8" });
  expect((await sandbox.run(source)).stdout).toBe(expected);
});

test.each([
  "[0] * 10_000_000",
  "class A:\n  def __repr__(self): print('asked')\nA()",
  "a = []\na.append(a)\na",
  "import math\nmath",
])("a value that nobody wants is neither made nor copied: %j", async (source) => {
  expect(await sandbox.run(source, { value: false })).toMatchObject({ value: null, stdout: "", exitCode: 0 });
});

test("a program whose value nobody wants awaits as others do, and fails as others do", async () => {
  const source = "import asyncio\nfound = await asyncio.sleep(0.001, 5)\nfound";
  expect((await sandbox.run(source, { value: false })).value).toBeNull();
  expect((await sandbox.run("found")).value).toBe(5);
  const refused = await sandbox.run("x = 1\nreturn x", { value: false, filename: "a.py" }).catch((e) => e);
  expect(refused.traceback).toBe(await tracebackOf("x = 1\nreturn x", "a.py"));
});

test("a named program knows its file, and finds its own source", async () => {
  const source = `
import inspect
from pathlib import Path
class Thing:
    size = 1
[str(Path(__file__).parent / "data.txt"), inspect.getsource(Thing)]`;
  const { value } = await sandbox.run(source, { filename: "/app/prog.py" });
  expect(value).toEqual(["/app/data.txt", "class Thing:\n    size = 1\n"]);
});
