// The host's standard input as a weapon: a read that waits for it must neither outlive its limits nor hold on to the embedder's process.
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { Supervisor } from "../src/host/supervisor.ts";
import { Control } from "../src/host/walls/control.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { makeFixture } from "../src/kernel/kernel-fixture.ts";

const library = pathToFileURL(resolve(import.meta.dirname, "..", "dist", "index.js")).href;

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly lines: readonly unknown[];
}

/** Runs `source` in a process whose standard input is a pipe, into which `feed` writes as the program asks for it. */
function embedder(source: string, feed: readonly string[] = []): Promise<Ended> {
  const start = `const { Sandbox, hostStdin } = await import(${JSON.stringify(library)});\nconst say = (value) => console.log(JSON.stringify(value));\n`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", start + source], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  const rest = [...feed];
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
    for (const _ of chunk.toString().matchAll(/"feed"/g)) child.stdin.write(rest.shift() ?? "");
  });
  return new Promise((settle) => {
    child.on("close", (status, signal) => {
      child.stdin.destroy();
      settle({
        status,
        signal,
        lines: text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line)),
      });
    });
  });
}

describe.each(["worker", "process"])("%s", (isolation) => {
  // Its standard input stays open and silent: what waits for it would wait for ever, and keep the process with it.
  test("a read of a silent input ends at the limit, and the process can exit", async () => {
    const { status, lines } = await embedder(`
      for (let i = 0; i < 6; i++) {
        const sandbox = await Sandbox.create({ isolation: "${isolation}", stdin: hostStdin, limits: { wall: "100 ms" } });
        await sandbox.run("import os; os.read(0, 10)").catch((error) => say(error.code));
        await sandbox.close();
      }
      // Node's pool of threads still works.
      await (await import("node:fs/promises")).readFile(process.execPath, { signal: AbortSignal.timeout(5000) });
      say("over");`);
    expect(lines).toEqual([...Array(6).fill("LIMIT_WALL"), "over"]);
    expect(status).toBe(0);
  });

  test("input that comes after a guest was stopped is the next one's", async () => {
    const { lines } = await embedder(
      `
      const options = { isolation: "${isolation}", stdin: hostStdin };
      const first = await Sandbox.create({ ...options, limits: { wall: "100 ms" } });
      await first.run("input()").catch((error) => say(error.code));
      await first.close();
      const second = await Sandbox.create(options);
      say("feed");
      say((await second.run("input()")).value);
      say("feed");
      say((await second.run("import sys; [sys.stdin.read(2), sys.stdin.readline()]")).value);
      await second.close();`,
      ["one\n", "two\nthree\n"],
    );
    expect(lines).toEqual(["LIMIT_WALL", "feed", "one", "feed", ["tw", "o\n"]]);
  });

  test("a wait for input is no processor time, and none of the wall's where that was chosen", async () => {
    const { lines } = await embedder(
      `
      const limits = { wall: "400 ms", cpu: "300 ms", wallPausesForHost: true };
      const sandbox = await Sandbox.create({ isolation: "${isolation}", stdin: hostStdin, limits });
      setTimeout(() => say("feed"), 700);
      const run = await sandbox.run("input()");
      say([run.value, run.usage.wallMs < 400, run.usage.cpuMs < 300]);
      await sandbox.close();`,
      ["late\n"],
    );
    expect(lines).toEqual(["feed", ["late", true, true]]);
  });
});

test("the worker's guest gets its soft stop while it waits for input", async () => {
  const { lines } = await embedder(`
    const limits = { wall: "100 ms", soft: { grace: "5 s" } };
    const sandbox = await Sandbox.create({ stdin: hostStdin, limits });
    const source = "try: input()\\nexcept KeyboardInterrupt: kept = 'told'\\nkept";
    const run = await sandbox.run(source);
    say([run.value, run.softStop]);
    await sandbox.close();`);
  expect(lines).toEqual([["told", "wall"]]);
});

test("what a guest waits for input is counted once: it earns no processor time by waiting", () => {
  let nowMs = 1000;
  const control = new Control();
  control.sleep = (milliseconds) => {
    nowMs += milliseconds;
  };
  const supervisor = new Supervisor(control, { monotonicMs: () => nowMs, threadCpuMs: () => nowMs });
  const { process } = makeFixture().kernel;
  const limits = { wallMs: 10_000, cpuMs: 10_000, fuel: Number.POSITIVE_INFINITY };
  supervisor.begin(new Kernel(process, supervisor.ask), { limits, wallPauses: false } as never);
  supervisor.whileHostAnswers(() => supervisor.sleep(200));
  nowMs += 300;
  expect(supervisor.meters()).toMatchObject({ wallMs: 500, cpuMs: 300, calls: 1 });
  supervisor.sleep(100);
  expect(supervisor.finish()).toMatchObject({ wallMs: 600, cpuMs: 300 });
});
