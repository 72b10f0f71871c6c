// A working folder that was removed: what is relative to it cannot be granted, and is refused like anything else that is not there.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const project = resolve(import.meta.dirname, "..");
const command = join(project, "dist", "cli.cjs");

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function fromGone(...words: readonly string[]): Ended {
  const gone = mkdtempSync(join(tmpdir(), "sandboa-gone-"));
  // The shell quotes nothing: what it runs are its own arguments.
  const { status, stdout, stderr } = spawnSync(
    "sh",
    ["-c", 'rmdir "$PWD"; exec "$@"', "sh", process.execPath, ...words],
    {
      cwd: gone,
      encoding: "utf8",
    },
  );
  return { status, stdout, stderr };
}

test.each([
  [["--read", "x"]],
  [["--write", "x"]],
  [["--append", "./x"]],
  [["--create", "x"]],
  [["--update", "x"]],
  [["--overlay", "x:/x"]],
  [["--isolation", "inline", "--learn", "x"]],
])("a command with %j is refused in one line", (words) => {
  const { status, stdout, stderr } = fromGone(command, "run", ...words, "-c", "print(1)");
  expect({ status, stdout, lines: stderr.split("\n").length }).toEqual({ status: 2, stdout: "", lines: 2 });
  expect(stderr).toMatch(/^sandboa: /);
});

test("a program that is relative is not found, and what needs no folder runs where Node can start it", () => {
  expect(fromGone(command, "run", "x.py")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("x.py: ENOENT"),
  });
  for (const isolation of ["inline", "process"])
    expect(fromGone(command, "run", "--isolation", isolation, "-c", "print(1)")).toEqual({
      status: 0,
      stdout: "1\n",
      stderr: "",
    });
  const { status, stdout, stderr } = fromGone(command, "run", "-c", "print(1)");
  expect([status, stdout]).toEqual([125, ""]);
  expect(stderr).toMatch(
    /^sandboa: the worker thread failed: the working folder of this process is gone.*\n$/,
  );
});

test("in the API it is an OptionError", () => {
  const script = join(mkdtempSync(join(tmpdir(), "sandboa-script-")), "embedder.mjs");
  writeFileSync(
    script,
    `import { hostDirectory, hostFile, overlay, Sandbox } from ${JSON.stringify(join(project, "dist", "index.js"))};
    for (const place of [hostFile("x", "read"), hostFile("x", "create"), hostDirectory("x", "read"), overlay(hostDirectory("x", "read"), { bytes: 1 })])
      await Sandbox.create({ files: { "/x": place } }).catch((error) => console.log(error.name, error.option, error.message));`,
  );
  const { stdout, stderr } = fromGone(script);
  expect(stderr).toBe("");
  expect(stdout.split("\n").slice(0, -1)).toEqual([
    expect.stringMatching(/^OptionError files\["\/x"\].*the working folder does not exist/),
    expect.stringMatching(/^OptionError files\["\/x"\].*the working folder does not exist/),
    expect.stringMatching(/^OptionError files\["\/x"\].*there is no such folder/),
    expect.stringMatching(/^OptionError files\["\/x"\].*there is no such folder/),
  ]);
});
