// The command among other commands: readers that go away, and programs of the standard library on granted files.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const command = resolve(import.meta.dirname, "..", "dist", "cli.cjs");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-pipes-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the command does when its reader goes away after the first words on a stream, and what it says on the other one. */
async function deserted(
  stream: "stdout" | "stderr",
  source: string,
  ...words: readonly string[]
): Promise<{ status: unknown; told: string }> {
  const child = spawn(process.execPath, [command, "run", ...words, "-c", source]);
  const other = stream === "stdout" ? child.stderr : child.stdout;
  let told = "";
  other.on("data", (chunk) => {
    told += chunk;
  });
  child[stream].once("data", () => child[stream].destroy());
  return { status: await new Promise((done) => child.on("close", done)), told };
}

test("a reader of standard output that goes away ends the command quietly, as it does for others", async () => {
  const source = "import time\nwhile True: print('x' * 1000); time.sleep(0.001)";
  expect(await deserted("stdout", source, "--output", "256MiB")).toEqual({ status: 141, told: "" });
});

test.each([
  ["0", "print('done')", "done\n"],
  ["3", "print('done'); sys.exit(3)", "done\n"],
  ["1", "print('done'); 1 / 0", "done\n"],
])("one of standard error changes nothing: status %s", async (status, rest, told) => {
  const source = `import sys, time\nfor _ in range(200): print('x' * 1000, file=sys.stderr); time.sleep(0.001)\n${rest}`;
  expect(await deserted("stderr", source)).toEqual({ status: Number(status), told });
});

test("python -m sqlite3 reads a granted database and cannot change it", () => {
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [command, "run", ...args], { cwd: folder, encoding: "utf8" });
  const make = `import sqlite3
d = sqlite3.connect('/tmp/x.db'); d.execute('create table t (a)'); d.execute('insert into t values (1), (2)'); d.commit(); d.close()
open('/x.db', 'xb').write(open('/tmp/x.db', 'rb').read())`;
  expect(run("--scratch", "/tmp=1MiB", "--create", "x.db", "-c", make)).toMatchObject({
    status: 0,
    stderr: "",
  });
  expect(run("--read", "x.db", "-m", "sqlite3", "x.db", "select sum(a) from t")).toMatchObject({
    status: 0,
    stdout: "(3,)\n",
  });
  const refused = run("--read", "x.db", "-m", "sqlite3", "x.db", "insert into t values (3)");
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("readonly database") });
});
