// An entry of the worker thread that loads worker-main.ts with the bytecode that an earlier thread has left, in 3 instead of 11 ms.
import { workerData } from "node:worker_threads";
import { ImageStore } from "../cache/image-store.ts";
import { loadBundle } from "../engine/bytecode.ts";
import { workerMainScript } from "../package-root.ts";
import type { EntryData } from "./worker-start.ts";

const { cacheDirectory } = workerData as EntryData;
const bundle = loadBundle(workerMainScript, new ImageStore(cacheDirectory));
if (!bundle.hadBytecode) {
  (bundle.exports as typeof import("./worker-main.ts")).afterRuns(() => {
    if (!bundle.canKeep()) return false;
    bundle.keep();
    return true;
  });
}
