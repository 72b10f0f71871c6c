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

test.each(["stdout", "stderr"] as const)(
  "a reader of %s that goes away ends the command quietly, as it does for others",
  async (stream) => {
    const source = `import sys, time\nwhile True: print('x' * 1000, file=sys.${stream}); time.sleep(0.001)`;
    const child = spawn(process.execPath, [command, "run", "--output", "500MiB", "-c", source]);
    const other = stream === "stdout" ? child.stderr : child.stdout;
    let told = "";
    other.on("data", (chunk) => {
      told += chunk;
    });
    child[stream].once("data", () => child[stream].destroy());
    const status = await new Promise((done) => child.on("close", done));
    expect({ status, told }).toEqual({ status: 141, told: "" });
  },
);

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
