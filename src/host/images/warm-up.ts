// The evaluator starts in the engine's baseline compiler, three to ten times slower, and a Python loop stays in the tier it began in.
// Optimised code belongs to the module and is shared by all of its instances and threads, so one interpreter warms a whole process.
import { whileOptimising } from "../../platform/node/engine/engine-flags.ts";
import { monotonicMs } from "../../platform/node/powers.ts";
import type { CheckedEngine } from "../options/options.ts";
import { idlePlan } from "../plan.ts";
import { encodeRun } from "../run-request.ts";
import type { Wall } from "../walls/wall.ts";

/** By form of the module: a process of its own is not among them, since nothing is shared with it. */
const warmed = new Map<string, Promise<void>>();

const formOf = ({ metered, tracked, refusedModules }: CheckedEngine): string =>
  `${metered}:${tracked}:${refusedModules.join(",")}`;

/** The module of these interpreters started with optimised code, or has become hot. */
export function noteWarm(engine: CheckedEngine): void {
  warmed.set(formOf(engine), Promise.resolve());
}

/** Warms this process for interpreters of that kind, the first time; leaves the wall pristine. */
export async function warmOnce(engine: CheckedEngine, wall: Wall): Promise<void> {
  if (engine.isolation === "process") return;
  const form = formOf(engine);
  for (let warming = warmed.get(form); warming !== undefined; warming = warmed.get(form)) {
    const isWarm = await warming.then(
      () => true,
      () => false,
    );
    if (isWarm) return;
  }
  // One that fails, as when its pool is closed meanwhile, is nobody else's failure: the next one warms.
  const warming = warmWith(wall).catch((error: unknown) => {
    warmed.delete(form);
    throw error;
  });
  warmed.set(form, warming);
  await warming;
}

async function warmWith(wall: Wall): Promise<void> {
  await wall.begin({ ...idlePlan, limits: { ...idlePlan.limits, memoryBytes: 2 ** 27, wallMs: 10_000 } });
  await warmUp(async (source) => (await wall.run(encodeRun(source, {}), () => {})).meters.cpuMs);
  await wall.reset();
}

/** Runs source in an interpreter that is made pristine afterwards, and tells the processor time that it took, in milliseconds. */
type WarmRun = (source: string) => Promise<number>;

/** What the most programs use of the interpreter, so that more than the evaluator gets hot. */
const everyday = `
def _warm(n):
    class Pair:
        def __init__(self, a, b):
            self.a = a
            self.b = b
        def both(self):
            return self.a + self.b
    total = 0
    seen = {}
    for i in range(n):
        pair = Pair(i, str(i))
        seen[pair.b] = pair
        total += len([x * 2 for x in (i, pair.a)]) + len(f"{i:04d}-{pair.b}".split("-"))
        try:
            total += seen[pair.b].a + seen.get("none", 1) + sum(y for y in (1, 2.5))
            if i % 16 == 0:
                raise ValueError(i)
        except ValueError as error:
            total += len(error.args)
    return len(sorted(seen, key=len)) + total
def _probe(n):
    for i in range(n):
        i & 3
`;
/** Optimised code takes a third of the time of the baseline code on Node 20, and two thirds on 22 and 24. */
const optimisedShare = 0.8;
/** Long enough for a system that counts processor time in ticks of some milliseconds. */
const probe = "_probe(200000)";

/** Resolves when the evaluator's optimised code is in use, or after `limitMs`: where it was in use before, nothing gets faster. */
export async function warmUp(run: WarmRun, limitMs = 2000): Promise<void> {
  await whileOptimising(async () => {
    const start = monotonicMs();
    await run(everyday);
    // What is called for the first time is compiled first: that must not pass for the time of the baseline code.
    await run(probe);
    const baselineMs = Math.min(await run(probe), await run(probe));
    // Two in a row: one proves nothing.
    for (let quick = 0; quick < 2 && monotonicMs() - start < limitMs; ) {
      await run("_warm(500)");
      quick = (await run(probe)) < baselineMs * optimisedShare ? quick + 1 : 0;
    }
  });
}
