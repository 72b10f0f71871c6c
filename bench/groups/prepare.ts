// The first run of all: the interpreter's image is built, once per version and machine. Each sample has an empty cache of its own.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";

export const title = "the command with an empty cache";

export function measure(): void {
  const rounds = samples(3);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    passing(`${round + 1} of ${rounds}`);
    const cache = mkdtempSync(join(tmpdir(), "sandboa-bench-"));
    const from = performance.now();
    const ended = spawnSync(process.execPath, ["dist/cli.cjs", "run", "-c", "print(1)"], {
      stdio: "ignore",
      env: { ...process.env, SANDBOA_CACHE: cache },
    });
    times.push(performance.now() - from);
    rmSync(cache, { recursive: true });
    if (ended.status !== 0) throw new Error(`the command failed with status ${ended.status}`);
  }
  report("sandboa run -c 'print(1)', nothing prepared", times);
}
