// Programs that use files as ordinary programs do, in the box and natively: they must print the same. The mtime of what a program makes,
// inode numbers and the like are not printed; what this build of Python lacks is left out, and said in docs/conformance.md.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Sandbox, scratch } from "sandboa";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "standard-files");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const programs = readdirSync(folder).filter((name) => name !== "prelude.py");

test.each(programs)("%s prints what it prints natively", async (name) => {
  const program = `${read("prelude.py")}\n${read(name)}\nos.chdir("/")\nshutil.rmtree(base)\n`;
  const native = spawnSync("python3", ["-c", program], {
    encoding: "utf8",
    env: { PATH: process.env.PATH },
  });
  expect(native.stderr).toBe("");
  await using sandbox = await Sandbox.create({
    files: { "/tmp": scratch({ bytes: "64 MiB" }) },
    limits: { wall: "60 s" },
  });
  const { stdout, stderr } = await sandbox.run(program);
  expect(stderr).toBe("");
  expect(stdout.split("\n")).toEqual(native.stdout.split("\n"));
  expect(native.stdout.split("\n").length).toBeGreaterThan(12);
});
