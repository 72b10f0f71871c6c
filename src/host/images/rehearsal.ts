// The first process that has an image lets the engine optimise what programs commonly use of it, and keeps that code: every later one
// starts with it. Costs that process a second or three, once.
import { whileOptimising } from "../../platform/node/engine/engine-flags.ts";
import { monotonicMs, pauseMs, warn } from "../../platform/node/powers.ts";
import { processCpuMs } from "../../platform/node/thread-cpu.ts";
import { WorkerLink } from "../../platform/node/walls/worker-thread.ts";
import { idlePlan } from "../plan.ts";
import { encodeRun } from "../run-request.ts";
import { RemoteWall } from "../walls/remote-wall.ts";
import type { Wall } from "../walls/wall.ts";
import type { CodeKeeper } from "./code-file.ts";
import type { LoadedImage } from "./image-cache.ts";
import type { Progress } from "./progress.ts";
import { rehearsedPrograms } from "./rehearsed-programs.ts";
import { warmUp } from "./warm-up.ts";

const rehearsals = new WeakMap<LoadedImage, Promise<void>>();
/** One after the other: each changes flags of the whole process. */
let last: Promise<void> = Promise.resolve();

/** Resolves when the code is kept, or cannot be: that is no reason to fail. */
export function rehearse(image: LoadedImage, keeper: CodeKeeper, progress?: Progress): Promise<void> {
  let rehearsal = rehearsals.get(image);
  if (rehearsal === undefined) {
    rehearsal = last.then(async () => {
      progress?.("optimising the interpreter (once per version)");
      await inAThread(image, keeper).catch((error: unknown) => {
        warn("the interpreter's optimised code cannot be kept", error);
      });
    });
    last = rehearsal;
    rehearsals.set(image, rehearsal);
  }
  return rehearsal;
}

async function inAThread(image: LoadedImage, keeper: CodeKeeper): Promise<void> {
  let link: WorkerLink | undefined;
  const wall = await RemoteWall.open(
    (events) => {
      link = new WorkerLink(events);
      return link;
    },
    async () => link?.introduce(image),
    () => {},
  );
  try {
    // The evaluator takes longest. First, since it is noticed by what has become quicker.
    await begin(wall);
    await warmUp((source) => cpuMsOf(wall, source), evaluatorMs);
    await wall.reset();
    await whileOptimising(async () => {
      await perform(wall);
      await untilSettled(keeper);
    });
  } finally {
    await wall.kill(new Error("the rehearsal is over"));
  }
  keeper.keep();
}

const rounds = 3;
const limits = { ...idlePlan.limits, memoryBytes: 2 ** 27, hostMemoryBytes: 2 ** 25, wallMs: 10_000 };

const evaluatorMs = 5000;

const begin = (wall: Wall): Promise<void> => wall.begin({ ...idlePlan, limits });

async function cpuMsOf(wall: Wall, source: string): Promise<number> {
  return (await wall.run(encodeRun(source, {}), () => {})).meters.cpuMs;
}

async function perform(wall: Wall): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await begin(wall);
    for (const source of rehearsedPrograms) await cpuMsOf(wall, source);
    await wall.reset();
  }
}

const lookMs = 100;
const quietLooks = 3;
/** Of one processor, of all threads of this process together. */
const quietShare = 0.3;
const longestMs = 10_000;

/**
 * The engine optimises in threads of its own, and tells nobody when they are done: then nothing more is compiled, and nobody works. Two
 * large functions at a time can take a second, in which nothing is finished.
 */
async function untilSettled(keeper: CodeKeeper): Promise<void> {
  const start = monotonicMs();
  let before = { ms: start, cpuMs: processCpuMs(), bytes: -1 };
  for (let quiet = 0; quiet < quietLooks && monotonicMs() - start < longestMs; ) {
    await pauseMs(lookMs);
    const now = { ms: monotonicMs(), cpuMs: processCpuMs(), bytes: keeper.codeBytes };
    const share = (now.cpuMs - before.cpuMs) / (now.ms - before.ms);
    quiet = now.bytes === before.bytes && share < quietShare ? quiet + 1 : 0;
    before = now;
  }
}
