// What the worker thread does: builds the session, then answers one message at a time.
import { type MessagePort, parentPort, receiveMessageOnPort } from "node:worker_threads";
import { LibraryFileSystem } from "../../../host/images/library-filesystem.ts";
import { compileRest } from "../../../host/images/rest-module.ts";
import { SharedBytes } from "../../../host/images/shared-bytes.ts";
import { Session, type SessionPowers } from "../../../host/session.ts";
import { bytesBeside, maxPieceBytes } from "../../../host/trees/tree-questions.ts";
import { Control } from "../../../host/walls/control.ts";
import { OutputWriter } from "../../../host/walls/output-ring.ts";
import {
  type ClosedFile,
  type FromWorker,
  type LatePart,
  type NumberedAnswer,
  type NumberedQuestion,
  type NumberedReply,
  type ToWorker,
  treeMark,
  type WorkerStart,
} from "../../../host/walls/protocol.ts";
import { maxTransferBytes } from "../../../host/walls/transfer-bytes.ts";
import { RenewalFailure } from "../../../interpreter/interpreter.ts";
import { failNumber } from "../../../kernel/kernel-error.ts";
import { openHostFile } from "../files/host-files.ts";
import { LocalFolders } from "../files/local-folders.ts";
import { inflateRaw } from "../powers.ts";
import { makeSessionPowers } from "../session-powers.ts";
import { ownThread } from "../thread-cpu.ts";

const port = parentPort;
if (port === null) throw new Error("this file is the entry of a worker thread");
const nothing = new Uint8Array(0);
const send = (message: FromWorker): void => port.postMessage(message);

/** What the host reads when it is asked to. */
function latePart(start: WorkerStart, control: Control, part: LatePart): () => Uint8Array {
  const shared = new SharedBytes(start[part], () => {
    const ask = (question: number): void => send({ type: "late", part, question });
    if (control.question(ask, () => {}) < 0) throw new Error(`the ${part} cannot be read`);
  });
  return () => shared.bytes();
}

const folders = new LocalFolders((fault) => send({ type: "fault", fault }));

function treeAsker(start: WorkerStart, control: Control): SessionPowers["askTree"] {
  const replies = start.replies as MessagePort;
  let piece: SharedArrayBuffer | undefined;
  return (question, bytes, look) => {
    const own = folders.answer(question, bytes);
    if (own !== undefined) return own;
    const asked = folders.forHost(question);
    if (asked.operation === "close" && !asked.isAwaited) {
      replies.postMessage({ closed: asked.file } satisfies ClosedFile);
      return { errno: 0 };
    }
    if (bytes !== undefined || asked.operation === "open") piece ??= new SharedArrayBuffer(maxPieceBytes);
    const shared = piece && new Uint8Array(piece);
    const written = asked.operation === "write" ? (bytes ?? nothing) : nothing;
    shared?.set(written);
    let asking = 0;
    const put = (question: number): void => {
      asking = question;
      replies.postMessage({
        question,
        asked,
        writtenBytes: written.length,
        piece,
      } satisfies NumberedQuestion);
    };
    control.askTree(put, () => send(treeMark), look);
    for (;;) {
      const received = receiveMessageOnPort(replies)?.message as NumberedReply | undefined;
      if (received === undefined) throw new Error("a reply that is not there");
      // The answer to a question that was given up.
      if (received.question !== asking) continue;
      const { reply } = received;
      const beside = bytesBeside(asked, reply);
      return beside === 0 ? reply : { ...reply, bytes: shared?.subarray(0, beside) ?? nothing };
    }
  };
}

function hostCaller({ replies, calls }: WorkerStart, control: Control): SessionPowers["callHost"] {
  const usual = new Uint8Array(calls);
  return (frame, look) => {
    const fits = frame.length <= usual.length;
    const memory = fits ? usual : new Uint8Array(new SharedArrayBuffer(frame.length));
    memory.set(frame);
    let asking = 0;
    const ask = (question: number): void => {
      asking = question;
      send(fits ? frame.length : { type: "call", question, piece: memory.buffer as SharedArrayBuffer });
    };
    const answerBytes = fits ? control.call(frame.length, ask, look) : control.question(ask, look);
    if (answerBytes >= 0) return memory.subarray(0, answerBytes);
    for (;;) {
      const received = receiveMessageOnPort(replies as never)?.message as NumberedAnswer | undefined;
      if (received === undefined) throw new Error("an answer that is not there");
      // The answer to a question that was given up.
      if (received.question === asking) return received.answer;
    }
  };
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
    askTree: treeAsker(start, control),
    callHost: hostCaller(start, control),
    pieceBytes: maxPieceBytes,
    waits: true,
  });
  const output = new OutputWriter(start.ring, () => send({ type: "output" }));
  try {
    const { module, image } = start;
    const session = new Session(
      {
        module,
        rest: compileRest(latePart(start, control, "rest")),
        image,
        library: new LibraryFileSystem(latePart(start, control, "library"), inflateRaw),
      },
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
let afterRun: (() => boolean) | undefined;

/** For the entry: `call` is called when a run is over, and all that a run takes has been compiled, until it says that this is enough. */
export function afterRuns(call: () => boolean): void {
  afterRun = call;
}

port.on("message", (message: ToWorker) => {
  if (message.type === "start") session = open(message.start);
  else if (session) {
    if (message.type === "begin") folders.begin(message.folders ?? new Map(), message.plan);
    if (message.type === "reset") folders.end();
    const answer = session.answer(message);
    // Before the answer, after which a thread may be ended at any time.
    if (message.type === "run" && afterRun?.()) afterRun = undefined;
    if (answer) send(answer);
  }
});
