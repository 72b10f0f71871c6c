// Every hostile program behind every wall: it ends as it may, memory stays within its cap, and the next checkout works. How late
// each one ends is measured by the bench, not judged here.
import { type Isolation, LimitError, Pool, PythonError, SandboxError, scratch } from "sandboa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostilePrograms } from "./hostile-programs.ts";

const limits = {
  wall: "300 ms",
  memory: "64 MiB",
  hostMemory: "8 MiB",
  output: "256 KiB",
  value: "1 MiB",
  openFiles: 64,
} as const;
const memoryBytes = 64 * 2 ** 20;

describe.each<Isolation>(["inline", "worker", "process"])("behind the wall %s", (isolation) => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await Pool.create({ size: 1, isolation });
  });
  afterAll(() => pool.close());

  test.each(hostilePrograms)("$name", async ({ source, ends }) => {
    await using sandbox = await pool.checkout({ limits, files: { "/tmp": scratch({ bytes: "32 MiB" }) } });
    const error: unknown = await sandbox.run(source, { finalize: true }).then(
      (run) => expect.fail(`it gave ${String(run.value)}`),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SandboxError);
    const found = error instanceof PythonError ? error.type : (error as SandboxError).code;
    expect(ends, String(error)).toContain(found);
    if (error instanceof LimitError) expect(error.used).toBeGreaterThanOrEqual(error.budget);
    expect(sandbox.usage().memoryBytes).toBeLessThanOrEqual(memoryBytes);
    expect(sandbox.usage().hostMemoryPeakBytes).toBeLessThanOrEqual(8 * 2 ** 20);
    await sandbox.close();

    await using next = await pool.checkout();
    const run = await next.run("import os; (1 + 1, os.listdir('/'), 'source' in globals())");
    expect(run.value).toEqual([2, ["dev", "lib"], false]);
  });
});
