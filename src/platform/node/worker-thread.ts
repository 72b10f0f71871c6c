// Starting and killing the worker thread of a sandbox.
import { Worker } from "node:worker_threads";
import type { FromWorker, ToWorker } from "../../host/protocol.ts";
import { workerScript } from "./package-files.ts";

/** Megabytes of native stack: deep C recursion in the guest needs far more than a thread's default of 4. */
const stackSizeMb = 32;
/** Megabytes of JavaScript heap: the kernel's own objects and what it holds for the guest. */
const heapSizeMb = 512;

export interface WorkerEvents {
  onMessage(message: FromWorker): void;
  /** The thread is gone without having been asked to go. */
  onDeath(reason: string): void;
}

export interface RunningWorker {
  send(message: ToWorker): void;
  /** Whether a pending operation keeps the embedder's process alive. */
  hold(alive: boolean): void;
  kill(): Promise<void>;
}

/** The thread comes up while the caller still prepares what to send it first. */
export function startWorker(events: WorkerEvents): RunningWorker {
  const worker = new Worker(workerScript, {
    env: {},
    argv: [],
    execArgv: [],
    stdin: false,
    name: "sandboa",
    resourceLimits: { stackSizeMb, maxOldGenerationSizeMb: heapSizeMb },
  });
  let killed = false;
  let reason = "the worker thread ended";
  worker.on("message", (message: FromWorker) => {
    if (!killed) events.onMessage(message);
  });
  worker.on("error", (error: Error & { code?: string }) => {
    reason =
      error.code === "ERR_WORKER_OUT_OF_MEMORY"
        ? "the worker thread ran out of memory"
        : `the worker thread failed: ${error.message}`;
  });
  worker.on("exit", () => {
    if (!killed) events.onDeath(reason);
  });
  return {
    send: (message) => worker.postMessage(message),
    hold: (alive) => {
      // A dying thread keeps the process alive until it is gone: somebody waits for that.
      if (killed) return;
      if (alive) worker.ref();
      else worker.unref();
    },
    kill: async () => {
      killed = true;
      worker.ref();
      await worker.terminate();
    },
  };
}
