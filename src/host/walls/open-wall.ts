// Chooses the wall. The image is read while a thread or process comes up. What only one kind of wall needs is loaded with it: the
// command, which has one wall and starts anew each time, would wait for code that it does not use.

import { noteUse } from "../../platform/node/engine/used-parts.ts";
import type { ProcessLink } from "../../platform/node/walls/child-process.ts";
import type { WorkerLink } from "../../platform/node/walls/worker-thread.ts";
import { type LoadedImage, loadBytes, loadImage, openImageFiles } from "../images/image-cache.ts";
import type { Progress } from "../images/progress.ts";
import { noteWarm } from "../images/warm-up.ts";
import type { CheckedEngine } from "../options/options.ts";
import { RemoteWall } from "./remote-wall.ts";
import type { OnFall, Wall } from "./wall.ts";

/** A pristine interpreter behind the chosen wall. Throws ImageError, SandboxLostError. */
export async function openWall(engine: CheckedEngine, onFall: OnFall, progress?: Progress): Promise<Wall> {
  const image = async (undisturbed?: Promise<void>): Promise<LoadedImage> => {
    const loaded = await loadImage(engine, {
      progress,
      keepsCode: true,
      undisturbed,
      prefill: engine.isolation === "inline",
    });
    if (loaded.codeKeeper)
      await (await import("../images/rehearsal.ts")).rehearse(loaded, loaded.codeKeeper, progress);
    if (loaded.hasCode || loaded.codeKeeper) noteWarm(engine);
    return loaded;
  };
  noteUse(engine.isolation);
  switch (engine.isolation) {
    case "inline": {
      const [loaded, inline] = await Promise.all([image(), import("./inline-wall.ts")]);
      return inline.openInline(loaded);
    }
    case "worker": {
      const thread = await import("../../platform/node/walls/worker-thread.ts");
      let link: WorkerLink | undefined;
      return RemoteWall.open(
        (events) => {
          link = new thread.WorkerLink(events);
          return link;
        },
        async () => link?.introduce(await image(link.online)),
        onFall,
      );
    }
    case "process": {
      const child = await import("../../platform/node/walls/child-process.ts");
      let link: ProcessLink | undefined;
      return RemoteWall.open(
        (events) => {
          link = new child.ProcessLink(events, openImageFiles(engine));
          return link;
        },
        async () => link?.introduce(() => loadBytes(engine, image)),
        onFall,
      );
    }
  }
}
