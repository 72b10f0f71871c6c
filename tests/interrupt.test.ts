// Ctrl-C ends the command at once, whatever the guest is doing, and nothing is left: no process, no file, no changed terminal.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultCacheDirectory } from "../src/platform/node/cache/image-store.ts";

const command = resolve(import.meta.dirname, "..", "dist", "cli.cjs");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-interrupt-"));
  mkdirSync(join(folder, "tmp"));
  mkdirSync(join(folder, "home"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: join(folder, "home"),
  TMPDIR: join(folder, "tmp"),
  SANDBOA_CACHE: defaultCacheDirectory(),
});

interface Interrupted {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly afterMs: number;
  readonly group: number;
}

/** Interrupts all of the command's processes once the guest has said "ready". */
function interrupt(args: readonly string[]): Promise<Interrupted> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [command, "run", ...args], {
      cwd: folder,
      env: environment(),
      // A process group of its own, as a terminal gives it.
      detached: true,
    });
    let [stdout, stderr, sentAt] = ["", "", 0];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      if (sentAt > 0 || !stdout.includes("ready")) return;
      sentAt = performance.now();
      process.kill(-(child.pid ?? 0), "SIGINT");
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (status, signal) =>
      done({ status, signal, stdout, stderr, afterMs: performance.now() - sentAt, group: child.pid ?? 0 }),
    );
  });
}

function isGone(group: number): boolean {
  try {
    return !process.kill(-group, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

const ready = "print('ready', flush=True)\n";

describe("an interrupt", () => {
  test.each([
    ["a Python loop", [], "while True: pass"],
    ["a loop in C", [], "sum(range(10**12))"],
    ["a guest in the command's own thread", ["--isolation", "inline"], "while True: pass"],
    ["a guest in a process of its own", ["--isolation", "process"], "sum(range(10**12))"],
    ["sleep", [], "import time; time.sleep(1000)"],
    ["a wait for input that does not come", ["--stdin"], "input()"],
    ["a flood of output", ["--output", "500MiB"], "while True: print('x' * 100)"],
    [
      "a guest that refuses to go",
      [],
      "import signal\nsignal.signal(signal.SIGINT, lambda *a: None)\nwhile True:\n  try: import time; time.sleep(1)\n  except BaseException: pass",
    ],
  ])("ends %s", async (_name, options, source) => {
    const before = readdirSync(folder, { recursive: true });
    const ended = await interrupt(["--wall", "60s", ...options, "-c", ready + source]);
    // Ended by the signal itself, which a shell reports as 130.
    expect(ended).toMatchObject({ status: null, signal: "SIGINT", stderr: "" });
    expect(ended.stdout.startsWith("ready\n")).toBe(true);
    expect(ended.afterMs).toBeLessThan(1000);
    // A child that has lost its parent stays in the table of processes until init looks.
    await expect.poll(() => isGone(ended.group), { timeout: 10_000 }).toBe(true);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });
});

test.skipIf(!existsSync("/usr/bin/script"))(
  "on a terminal: status 130, and the terminal as it was",
  async () => {
    const line = `"${process.execPath}" "${command}" run --stdin -c "print('re' + 'ady', flush=True); input()"`;
    const shell = `trap : INT; stty -a; ${line}; echo status=$?; stty -a`;
    const child = spawn("/usr/bin/script", ["-qec", shell, "/dev/null"], { cwd: folder, env: environment() });
    let output = "";
    let sent = false;
    child.stdout.on("data", (chunk) => {
      output += chunk;
      if (!sent && output.includes("ready")) {
        sent = true;
        child.stdin.write("\x03");
      }
    });
    await new Promise((done) => child.on("close", done));
    expect(output).toContain("status=130");
    const settings = output.split(/\r?\n/).filter((text) => /\becho\b|\bicanon\b|\bisig\b/.test(text));
    expect(settings.length).toBeGreaterThan(1);
    expect(settings.slice(settings.length / 2)).toEqual(settings.slice(0, settings.length / 2));
  },
);
