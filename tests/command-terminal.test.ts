// The command at a terminal, which native Python makes: what a program writes is text there, and no control of the terminal.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { command, sandboaRun } from "./command-fixture.ts";

/** All that the terminal gets, with its own line ends. */
function atTerminal(program: string): string {
  const args = JSON.stringify([process.execPath, command, "run", "-c", program]);
  const ended = spawnSync("python3", [
    "-c",
    `import pty, json, sys; pty.spawn(json.loads(sys.argv[1]))`,
    args,
  ]);
  expect(ended.stderr.toString()).toBe("");
  return ended.stdout.toString();
}

test("a character that comes byte by byte is one", () => {
  const program = "import os\nfor fd in 1, 2:\n  for b in 'é日'.encode(): os.write(fd, bytes([b]))";
  expect(atTerminal(program)).toBe("é日é日");
});

test("long text is cut nowhere", () => {
  expect(atTerminal("print('x' + 'é' * 100_000)")).toBe(`x${"é".repeat(100_000)}\r\n`);
});

test("a mark at the front stays; half of a character is told at the end, and controls are shown", () => {
  const program = String.raw`import os; os.write(1, b'\xef\xbb\xbfa\x1b[31m\xc3')`;
  expect(atTerminal(program)).toBe("\ufeffa\\u001b[31m\ufffd");
});

test("so are those of a traceback; through a pipe it is as python3 writes it", () => {
  const program = String.raw`raise ValueError("\x1b[31mred \udcff")`;
  expect(atTerminal(program)).toContain("ValueError: \\u001b[31mred \\udcff\r\n");
  expect(sandboaRun(["-c", program]).stderr.split("\n").at(-2)).toBe("ValueError: \x1b[31mred \\udcff");
});
