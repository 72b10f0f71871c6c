// An embedder's process that Node was told to be stricter in, or that lost its working folder: the walls stand, or say what they need.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-flags-"));
  mkdirSync(join(folder, "node_modules"));
  mkdirSync(join(folder, "gone"));
  symlinkSync(root, join(folder, "node_modules", "sandboa"));
  writeFileSync(
    join(folder, "walls.mjs"),
    `import { Sandbox, SandboxLostError } from "sandboa";
    import { rmdirSync } from "node:fs";
    if (process.argv[2] === "gone") rmdirSync(process.cwd());
    for (const isolation of ["inline", "worker", "process"]) {
      try {
        const sandbox = await Sandbox.create({ isolation });
        console.log((await sandbox.run("6 * 7")).value);
        await sandbox.close();
      } catch (error) {
        console.log(error instanceof SandboxLostError ? error.message : error);
      }
    }`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function walls(flags: readonly string[], ...words: readonly string[]): readonly string[] {
  const args = [...flags, join(folder, "walls.mjs"), ...words];
  const cwd = words.includes("gone") ? join(folder, "gone") : folder;
  const ended = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  return ended.stdout.trimEnd().split("\n");
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const permission = major > 23 || (major === 23 && minor >= 5) ? "--permission" : "--experimental-permission";
const strict = [permission, "--allow-fs-read=*"];

test("Node's permission model: a wall says which flag it needs", () => {
  const refused = (what: string, flag: string) =>
    `the ${what} cannot be started: Node's permission model is on, and needs ${flag} for it`;
  const [worker, process] = [
    refused("worker thread", "--allow-worker"),
    refused("process", "--allow-child-process"),
  ];
  expect(walls(strict)).toEqual(["42", worker, process]);
  expect(walls([...strict, "--allow-worker"])).toEqual(["42", "42", process]);
  expect(walls([...strict, "--allow-worker", "--allow-child-process"])).toEqual(["42", "42", "42"]);
});

test("links that are not resolved", () => {
  expect(walls(["--preserve-symlinks", "--preserve-symlinks-main"])).toEqual(["42", "42", "42"]);
});

test("a working folder that is gone", () => {
  expect(walls([], "gone")).toEqual([
    "42",
    expect.stringContaining("the working folder of this process is gone"),
    "42",
  ]);
});
