// Stopping a guest that does not stop by itself: how long after its deadline the host has its answer, and how long until the
// sandbox is pristine again.
import { LimitError } from "sandboa";
import { passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";
import { walls } from "../harness/walls.ts";

export const title = "from the deadline to the answer, and from there to pristine";

const deadlineMs = 50;

const loops: readonly (readonly [string, string])[] = [
  ["a loop in Python", "while True: pass"],
  ["a loop in C", "sum(range(10**15))"],
  ["a swallowed error", "while True:\n  try:\n    while True: pass\n  except BaseException: pass"],
];

export async function measure(): Promise<void> {
  const rounds = samples(10);
  for (const wall of walls) {
    const source = await wall.open({ limits: { wall: deadlineMs } });
    for (const [kind, program] of loops) {
      const late: number[] = [];
      const pristine: number[] = [];
      for (let round = 0; round < rounds; round++) {
        passing(`${wall.name}: ${kind}, ${round + 1} of ${rounds}`);
        const { sandbox, giveBack } = await source.checkout();
        const from = performance.now();
        const ending = await sandbox.run(program).catch((error: unknown) => error);
        const stopped = performance.now();
        if (!(ending instanceof LimitError)) throw new Error(`${kind} ended otherwise`, { cause: ending });
        late.push(stopped - from - deadlineMs);
        await giveBack();
        pristine.push(performance.now() - stopped);
      }
      report(`${wall.name}: ${kind}`, late);
      report("    and pristine again, or gone", pristine);
    }
    await source.close();
  }
}
