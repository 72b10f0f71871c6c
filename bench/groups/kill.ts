// Stopping a guest that does not stop by itself: how long after its deadline the host has its answer, and how long until the next
// pristine sandbox runs something.
import { LimitError } from "sandboa";
import { line, passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";
import { walls } from "../harness/walls.ts";

export const title = "from the deadline to the answer, and from there to the next answer of a pristine one";

const deadlineMs = 50;

/** They would end by themselves after some seconds, so that a wall that cannot stop them is told from one that hangs. */
const loops: readonly (readonly [string, string])[] = [
  ["a loop in Python", "for _ in range(10**8): pass"],
  ["a loop in C", "sum(range(3 * 10**8))"],
  [
    "a swallowed error",
    "for _ in range(10):\n  try:\n    for _ in range(10**7): pass\n  except BaseException: pass",
  ],
];

export async function measure(): Promise<void> {
  const rounds = samples(10);
  for (const wall of walls) {
    const source = await wall.open(1);
    for (const [kind, program] of loops) {
      const late: number[] = [];
      const again: number[] = [];
      for (let round = 0; round < rounds; round++) {
        passing(`${wall.name}: ${kind}, ${round + 1} of ${rounds}`);
        const sandbox = await source.checkout({ limits: { wall: deadlineMs } });
        const from = performance.now();
        const ending = await sandbox.run(program).catch((error: unknown) => error);
        const stopped = performance.now();
        if (ending instanceof LimitError) late.push(stopped - from - deadlineMs);
        await sandbox.close();
        const next = await source.checkout();
        await next.run("1");
        again.push(performance.now() - stopped);
        await next.close();
        if (!(ending instanceof LimitError)) break;
      }
      if (late.length < rounds) {
        line(`${wall.name}: ${kind} was NOT STOPPED`);
        continue;
      }
      report(`${wall.name}: ${kind}`, late);
      report("    and the next one has answered", again);
    }
    await source.close();
  }
}
