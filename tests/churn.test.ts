// Thousands of checkouts, ordinary and hostile ones mixed: afterwards the process holds what it held before. SANDBOA_CHURN sets their
// number; 10,000 take some minutes.
import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Isolation, LimitError, Pool, PythonError, SandboxLostError, scratch } from "sandboa";
import { expect, test } from "vitest";

const checkouts = Number(process.env.SANDBOA_CHURN ?? 2000);

const programs: readonly (readonly [string, "value" | "python" | "limit" | "lost"])[] = [
  ["sum(range(1000))", "value"],
  ["import json; json.dumps({str(i): [i] * 10 for i in range(200)})[:10]", "value"],
  ["open('/tmp/f', 'w').write('x' * 10000)", "value"],
  ["1 / 0", "python"],
  ["print('x' * 100_000)", "value"],
  ["class C: pass\nx = [C() for _ in range(1000)]\nlen(x)", "value"],
  ["import os\nfor _ in range(50): os.pipe()\nos.write(1, b'y')", "value"],
  ["def f(): f()\nf()", "python"],
  ["x = bytearray(30 << 20)\nlen(x)", "value"],
  ["while True: print('flood' * 1000)", "limit"],
];
const rare: typeof programs = [
  ["while True: pass", "limit"],
  ["sum(range(10**12))", "limit"],
  ["import os; os._exit(1)", "lost"],
  ["import os; os.abort()", "lost"],
  ["x = bytearray(200 << 20)", "python"],
  ["import time; time.sleep(100)", "limit"],
];

/** Memories of instances that are no more wait for the collector, which is in no hurry: a few of them are a hundred megabytes. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  setFlagsFromString("--no-expose-gc");
}

function resources(): Record<string, number> {
  const active = process.getActiveResourcesInfo();
  const threads = readdirSync("/proc/self/task").length;
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").length - 1;
  return {
    fds: readdirSync("/proc/self/fd").length,
    threads,
    children,
    timers: active.filter((name) => name === "Timeout").length,
    handles: active.length,
  };
}

async function settled(): Promise<Record<string, number>> {
  for (let i = 0; i < 20; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return resources();
}

async function churn(isolation: Isolation, count: number): Promise<void> {
  const pool = await Pool.create({ size: 2, isolation });
  const one = async (source: string, expected: string): Promise<void> => {
    const limits = { wall: "60 ms", memory: "64 MiB", output: "200 KiB" };
    const generous = { ...limits, wall: "20 s" };
    await using sandbox = await pool.checkout({
      limits: expected === "limit" ? limits : generous,
      files: { "/tmp": scratch({ bytes: "1 MiB" }) },
    });
    const end = await sandbox.run(source).then(
      () => "value",
      (error: unknown) => {
        if (error instanceof LimitError) return "limit";
        if (error instanceof PythonError) return "python";
        return error instanceof SandboxLostError ? "lost" : String(error);
      },
    );
    expect(end, source).toBe(expected);
  };
  const pick = (i: number) =>
    i % 40 === 39 ? rare[Math.floor(i / 40) % rare.length] : programs[i % programs.length];
  const next = { i: 0 };
  const lane = async (): Promise<void> => {
    while (next.i < count) {
      const [source, expected] = pick(next.i++) ?? ["1", "value"];
      await one(source, expected);
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  await pool.close();
}

/** Beyond what V8 keeps of code and heap after its first hundred checkouts. */
const slackBytes = 64 * 2 ** 20;

test.each<[Isolation, number]>([
  ["inline", checkouts / 2],
  ["worker", checkouts / 2],
  ["process", checkouts / 10],
])(
  "behind the wall %s, %i checkouts leave nothing behind",
  async (isolation, count) => {
    await churn(isolation, 80);
    const before = await settled();
    const rssBefore = process.memoryUsage.rss();
    await churn(isolation, count);
    const after = await settled();
    for (const [name, number] of Object.entries(before)) {
      expect(after[name], name).toBeLessThanOrEqual(number + (name === "threads" ? 1 : 0));
    }
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(slackBytes);
  },
  checkouts * 120 + 60_000,
);
