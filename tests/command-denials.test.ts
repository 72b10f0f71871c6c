// `sandboa run --explain` and `--learn`: what a person reads after a run, and the policy that was learned, run again as grants.
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Denial, FileCapability } from "sandboa";
import { hostFile, scratch } from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explanation } from "../src/surfaces/cli/explain.ts";
import { learnedPolicy } from "../src/surfaces/cli/learned-policy.ts";

const command = resolve(import.meta.dirname, "..", "dist", "cli.cjs");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-learn-"));
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "data", "a.csv"), "a,b\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sandboa(
  ...args: readonly string[]
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [command, "run", ...args], { cwd: folder });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (status) => done({ status, stdout, stderr }));
    child.stdin.end();
  });
}

describe("the command", () => {
  test("explains after the run, and the flags that it names allow it", async () => {
    const path = join(folder, "secret.txt");
    writeFileSync(path, "secret");
    const program = `print(open(${JSON.stringify(path)}).read())`;
    const first = await sandboa("--explain", "-c", program);
    expect(first.status).toBe(1);
    expect(first.stderr).toContain(`sandboa: refused for want of a grant:\n  read ${path}  --read ${path}\n`);
    const second = await sandboa("--explain", "--read", path, "-c", program);
    expect(second).toEqual({
      status: 0,
      stdout: "secret\n",
      stderr: "sandboa: nothing was refused for want of a grant\n",
    });
  });

  test("shows nothing of the program's that moves a cursor", async () => {
    const { stderr } = await sandboa("--explain", "-c", "import os\nos.path.exists('/a\\x1b[2J\\n\\u202eb')");
    expect(stderr).toContain("look at /a\\u001b[2J\\u000a\\u202eb");
    expect(stderr.split("\n")).toHaveLength(3);
  });

  test("learns a policy, and writes over no file", async () => {
    const policy = join(folder, "policy.json");
    const program =
      "import os, socket\nfor f in (lambda: open('/etc/motd'), lambda: open('/data/b', 'w'), lambda: socket.create_connection(('h.example', 1))):\n  try: f()\n  except OSError: pass";
    const learn = ["--learn", policy, "--read", "data", "-c", program];
    expect(await sandboa(...learn)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(JSON.parse(readFileSync(policy, "utf8"))).toEqual({
      sandboaPolicy: 1,
      files: {
        "/data": { hostDirectory: "data", mode: "write", bytes: 67_108_864, files: 10_000 },
        "/etc/motd": { hostFile: "/etc/motd", mode: "read" },
      },
      env: {},
      network: ["h.example:1"],
      modules: [],
      stdin: "empty",
      limits: {},
      refused: [],
    });
    const before = readFileSync(policy, "utf8");
    const again = await sandboa("--learn", policy, "-c", "print('not run')");
    expect(again).toMatchObject({ status: 2, stdout: "" });
    expect(again.stderr).toContain("exists");
    expect(readFileSync(policy, "utf8")).toBe(before);
    const nowhere = await sandboa("--learn", join(folder, "none", "p.json"), "-c", "1");
    expect(nowhere).toMatchObject({ status: 2 });
    expect(nowhere.stderr).toContain("ENOENT");
  });

  test("finds out before the program runs that there is no place for a policy", async () => {
    const dangling = join(folder, "dangling.json");
    symlinkSync(join(folder, "nothing"), dangling);
    expect(await sandboa("--learn", dangling, "-c", "print('not run')")).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("exists"),
    });
    expect(await sandboa("--learn", "", "-c", "print('not run')")).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("the name of a file"),
    });
  });

  test("grants folders with the flags for files", async () => {
    const program = "import os\nprint(os.listdir('/data'), open('/data/a.csv').read().strip())";
    expect((await sandboa("--read", "data", "-c", program)).stdout).toBe("['a.csv'] a,b\n");
    const add =
      "open('/d/new', 'x').write('n')\ntry: open('/d/a.csv', 'w')\nexcept OSError as e: print('refused')";
    expect(await sandboa("--create", "data:/d", "-c", add)).toMatchObject({ stdout: "refused\n" });
    expect(readFileSync(join(folder, "data", "new"), "utf8")).toBe("n");
    await sandboa("--write", "./data", "-c", "import os; os.remove('/data/new')");
    expect(existsSync(join(folder, "data", "new"))).toBe(false);
    const change = "with open('/data/a.csv', 'r+') as f: f.seek(2); f.write('c')";
    expect((await sandboa("--update", "data/a.csv", "-c", change)).status).toBe(0);
    expect(readFileSync(join(folder, "data", "a.csv"), "utf8")).toBe("a,c\n");
    expect((await sandboa("--read", ".", "-c", "1")).stderr).toContain("needs a guest path");
  });

  test("an overlay is told, and committed when that is asked for and the program ends well", async () => {
    const work = join(folder, "work");
    mkdirSync(work);
    writeFileSync(join(work, "old"), "old");
    const edit = "import os\nopen('/w/new\\x1b', 'w').write('n'); open('/w/old', 'w').write('changed')";
    const told = [
      `sandboa: 1 created, 1 changed, 0 removed in /w over ${work}`,
      "  created  new\\u001b",
      "  changed  old",
    ];
    const kept = await sandboa("--overlay", `${work}:/w=1MiB`, "-c", edit);
    expect({ ...kept, stderr: kept.stderr.trimEnd().split("\n") }).toEqual({
      status: 0,
      stdout: "",
      stderr: expect.arrayContaining(told),
    });
    expect(readFileSync(join(work, "old"), "utf8")).toBe("old");
    const failed = await sandboa("--overlay", `${work}:/w`, "--commit", "-c", `${edit}\n1/0`);
    expect(failed.stderr).toContain("not committed because the program failed");
    expect(readFileSync(join(work, "old"), "utf8")).toBe("old");
    expect(await sandboa("--overlay", `${work}:/w`, "--commit", "-c", edit)).toMatchObject({ status: 0 });
    expect(readFileSync(join(work, "old"), "utf8")).toBe("changed");
    expect(existsSync(join(work, "new\x1b"))).toBe(true);
    expect(await sandboa("--commit", "-c", "1")).toMatchObject({ status: 2 });
    expect(await sandboa("--overlay", `${work}:/w=lots`, "-c", "1")).toMatchObject({ status: 2 });
  });

  test("--json tells the denials", async () => {
    const { stdout } = await sandboa("--json", "-c", "open('/none')");
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      denialsDropped: 0,
      denials: [
        {
          kind: "file",
          path: "/none",
          access: "read",
          errno: "ENOENT",
          count: 1,
          flag: "--read /none",
          allowedBy: 'files: { "/none": hostFile("/none", "read") }',
        },
      ],
    });
  });
});

