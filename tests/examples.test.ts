// The examples run as they are, and print what they should.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

test("examples/service.mjs serves honest and hostile programs alike, with one line for each", () => {
  const ended = spawnSync(process.execPath, ["examples/service.mjs"], { cwd: root, encoding: "utf8" });
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  const lines = ended.stdout.trimEnd().split("\n");
  const shape = /^(\w[\w ]*?) {2,}(\w+) +(\d+ ms, \d+\.\d MiB, \d+ B out) +(.+)$/;
  const told = lines.map((text) => shape.exec(text)?.slice(1) ?? [text]);
  expect(told.map(([name, ending]) => [name, ending])).toEqual([
    ["sum", "ok"],
    ["planter", "ok"],
    ["thief", "PYTHON_EXCEPTION"],
    ["spin", "LIMIT_WALL"],
    ["spin in C", "LIMIT_WALL"],
    ["hoard", "PYTHON_EXCEPTION"],
    ["flood", "LIMIT_OUTPUT"],
    ["filler", "PYTHON_EXCEPTION"],
    ["crash", "SANDBOX_ABORTED"],
    ["spy", "ok"],
    ["careful", "ok"],
  ]);
  const detail = new Map(told.map(([name, , , text]) => [name, text]));
  expect(detail.get("sum")).toBe("42");
  expect(detail.get("spy")).toBe('[["dev","in","tmp","lib"],{},false]');
  expect(detail.get("careful")).toBe('"room for 65536 bytes of output"');
  expect(detail.get("filler")).toContain("No space left on device");
});

test.each(["inline", "worker", "process"])(
  "examples/agent.mjs prints what docs/agent.md shows, behind the wall %s",
  (wall) => {
    const ended = spawnSync(process.execPath, ["examples/agent.mjs", wall], { cwd: root, encoding: "utf8" });
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    const told = ended.stdout.split(/^--- .*\n/m).map((part) => part.trim());
    const read = (path: string): string => readFileSync(resolve(root, path), "utf8");
    const shown = [...read("docs/agent.md").matchAll(/^```\w+\n(.*?)\n```$/gms)].map((block) =>
      block[1]?.trim(),
    );
    const [nothing, stub, output, trace] = told;
    expect(nothing).toBe("");
    expect(shown).toEqual([stub, read("examples/agent-program.py").trim(), output, trace]);
  },
);
