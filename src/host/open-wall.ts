// Chooses the wall. The image is read while a thread or process comes up.
import { RenewalFailure } from "../interpreter/interpreter.ts";
import { ProcessLink } from "../platform/node/child-process.ts";
import { WorkerLink } from "../platform/node/worker-thread.ts";
import { type LoadedImage, loadImage, type Progress, readLeanModule } from "./image-cache.ts";
import { InlineWall } from "./inline-wall.ts";
import type { CheckedEngine } from "./options.ts";
import { RemoteWall } from "./remote-wall.ts";
import { failureOf } from "./run.ts";
import type { OnFall, Wall } from "./wall.ts";

/** A pristine interpreter behind the chosen wall. Throws ImageError, SandboxLostError. */
export async function openWall(engine: CheckedEngine, onFall: OnFall, progress?: Progress): Promise<Wall> {
  const image = (): Promise<LoadedImage> => loadImage(engine.refusedModules, progress);
  switch (engine.isolation) {
    case "inline":
      return openInline(await image());
    case "worker": {
      let link: WorkerLink | undefined;
      return RemoteWall.open(
        (events) => {
          link = new WorkerLink(events);
          return link;
        },
        async () => link?.introduce(await image()),
        onFall,
      );
    }
    case "process": {
      let link: ProcessLink | undefined;
      return RemoteWall.open(
        (events) => {
          link = new ProcessLink(events);
          return link;
        },
        async () => {
          const loaded = await image();
          link?.introduce(loaded, readLeanModule(loaded, engine.refusedModules));
        },
        onFall,
      );
    }
  }
}

function openInline(image: LoadedImage): Wall {
  try {
    return new InlineWall(image);
  } catch (error) {
    throw error instanceof RenewalFailure ? failureOf(error.outcome, undefined) : error;
  }
}