const file = (access: string, path: string, isGrantable = true): Denial => {
  const allowedBy = isGrantable ? "…" : undefined;
  return { kind: "file", access, path, errno: "ENOENT", count: 1, allowedBy, flag: undefined } as Denial;
};

function learned(
  denials: readonly Denial[],
  files: Readonly<Record<string, FileCapability>> = {},
  dropped = 0,
) {
  const given = {
    files: new Map(Object.entries(files)),
    overlays: [],
    env: new Map(),
    modules: [],
    stdin: false,
    limits: {},
  };
  return learnedPolicy(given, { denials, dropped });
}

describe("a learned policy", () => {
  test.each([
    [["look"], "read"],
    [["read", "write"], "update"],
    [["append", "write"], "write"],
    [["append", "read"], "update"],
    [["create", "read", "write"], "create"],
    [["write"], "write"],
  ])("joins %j of one file to %s", (accesses, mode) => {
    const { files } = learned(accesses.map((access) => file(access, "/f")));
    expect(files).toEqual({ "/f": { hostFile: "/f", mode } });
  });

  test("grants a folder once, with what is in it, and none inside of another", () => {
    const denials = [
      file("read", "/d/x"),
      file("list", "/d"),
      file("write", "/d/y/z"),
      file("makeDirectory", "/made"),
      file("write", "/made/f"),
      file("write", "/old/sub/f"),
      file("remove", "/old/x"),
    ];
    expect(learned(denials).files).toEqual({
      "/made": { scratch: { bytes: 10 * 2 ** 20, files: 10_000 } },
      "/d": { hostDirectory: "/d", mode: "write" },
      "/old": { hostDirectory: "/old", mode: "write" },
    });
    const { files, refused } = learned([file("list", "/in"), file("remove", "/x")], {
      "/in/a": hostFile("a", "read"),
    });
    expect(files).toEqual({ "/in/a": { hostFile: "a", mode: "read", bytes: 64 * 2 ** 20 } });
    expect(refused).toEqual(["list /in", "remove /x"]);
  });

  test("enlarges what was full, and says what it cannot allow", () => {
    const quota = (path: string | undefined, option: string) =>
      ({
        kind: "quota",
        path,
        option,
        errno: "ENOSPC",
        count: 1,
        allowedBy: undefined,
        flag: undefined,
      }) as Denial;
    const { files, refused } = learned(
      [
        quota("/t", "bytes"),
        quota("/t", "files"),
        quota(undefined, "limits.hostMemory"),
        file("read", "/\udcff", false),
      ],
      { "/t": scratch({ bytes: 100, files: 7 }) },
      3,
    );
    expect(files).toEqual({ "/t": { scratch: { bytes: 200, files: 14 } } });
    expect(refused).toEqual([
      "read /\udcff",
      "more limits.hostMemory",
      "3 more refusals, which were not kept",
    ]);
  });

  test("names of the program's are keys like any other", () => {
    const { network } = learned([
      {
        kind: "network",
        access: "resolve",
        host: "__proto__",
        port: undefined,
        count: 1,
        errno: undefined,
        allowedBy: undefined,
        flag: undefined,
      },
      {
        kind: "network",
        access: "connect",
        host: "::1",
        port: 80,
        count: 1,
        errno: undefined,
        allowedBy: undefined,
        flag: undefined,
      },
    ]);
    expect(network).toEqual(["__proto__", "[::1]:80"]);
  });
});

test("an explanation cuts long words and tells what is not kept", () => {
  const text = explanation({ denials: [file("read", `/${"x".repeat(900)}`, false)], dropped: 9 });
  expect(text.split("\n").every((line) => line.length < 300)).toBe(true);
  expect(text).toContain("(no grant allows this)");
  expect(text).toContain("and 9 times something else");
});
