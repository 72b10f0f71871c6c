// The table of hostile programs (tests/hostile-programs.ts) behind every wall: how late after its limit each one has ended, and how
// much memory of the process that took.
import { Pool, scratch } from "sandboa";
import { hostilePrograms } from "../../tests/hostile-programs.ts";
import { line, passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";

const deadlineMs = 300;
const limits = {
  wall: deadlineMs,
  memory: "64 MiB",
  hostMemory: "8 MiB",
  output: "256 KiB",
  value: "1 MiB",
  openFiles: 64,
} as const;

export const title = `from a limit of ${deadlineMs} ms to the answer, for ${hostilePrograms.length} hostile programs`;

export async function measure(): Promise<void> {
  const rounds = samples(1);
  for (const [isolation, metered] of [
    ["inline", true],
    ["worker", false],
    ["worker", true],
    ["process", false],
  ] as const) {
    const pool = await Pool.create({ size: 1, isolation, metered });
    const name = `${isolation}${metered ? ", metered" : ""}`;
    const before = process.memoryUsage.rss();
    const late: { program: string; ms: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const program of hostilePrograms) {
        passing(`${name}: ${program.name}`);
        const sandbox = await pool.checkout({ limits, files: { "/tmp": scratch({ bytes: "32 MiB" }) } });
        const from = performance.now();
        await sandbox.run(program.source, { finalize: true }).catch(() => {});
        late.push({ program: program.name, ms: performance.now() - from - deadlineMs });
        await sandbox.close();
      }
    }
    await pool.close();
    const overdue = late.filter(({ ms }) => ms > 0).sort((a, b) => b.ms - a.ms);
    report(
      `${name}: late by, of those stopped by time`,
      overdue.map(({ ms }) => ms),
    );
    line(
      `    the latest: ${overdue
        .slice(0, 3)
        .map(({ program, ms }) => `${program} ${ms.toFixed(0)} ms`)
        .join(", ")}`,
    );
    line(
      `    resident memory of this process grew by ${((process.memoryUsage.rss() - before) / 2 ** 20).toFixed(0)} MiB`,
    );
  }
}
