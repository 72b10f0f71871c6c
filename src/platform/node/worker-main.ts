// The entry of the worker thread: builds the session, then answers one message at a time.
import { parentPort } from "node:worker_threads";
import { Control } from "../../host/control.ts";
import { LibraryFileSystem } from "../../host/library-filesystem.ts";
import { OutputWriter } from "../../host/output-ring.ts";
import { maxTransferBytes } from "../../host/process-protocol.ts";
import type { FromWorker, ToWorker, WorkerStart } from "../../host/protocol.ts";
import { Session } from "../../host/session.ts";
import { SharedLibrary } from "../../host/shared-library.ts";
import { RenewalFailure } from "../../interpreter/interpreter.ts";
import { failNumber } from "../../kernel/kernel-error.ts";
import { openHostFile } from "./host-files.ts";
import { inflateRaw } from "./powers.ts";
import { makeSessionPowers } from "./session-powers.ts";
import { ownThread } from "./thread-cpu.ts";

const port = parentPort;
if (port === null) throw new Error("this file is the entry of a worker thread");
const send = (message: FromWorker): void => port.postMessage(message);

function libraryOf(start: WorkerStart, control: Control): LibraryFileSystem {
  const library = new SharedLibrary(start.library, () => {
    const ask = (question: number): void => send({ type: "library", question });
    if (control.question(ask, () => {}) < 0) throw new Error("the library cannot be read");
  });
  return new LibraryFileSystem(() => library.bytes(), inflateRaw);
}

function open(start: WorkerStart): Session | undefined {
  const control = new Control(start.control);
  const powers = makeSessionPowers({
    openHostFile: ({ ticket }) => (ticket.fd === undefined ? undefined : openHostFile(ticket.fd)),
    // The host makes it: a descriptor that a thread opens is closed with the thread.
    createHostFile: (_place, number) => {
      const ask = (question: number): void => send({ type: "create", place: number, question });
      const reply = control.question(ask, () => {});
      return reply < 0 ? failNumber(-reply) : openHostFile(reply);
    },
    // The host reads: a thread that waits in a read of its own cannot be ended before there is input.
    readHostInput: (bytes, pause) => {
      const target = new SharedArrayBuffer(Math.min(bytes.length, maxTransferBytes));
      const ask = (question: number): void => send({ type: "input", target, question });
      const count = control.question(ask, pause);
      bytes.set(new Uint8Array(target, 0, count));
      return count;
    },
  });
  const output = new OutputWriter(start.ring, () => send({ type: "output" }));
  try {
    const { module, image } = start;
    const session = new Session(
      { module, image, library: libraryOf(start, control) },
      powers,
      output,
      control,
      (denial) => send({ type: "denial", denial }),
    );
    send({ type: "ready", thread: ownThread() });
    return session;
  } catch (error) {
    if (!(error instanceof RenewalFailure)) throw error;
    send({ type: "failed", outcome: error.outcome });
    return undefined;
  }
}

let session: Session | undefined;
port.on("message", (message: ToWorker) => {
  if (message.type === "start") session = open(message.start);
  else if (session) send(session.answer(message));
});
