// What the command does with a program's last expression: nothing without `--json`, and with it every kind of value is told.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expressions } from "./values-table.ts";

const command = resolve(import.meta.dirname, "..", "dist", "cli.cjs");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-values-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sandboa(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, "run", ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const definitions = `
import collections, dataclasses, datetime, decimal, enum, math, uuid, zoneinfo
from decimal import Decimal
@dataclasses.dataclass
class Point:
    x: object
    y: object = None
@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str
    items: tuple = ()
class Outer:
    @dataclasses.dataclass
    class Inner:
        v: object
Color = enum.Enum("Color", "RED OTHER")
Level = enum.IntEnum("Level", "LOW HIGH")
Flags = enum.Flag("Flags", "A B")
class Word(enum.StrEnum):
    YES = "yes"
Pair = collections.namedtuple("Pair", "a b")
class Refused(Exception): pass
class Detailed(Exception):
    def __init__(self, code, why): super().__init__(code, why)
`;

describe("--json", () => {
  test.each([
    ["decimal.Decimal('1.10')", { $decimal: "1.10" }],
    ["uuid.UUID(int=5)", { $uuid: "00000000-0000-0000-0000-000000000005" }],
    ["datetime.date(2026, 1, 2)", { $date: "2026-01-02" }],
    ["datetime.time(3, 4, 5)", { $time: "03:04:05" }],
    [
      "datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.timezone.utc)",
      { $datetime: "2026-01-02T03:00:00+00:00" },
    ],
    ["datetime.timedelta(-1, 5, 7)", { $timedelta: { days: -1, seconds: 5, microseconds: 7 } }],
    ["Point(1, [2])", { $dataclass: "__main__.Point", fields: { x: 1, y: [2] } }],
    ["Color.RED", { $enum: "__main__.Color", fields: { name: "RED", value: 1 } }],
    ["Pair(1, 2)", { $namedtuple: "__main__.Pair", fields: { a: 1, b: 2 } }],
    ["ValueError('v')", { $exception: "builtins.ValueError", fields: { args: ["v"], message: "v" } }],
    ["...", { $object: "ellipsis", repr: "Ellipsis" }],
    [
      "[{1}, b'a', 1j, 2**70, math.nan]",
      [
        { $set: [1] },
        { $bytes: "YQ==" },
        { $complex: [0, 1] },
        { $int: "1180591620717411303424" },
        { $float: "NaN" },
      ],
    ],
    [
      "[10**4300 - 1, 10**4300, -(1 << 20_000)]",
      [
        { $int: "9".repeat(4300) },
        { $int: `0x${(10n ** 4300n).toString(16)}` },
        { $int: `-0x1${"0".repeat(5000)}` },
      ],
    ],
    [
      "{'$a': Decimal(1), Decimal(2): 3}",
      {
        $map: [
          ["$a", { $decimal: "1" }],
          [{ $decimal: "2" }, 3],
        ],
      },
    ],
  ])("tells %s", (expression, expected) => {
    const { status, stdout, stderr } = sandboa("--json", "-c", `${definitions}\n${expression}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, valueNotCopied: null });
    expect(JSON.parse(stdout).value).toEqual(expected);
  });

  test("has a form for every kind of value", () => {
    writeFileSync(
      join(folder, "all.py"),
      `${definitions}\n[${expressions.map((each) => `(${each})`).join(",\n")}]`,
    );
    const { status, stdout, stderr } = sandboa("--json", "all.py");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout).value).toHaveLength(expressions.length);
    // A class of ours that nothing has a form for would be told by its name.
    expect(stdout).not.toContain("[object ");
  });

  test("tells why there is no value, and ends as the program did", () => {
    for (const [source, reason] of [
      ["a = []; a.append(a); print('done'); a", "the result cannot be copied"],
      ["print('done'); bytes(17 << 20)", "limit value"],
    ] as const) {
      const { status, stdout, stderr } = sandboa("--json", "-c", source);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({
        ok: true,
        value: null,
        valueNotCopied: expect.stringContaining(reason),
        exitCode: 0,
        stdout: "done\n",
        error: null,
        usage: { wallMs: expect.any(Number) },
      });
    }
  });

  test("of a program that a soft stop has ended, too", () => {
    const source = "try:\n  while True: pass\nexcept KeyboardInterrupt: a = []; a.append(a)\na";
    const { status, stdout } = sandboa("--json", "--wall", "200ms", "--grace", "5s", "-c", source);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, softStop: "wall", value: null });
  });
});

describe("without --json no value is made", () => {
  test.each([
    "a = []; a.append(a); a",
    "bytes(17 << 20)",
    "class A:\n  @property\n  def __class__(self): print('asked')\n  def __repr__(self): print('asked')\nA()",
    "[1] # a comment",
    "import asyncio\nawait asyncio.sleep(0)\na = []; a.append(a); a",
  ])("%j", (source) => {
    writeFileSync(join(folder, "program.py"), source);
    expect(sandboa("program.py")).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("so a result that could not be copied keeps nothing from being committed", () => {
    mkdirSync(join(folder, "project"));
    const source = "open('/project/new', 'w').write('x'); a = []; a.append(a); a";
    expect(sandboa("--overlay", "project", "--commit", "-c", source).status).toBe(0);
    expect(readFileSync(join(folder, "project", "new"), "utf8")).toBe("x");
  });

  test.each([
    ["if x:", 1, "if x:", "expected an indented block after 'if' statement on line 1"],
    ["y = 1\nx = '''abc", 2, "x = '''abc", "unterminated triple-quoted string literal (detected at line 2)"],
    ["if True: \\", 1, "if True: \\", "unexpected EOF while parsing"],
    ["'no newline' \\\n", 1, "'no newline' \\", "unexpected EOF while parsing"],
    ["@wrap\n", 1, "@wrap", "invalid syntax"],
  ])("a program that ends too early is told as Python tells it: %j", (source, line, text, message) => {
    writeFileSync(join(folder, "early.py"), source);
    const { status, stderr } = sandboa("early.py");
    expect(status).toBe(1);
    expect(stderr).toContain(`File "early.py", line ${line}\n    ${text}\n`);
    expect(stderr).toContain(`Error: ${message}\n`);
  });
});

describe("-m", () => {
  test("of a module no value is copied: nothing is asked for that the module did not ask for", () => {
    const { status, stderr } = sandboa("--explain", "-m", "this");
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: "sandboa: nothing was refused for want of a grant\n",
    });
    const report = JSON.parse(sandboa("--json", "-m", "this").stdout);
    expect(report).toMatchObject({ ok: true, value: null, denials: [] });
  });

  test("only the command's own counts", () => {
    writeFileSync(join(folder, "argv.py"), "import sys; print(sys.argv[1:])");
    writeFileSync(join(folder, "mod.py"), "import sys; print('mod', sys.argv[1:])");
    expect(sandboa("argv.py", "-m", "x", "y").stdout).toBe("['-m', 'x', 'y']\n");
    expect(sandboa("--env", "A=1", "--wall", "9s", "argv.py", "-m", "x").stdout).toBe("['-m', 'x']\n");
    expect(sandboa("--", "argv.py", "-m", "x").stdout).toBe("['-m', 'x']\n");
    expect(sandboa("-c", "import sys; print(sys.argv)", "a", "-m", "x").stdout).toBe(
      "['-c', 'a', '-m', 'x']\n",
    );
    const read = ["--read", "mod.py"];
    expect(sandboa(...read, "-m", "mod", "--json", "-m", "z").stdout).toBe("mod ['--json', '-m', 'z']\n");
    expect(sandboa(...read, "-mmod", "--json", "z").stdout).toBe("mod ['--json', 'z']\n");
  });
});
