// Starting the thread behind a worker wall. It takes as long as loading the command's code: the command starts it first.
import { Worker } from "node:worker_threads";
import { defaultCacheDirectory } from "../cache/image-store.ts";
import { workerEntryScript, workerMainScript } from "../package-root.ts";

/** Megabytes of native stack: deep C recursion in the guest needs far more than a thread's default of 4. */
const stackSizeMb = 64;
/** Megabytes of JavaScript heap: the kernel's own objects and what it holds for the guest. */
const heapSizeMb = 512;

/** For worker-entry.ts. */
export interface EntryData {
  /** The thread has no environment to find it with. */
  readonly cacheDirectory: string;
}

interface StartedWorker {
  readonly worker: Worker;
  /** Resolves when the thread runs code of ours, or will never do so. */
  readonly online: Promise<void>;
}

/** The entry of the command and the rest of it are two bundles: what one of them leaves here, the other one finds. */
const early: unique symbol = Symbol.for("sandboa.early-worker");
const shared = globalThis as {
  /** Undefined before the first thread of the process, null when none is waiting. */
  [early]?: StartedWorker | null;
};

/** For whoever will most likely open a worker wall, and has other work first. Does not keep the process alive. */
export function startWorkerEarly(): void {
  const started = start();
  started.worker.unref();
  shared[early] = started;
  const forget = (): void => {
    if (shared[early] === started) shared[early] = null;
  };
  for (const event of ["error", "exit"]) started.worker.once(event, forget);
}

/** The one that was started early, or a new one. */
export function startWorker(): StartedWorker {
  const started = shared[early] ?? start();
  shared[early] = null;
  return started;
}

function start(): StartedWorker {
  // The first one comes up while code is loaded under other flags (engine-flags.ts): V8 would take no bytecode, and looking takes time.
  const script = shared[early] === undefined ? workerMainScript : workerEntryScript;
  const worker = new Worker(script, {
    env: {},
    workerData: { cacheDirectory: defaultCacheDirectory() } satisfies EntryData,
    argv: [],
    execArgv: [],
    stdin: false,
    name: "sandboa",
    resourceLimits: { stackSizeMb, maxOldGenerationSizeMb: heapSizeMb },
  });
  const online = new Promise<void>((resolve) => {
    for (const event of ["online", "exit"]) worker.once(event, () => resolve());
  });
  return { worker, online };
}
