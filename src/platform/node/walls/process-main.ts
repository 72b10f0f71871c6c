// The entry of the process behind a process wall: builds the session, then answers one request after the other. Everything is
// synchronous: while the guest runs nothing else happens in here, and its only handles are the two ends of the pipe.
import { readSync, writeSync } from "node:fs";
import { deserialize } from "node:v8";
import type { HostFilePower } from "../../../filesystems/host-file.ts";
import { LibraryFileSystem } from "../../../host/images/library-filesystem.ts";
import { compileRest } from "../../../host/images/rest-module.ts";
import { Session } from "../../../host/session.ts";
import { inPieces } from "../../../host/trees/in-pieces.ts";
import { flatQuestion } from "../../../host/trees/tree-protocol.ts";
import { Control } from "../../../host/walls/control.ts";
import { encodeFrame, FrameReader } from "../../../host/walls/frames.ts";
import type { FileQuestion } from "../../../host/walls/process-protocol.ts";
import type { Answer } from "../../../host/walls/protocol.ts";
import { maxTransferBytes } from "../../../host/walls/transfer-bytes.ts";
import { RenewalFailure } from "../../../interpreter/interpreter.ts";
import { failNumber } from "../../../kernel/kernel-error.ts";
import { type ProcessImage, readProcessImage, sentImage } from "../cache/process-image.ts";
import { compileInterpreter, moduleWithCode } from "../engine/engine-flags.ts";
import { inflateRaw } from "../powers.ts";
import { makeSessionPowers } from "../session-powers.ts";
import { processCpuMs } from "../thread-cpu.ts";
import type { ToProcess } from "./child-process.ts";

const pipe = { input: 0, output: 1 } as const;
const nothing = new Uint8Array(0);
const chunk = new Uint8Array(1 << 16);
const reader = new FrameReader(() => 2 ** 31);
const waiting: ToProcess[] = [];

/** Blocks for the next message; ends the process when the embedder is gone. */
function receive(): ToProcess {
  for (;;) {
    const next = waiting.shift();
    if (next !== undefined) return next;
    const count = readSync(pipe.input, chunk, 0, chunk.length, null);
    if (count === 0) process.exit(0);
    for (const body of reader.push(chunk.slice(0, count))) waiting.push(deserialize(body) as ToProcess);
  }
}

function send(head: unknown, bytes?: Uint8Array): void {
  for (const piece of encodeFrame(head, bytes)) {
    for (let at = 0; at < piece.length; ) at += writeSync(pipe.output, piece, at, piece.length - at);
  }
}

function sendAnswer(answer: Answer): void {
  if (answer.type === "seen") {
    const { bytes, ...head } = answer.reply;
    send({ type: "seen", id: answer.id, ...head }, bytes);
    return;
  }
  const outcome = answer.type === "done" ? answer.report.outcome : undefined;
  if (answer.type !== "done" || outcome?.kind !== "answer") send(flat(answer));
  else send({ ...flat(answer), outcome: { kind: "answer" } }, outcome.bytes);
}

function flat(answer: Answer): object {
  if (answer.type !== "done") return answer;
  return { type: "done", id: answer.id, outcome: answer.report.outcome, meters: answer.report.meters };
}

/** Asks the host and blocks until it has replied: requests that come in between wait. Throws KernelError. */
function ask(question: FileQuestion, content?: Uint8Array): { value: number; bytes: Uint8Array } {
  send({ type: "question", ...question }, content);
  const reply = wait("reply");
  return reply.value < 0 ? failNumber(-reply.value) : reply;
}

/** Blocks for the next message of this type: others that come before it wait. */
function wait<T extends ToProcess["type"]>(type: T): Extract<ToProcess, { type: T }> {
  const others: ToProcess[] = [];
  for (;;) {
    const message = receive();
    if (message.type === type) {
      waiting.unshift(...others);
      return message as Extract<ToProcess, { type: T }>;
    }
    others.push(message);
  }
}

function remoteFile(place: number): HostFilePower {
  return {
    read: (target, position) =>
      inPieces(target, maxTransferBytes, (piece, done) => {
        const { value, bytes } = ask({
          operation: "read",
          place,
          length: piece.length,
          position: position + done,
        });
        piece.set(bytes);
        return value;
      }),
    write: (source, position) =>
      inPieces(
        source,
        maxTransferBytes,
        (piece, done) => ask({ operation: "write", place, position: position + done }, piece).value,
      ),
    size: () => ask({ operation: "size", place }).value,
    truncate: (size) => {
      ask({ operation: "truncate", place, position: size });
    },
    sync: () => {
      ask({ operation: "sync", place });
    },
  };
}

/** Flags of this process alone, at V8's defaults and back: the code comes from a process without them. They had their effect at its start. */
const ownFlags = process.execArgv.flatMap((flag) => {
  const usual = ["--stack-size=984", "--max-old-space-size=0"].find(
    (each) => each.split("=")[0] === flag.split("=")[0],
  );
  return usual === undefined ? [] : [{ set: usual, restore: flag }];
});

function moduleOf({ lean, code }: ProcessImage): WebAssembly.Module {
  return (code && moduleWithCode(lean, code, ownFlags)) ?? compileInterpreter(lean);
}

function receiveImage(): ProcessImage {
  const message = receive();
  switch (message.type) {
    case "open":
      return readProcessImage(message.hasCode, () => {
        send({ type: "unreadable" });
        return wait("start").image;
      });
    case "start":
      return sentImage(message.image);
    default:
      throw new Error("the first message has no image");
  }
}

function open(image: ProcessImage): Session {
  const powers = {
    ...makeSessionPowers({
      openHostFile: ({ ticket }, number) => (ticket.fd === undefined ? undefined : remoteFile(number)),
      createHostFile: (_place, number) => {
        ask({ operation: "create", place: number });
        return remoteFile(number);
      },
      askTree: (question, bytes = nothing) => {
        const content = question.operation === "write" ? bytes : nothing;
        send({ type: "tree", ...flatQuestion(question) }, content);
        if (question.operation === "close" && !question.isAwaited) return { errno: 0 };
        const { reply } = wait("treeReply");
        return reply;
      },
      pieceBytes: maxTransferBytes,
      callHost: (frame) => {
        send({ type: "call" }, frame);
        return wait("callReply").answer;
      },
      waits: true,
      readHostInput: (target) => {
        const { value, bytes } = ask({
          operation: "input",
          length: Math.min(target.length, maxTransferBytes),
        });
        target.set(bytes);
        return value;
      },
    }),
    // The permission model hides /proc; this counts the engine's helper threads as well.
    threadCpuMs: processCpuMs,
  };
  const output = {
    write: (stream: "stdout" | "stderr", bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; at += maxTransferBytes)
        send({ type: "output", stream }, bytes.subarray(at, at + maxTransferBytes));
    },
  };
  const library = new LibraryFileSystem(image.library, inflateRaw);
  return new Session(
    {
      module: moduleOf(image),
      rest: compileRest(image.rest),
      image: image.image,
      library,
    },
    powers,
    output,
    new Control(),
    (denial) => send({ type: "denial", ...denial }),
  );
}

function main(): void {
  const image = receiveImage();
  let session: Session;
  try {
    session = open(image);
  } catch (error) {
    if (!(error instanceof RenewalFailure)) throw error;
    sendAnswer({ type: "failed", outcome: error.outcome });
    return;
  }
  sendAnswer({ type: "ready", thread: undefined });
  for (;;) {
    const message = receive();
    const answer = "id" in message ? session.answer(message) : undefined;
    if (answer) sendAnswer(answer);
  }
}

main();
