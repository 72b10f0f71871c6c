// Uses per second: as many at a time as the machine has cores, each taking one pristine interpreter after the other.
import { availableParallelism } from "node:os";
import { passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";
import { type Source, type Wall, walls } from "../harness/walls.ts";

const lanes = availableParallelism();
const sliceMs = 400;

export const title = `uses (checkout, 1 + 1, return) per second, ${lanes} at a time`;

export async function measure(): Promise<void> {
  const rounds = samples(5);
  const rates = new Map<Wall, number[]>(walls.map((wall) => [wall, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [wall, series] of rates) {
      passing(`round ${round} of ${rounds}: ${wall.name}`);
      const source = await wall.open(lanes * 2);
      const from = performance.now();
      const uses = await Promise.all(Array.from({ length: lanes }, () => useUntil(source, from + sliceMs)));
      const seconds = (performance.now() - from) / 1000;
      // The first round only warms.
      if (round > 0) series.push(uses.reduce((sum, count) => sum + count, 0) / seconds);
      await source.close();
    }
  }
  for (const [{ name }, series] of rates) report(name, series, "/s");
}

async function useUntil(source: Source, deadline: number): Promise<number> {
  let uses = 0;
  for (; performance.now() < deadline; uses++) {
    const sandbox = await source.checkout();
    await sandbox.run("1 + 1");
    await sandbox.close();
  }
  return uses;
}
