// Uses per second: as many at a time as the machine has cores, each taking one pristine interpreter after the other.
import { availableParallelism } from "node:os";
import { passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";
import { type Source, walls } from "../harness/walls.ts";

const lanes = availableParallelism();
const sliceMs = 400;
const warmMs = 1000;

export const title = `uses (checkout, 1 + 1, return) per second, ${lanes} at a time`;

interface Contestant {
  readonly name: string;
  readonly lanes: number;
  open(): Promise<Source>;
}

/** A pool of several interpreters in one thread goes through memory that the processor's caches do not hold: one alone is quicker. */
const contestants: readonly Contestant[] = walls.flatMap(({ name, open }) => [
  { name, lanes, open: () => open(lanes * 2) },
  ...(name === "inline, from a pool"
    ? [{ name: `${name} of one, one at a time`, lanes: 1, open: () => open(1) }]
    : []),
]);

export async function measure(): Promise<void> {
  const rounds = samples(5);
  const rates = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [contestant, series] of rates) {
      passing(`round ${round} of ${rounds}: ${contestant.name}`);
      const source = await contestant.open();
      // A service's pool lives for hours: our own code in its new threads and processes is to be as warm as there.
      await usesPerSecond(contestant, source, warmMs);
      const rate = await usesPerSecond(contestant, source, sliceMs);
      // The first round only warms what all have in common.
      if (round > 0) series.push(rate);
      await source.close();
    }
  }
  for (const [{ name }, series] of rates) report(name, series, "/s");
}

async function usesPerSecond({ lanes }: Contestant, source: Source, ms: number): Promise<number> {
  const from = performance.now();
  const uses = await Promise.all(Array.from({ length: lanes }, () => useUntil(source, from + ms)));
  return uses.reduce((sum, count) => sum + count, 0) / ((performance.now() - from) / 1000);
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
