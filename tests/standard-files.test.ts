// Programs that use files as ordinary programs do, in the box and natively: they must print the same, in every place that can be changed,
// but for what is listed. The mtime of what a program makes, inode numbers and the like are not printed; what this build of Python lacks
// is left out, and said in docs/conformance.md.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileCapability, hostDirectory, overlay, Sandbox, scratch } from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = join(import.meta.dirname, "standard-files");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const programs = readdirSync(folder).filter((name) => name !== "prelude.py");
const programOf = (name: string): string =>
  `${read("prelude.py")}\n${read(name)}\nos.chdir("/")\nshutil.rmtree(base)\n`;

interface Place {
  readonly make: (onHost: string) => FileCapability;
  /** What a program prints of this place alone, by label. */
  readonly differs: Readonly<Record<string, string>>;
}

const places: Readonly<Record<string, Place>> = {
  scratch: { make: () => scratch({ bytes: "64 MiB" }), differs: {} },
  "a folder of the host": {
    make: (onHost) => hostDirectory(onHost, "write", { bytes: "256 MiB", files: 5000 }),
    differs: {
      // Holes count: they are the host's disk to fill later.
      "a sparse file": "'OSError EDQUOT'",
      // No bit but the nine of rwx is given to the host's files.
      chmod: "(None, '-rw-r-----', None, 'drwxrwxrwx')",
      "a file without a name": "(1, b'still here', 1, False)",
      "links count": "(1, 1, 1)",
    },
  },
  "an overlay": {
    make: (onHost) => overlay(hostDirectory(onHost, "read"), { bytes: "64 MiB" }),
    differs: {
      // A tree does not tell how many blocks a file holds.
      "a sparse file": "(1000000000000, 1953125000, b'\\x00\\x00x\\x00', False)",
      "links count": "(1, 1, 1)",
    },
  },
};

const printed = new Map<string, readonly string[]>();

beforeAll(() => {
  for (const name of programs) {
    const env = { PATH: process.env.PATH };
    const native = spawnSync("python3", ["-c", programOf(name)], { encoding: "utf8", env });
    expect(native.stderr).toBe("");
    printed.set(name, native.stdout.split("\n"));
  }
});

describe.each(Object.entries(places))("in %s", (_, { make, differs }) => {
  let onHost: string;
  beforeAll(() => {
    onHost = mkdtempSync(join(tmpdir(), "sandboa-test-"));
  });
  afterAll(() => rmSync(onHost, { recursive: true }));

  test.each(programs)("%s prints what it prints natively", async (name) => {
    await using sandbox = await Sandbox.create({
      files: { "/tmp": make(onHost) },
      limits: { wall: "60 s", hostMemory: "256 MiB" },
    });
    const { stdout, stderr } = await sandbox.run(programOf(name));
    expect(stderr).toBe("");
    const native = printed.get(name) ?? [];
    expect(native.length).toBeGreaterThan(12);
    const expected = native.map((line) => {
      const label = line.slice(0, line.indexOf(":"));
      return Object.hasOwn(differs, label) ? `${label}: ${differs[label]}` : line;
    });
    expect(stdout.split("\n")).toEqual(expected);
    expect(readdirSync(onHost)).toEqual([]);
  });
});
