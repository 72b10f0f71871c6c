// The command's walls and limits beyond exit statuses: input behind every wall, a soft stop, usage as plain JSON, and its help.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";

const command = resolve(import.meta.dirname, "..", "dist", "cli.cjs");

function sandboa(
  args: readonly string[],
  input = "",
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    input,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe.each(["inline", "worker", "process"])("--isolation %s", (isolation) => {
  test("is the same command: arguments, output, status, and input unless it is inline", () => {
    const source =
      "import sys; print(sys.stdin.read(), sys.argv[1:]); print('told', file=sys.stderr); sys.exit(3)";
    const ended = sandboa(["run", "--isolation", isolation, "-c", source, "a"], "typed");
    expect(ended).toEqual({ status: 3, stdout: " ['a']\n", stderr: "told\n" });
    const fed = sandboa(["run", "--isolation", isolation, "--stdin", "-c", source, "a"], "typed");
    if (isolation !== "inline") expect(fed.stdout).toBe("typed ['a']\n");
    else
      expect(fed).toMatchObject({ status: 2, stderr: expect.stringContaining("--stdin needs --isolation") });
  });
});

test("with --grace a program ends by itself, with its own status, and the report says so", () => {
  const source = "try:\n  while True: pass\nexcept KeyboardInterrupt: print('tidied')";
  const args = ["--wall", "300ms", "--grace", "5s"];
  expect(sandboa(["run", ...args, "-c", source])).toEqual({ status: 0, stdout: "tidied\n", stderr: "" });
  const report = JSON.parse(sandboa(["run", ...args, "--json", "-c", source]).stdout);
  expect(report).toMatchObject({ ok: true, softStop: "wall", stdout: "tidied\n" });
  const swallowing = "while True:\n  try:\n    while True: pass\n  except BaseException: pass";
  const ended = sandboa(["run", "--wall", "200ms", "--grace", "200ms", "-c", swallowing]);
  expect(ended.status).toBe(124);
});

test("usage in the report is plain JSON: what is unlimited or not counted is null", () => {
  const args = ["run", "--json", "--wall", "unlimited", "--cpu", "2s", "--host-memory", "8MiB", "-c", "1"];
  const { usage, softStop } = JSON.parse(sandboa(args).stdout);
  expect(softStop).toBeNull();
  expect(usage).toMatchObject({
    fuel: null,
    limits: { wallMs: null, cpuMs: 2000, hostMemoryBytes: 8 * 2 ** 20 },
  });
  const metered = JSON.parse(sandboa(["run", "--json", "--fuel", "unlimited", "-c", "1"]).stdout).usage;
  expect(metered.fuel).toBeGreaterThan(0);
  expect(metered.limits.fuel).toBeNull();
  const spent = JSON.parse(sandboa(["run", "--json", "--fuel", "1e6", "-c", "while True: pass"]).stdout);
  expect(spent).toMatchObject({
    ok: false,
    softStop: null,
    error: { code: "LIMIT_FUEL", budget: 1_000_000 },
  });
  expect(spent.usage.fuel).toBeGreaterThanOrEqual(1_000_000);
});

test("the report has the exit code of a program that ends its process, and of no other end", () => {
  const report = (source: string): unknown => JSON.parse(sandboa(["run", "--json", "-c", source]).stdout);
  expect(report("import os; os._exit(7)")).toMatchObject({ ok: false, exitCode: 7 });
  expect(report("import os; os._exit(0)")).toMatchObject({ ok: false, exitCode: 0 });
  expect(report("import os; os.abort()")).toMatchObject({ ok: false, exitCode: null });
});

test("help is enough: every option, unit, default and exit status", () => {
  const { status, stdout } = sandboa(["run", "--help"]);
  expect(status).toBe(0);
  for (const flag of [
    "--cpu",
    "--fuel",
    "--host-memory",
    "--isolation",
    "--grace",
    "--wall",
    "--memory",
    "--output",
  ])
    expect(stdout).toContain(`${flag} <`);
  const { stdout: top } = sandboa(["--help"]);
  for (const word of ["--isolation", "--fuel", "unlimited", "5s", "10MiB", "124", "125", "126"])
    expect(top).toContain(word);
});
