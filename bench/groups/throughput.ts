// Uses per second: as many at a time as the machine has cores, each taking one pristine interpreter after the other.
import { availableParallelism } from "node:os";
import { passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";
import { type Source, walls } from "../harness/walls.ts";

const lanes = availableParallelism();
const sliceMs = 400;
/**
 * A service's pool lives for hours: our own code in each of its threads and processes is to be as warm as there. It is optimised thread by
 * thread; after one second a pool of four worker threads is at half of its speed, after five at nine tenths or more.
 */
const warmMs = 6000;

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
  const opened: { readonly contestant: Contestant; readonly source: Source; readonly rates: number[] }[] = [];
  for (const contestant of contestants) {
    passing(`warming ${contestant.name}`);
    const source = await contestant.open();
    opened.push({ contestant, source, rates: [] });
    await usesPerSecond(contestant, source, warmMs);
  }
  for (let round = 1; round <= rounds; round++) {
    for (const { contestant, source, rates } of opened) {
      passing(`round ${round} of ${rounds}: ${contestant.name}`);
      rates.push(await usesPerSecond(contestant, source, sliceMs));
    }
  }
  for (const { contestant, source, rates } of opened) {
    report(contestant.name, rates, "/s");
    await source.close();
  }
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
