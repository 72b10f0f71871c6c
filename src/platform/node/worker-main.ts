// The entry of the worker thread: builds the session, then answers one message at a time.
import { readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { OutputWriter } from "../../host/output-ring.ts";
import type { FromWorker, ToWorker, WorkerStart } from "../../host/protocol.ts";
import { Session } from "../../host/session.ts";
import { RenewalFailure } from "../../interpreter/interpreter.ts";
import { createHostFile, openHostFile } from "./host-files.ts";
import { clearMemory, inflateRaw, nodeClock, nodeEntropy } from "./powers.ts";

const port = parentPort;
if (port === null) throw new Error("this file is the entry of a worker thread");
const send = (message: FromWorker): void => port.postMessage(message);

/** The process's own standard input; a non-blocking descriptor is asked again after a pause. */
function readHostInput(target: Uint8Array): number {
  for (;;) {
    try {
      return readSync(0, target, 0, target.length, null);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      nodeClock.sleepMs(5);
    }
  }
}

const powers = {
  clock: nodeClock,
  entropy: nodeEntropy,
  inflate: inflateRaw,
  clearMemory,
  hostInput: { read: readHostInput },
  openHostFile,
  createHostFile,
};

function open(start: WorkerStart): Session | undefined {
  try {
    const session = new Session(start, powers, new OutputWriter(start.ring, () => send({ type: "output" })));
    send({ type: "ready" });
    return session;
  } catch (error) {
    if (!(error instanceof RenewalFailure)) throw error;
    send({ type: "failed", outcome: error.outcome });
    return undefined;
  }
}

let session: Session | undefined;
port.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "start":
      session = open(message.start);
      break;
    case "run":
      if (session) {
        const outcome = session.run(message.request);
        send({ type: "done", id: message.id, outcome, memoryBytes: session.memoryBytes });
      }
      break;
    case "reset":
      session?.reset();
      send({ type: "reset", id: message.id });
      break;
  }
});
