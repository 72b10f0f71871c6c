// The first process that has an image lets the engine optimise what programs commonly use of it, and keeps that code: every later one
// starts with it. Costs that process a second or three, once.
import { whileOptimising } from "../platform/node/engine-flags.ts";
import { monotonicMs, pauseMs, warn } from "../platform/node/powers.ts";
import { WorkerLink } from "../platform/node/worker-thread.ts";
import type { CodeKeeper } from "./code-file.ts";
import type { Progress } from "./image-build.ts";
import type { LoadedImage } from "./image-cache.ts";
import { idlePlan } from "./plan.ts";
import { rehearsedPrograms } from "./rehearsed-programs.ts";
import { RemoteWall } from "./remote-wall.ts";
import { encodeRun } from "./run.ts";
import type { Wall } from "./wall.ts";

const rehearsals = new WeakMap<LoadedImage, Promise<void>>();

/** Resolves when the code is kept, or cannot be: that is no reason to fail. */
export function rehearse(image: LoadedImage, keeper: CodeKeeper, progress?: Progress): Promise<void> {
  let rehearsal = rehearsals.get(image);
  if (rehearsal === undefined) {
    progress?.("optimising the interpreter (once per version)");
    rehearsal = inAThread(image, keeper).catch((error: unknown) => {
      warn("the interpreter's optimised code cannot be kept", error);
    });
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

async function perform(wall: Wall): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await wall.begin({ ...idlePlan, limits });
    for (const source of rehearsedPrograms) await wall.run(encodeRun(source, {}), () => {});
    await wall.reset();
  }
}

const lookMs = 100;
const stillLooks = 3;
const longestMs = 5000;

/** The engine optimises in threads of its own, and tells nobody when they are done. */
async function untilSettled(keeper: CodeKeeper): Promise<void> {
  const start = monotonicMs();
  for (let looks = 0, before = -1; looks < stillLooks && monotonicMs() - start < longestMs; ) {
    await pauseMs(lookMs);
    const now = keeper.codeBytes;
    looks = now === before ? looks + 1 : 0;
    before = now;
  }
}
