// What comes out of a process wall, checked field by field. The inside is our own code, but this wall stands for the case that a
// guest took it over: nothing here may become more than numbers, known words and bytes.
import type { Outcome } from "../../interpreter/interpreter.ts";
import type { StopReason } from "../../kernel/guest-stop.ts";
import { denialAccesses, denialKinds, type RawDenial } from "../denials/raw-denial.ts";
import type { Meters } from "../meters.ts";
import { readTreeQuestion } from "../trees/tree-protocol.ts";
import type { TreeQuestion } from "../trees/tree-questions.ts";
import { decodeBody } from "./frames.ts";
import { count, fields, measure, oneOf, text, Violation } from "./message-fields.ts";
import type { OutputStream } from "./output-ring.ts";
import type { Answer } from "./protocol.ts";
import { maxTransferBytes } from "./transfer-bytes.ts";

/** What the inside asks of a granted file of the host, or of the host's standard input. */
export type FileQuestion =
  | { readonly operation: "create" | "size" | "sync"; readonly place: number }
  | { readonly operation: "read"; readonly place: number; readonly length: number; readonly position: number }
  | { readonly operation: "write" | "truncate"; readonly place: number; readonly position: number }
  | { readonly operation: "input"; readonly length: number };

export type FromProcess =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "output"; readonly stream: OutputStream; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "denial"; readonly denial: RawDenial }
  | { readonly kind: "question"; readonly question: FileQuestion; readonly bytes: Uint8Array }
  | { readonly kind: "treeQuestion"; readonly question: TreeQuestion; readonly bytes: Uint8Array }
  /** A call of a granted function: a frame of the guest's. */
  | { readonly kind: "call"; readonly frame: Uint8Array }
  /** A file of the image that it was given is damaged: it waits for all of it. */
  | { readonly kind: "unreadable" };

/** Throws when the body is no message that our own code would send. */
export function readFromProcess(body: Uint8Array): FromProcess {
  const { head, bytes } = decodeBody(body);
  const message = fields(head);
  switch (message.get("type")) {
    case "output":
      return { kind: "output", stream: oneOf(message.get("stream"), ["stdout", "stderr"]), bytes };
    case "question":
      return { kind: "question", question: readQuestion(message), bytes };
    case "denial":
      return { kind: "denial", denial: readDenial(message) };
    case "tree":
      return { kind: "treeQuestion", question: readTreeQuestion(message), bytes };
    case "call":
      return { kind: "call", frame: bytes };
    case "unreadable":
      return { kind: "unreadable" };
    case "ready":
      return { kind: "answer", answer: { type: "ready", thread: undefined } };
    case "failed":
      return {
        kind: "answer",
        answer: { type: "failed", outcome: readOutcome(message.get("outcome"), bytes) },
      };
    case "begun": {
      const failure = message.get("failure");
      return {
        kind: "answer",
        answer: {
          type: "begun",
          id: count(message.get("id")),
          failure: failure === undefined ? undefined : readOutcome(failure, bytes),
        },
      };
    }
    case "done": {
      const report = {
        outcome: readOutcome(message.get("outcome"), bytes),
        meters: readMeters(message.get("meters")),
      };
      return { kind: "answer", answer: { type: "done", id: count(message.get("id")), report } };
    }
    case "seen": {
      if (bytes.length > maxTransferBytes) throw new Violation("more than was asked for");
      const reply = { errno: count(message.get("errno")), next: count(message.get("next")), bytes };
      return { kind: "answer", answer: { type: "seen", id: count(message.get("id")), reply } };
    }
    case "reset":
      return { kind: "answer", answer: { type: "reset", id: count(message.get("id")) } };
    default:
      throw new Violation("an unknown message");
  }
}

function readDenial(message: ReadonlyMap<string, unknown>): RawDenial {
  const name = message.get("name");
  if (typeof name !== "string" || !/^[\0-\xff]{0,1024}$/.test(name)) throw new Violation("no name");
  const port = count(message.get("port"));
  if (port > 65_535) throw new Violation("no port");
  return {
    kind: oneOf(message.get("kind"), denialKinds),
    access: oneOf(message.get("access"), denialAccesses),
    name,
    port,
    place: count(message.get("place")),
    errno: count(message.get("errno")),
    count: count(message.get("count")),
  };
}

function readQuestion(message: ReadonlyMap<string, unknown>): FileQuestion {
  const number = (name: string): number => count(message.get(name));
  const operation = oneOf(message.get("operation"), [
    "create",
    "size",
    "sync",
    "read",
    "write",
    "truncate",
    "input",
  ]);
  switch (operation) {
    case "input":
      return { operation, length: number("length") };
    case "read":
      return { operation, place: number("place"), length: number("length"), position: number("position") };
    case "write":
    case "truncate":
      return { operation, place: number("place"), position: number("position") };
    default:
      return { operation, place: number("place") };
  }
}

function readOutcome(value: unknown, bytes: Uint8Array): Outcome {
  const outcome = fields(value);
  const kind = oneOf(outcome.get("kind"), ["answer", "oversized", "stopped", "crashed"]);
  switch (kind) {
    case "answer":
      return { kind, bytes };
    case "oversized":
      return { kind, bytes: count(outcome.get("bytes")) };
    case "crashed":
      return { kind, detail: text(outcome.get("detail")) };
    case "stopped":
      return { kind, reason: readReason(outcome.get("reason")) };
  }
}

function readReason(value: unknown): StopReason {
  const reason = fields(value);
  const kind = oneOf(reason.get("kind"), [
    "exit",
    "abort",
    "limit",
    "cancelled",
    "stack",
    "refused",
    "trap",
    "fault",
  ]);
  switch (kind) {
    case "exit":
      return { kind, status: count(reason.get("status")) & 0xff };
    case "limit":
      return readLimit(reason);
    case "cancelled":
    case "stack":
      return { kind };
    default:
      return { kind, detail: text(reason.get("detail")) };
  }
}

function readLimit(reason: ReadonlyMap<string, unknown>): Extract<StopReason, { kind: "limit" }> {
  const limit = oneOf(reason.get("limit"), ["output", "wall", "cpu", "fuel", "hostMemory"]);
  return { kind: "limit", limit, budget: measure(reason.get("budget")), used: measure(reason.get("used")) };
}

function readMeters(value: unknown): Meters {
  const meters = fields(value);
  const number = (name: keyof Meters): number => measure(meters.get(name));
  const fuel = meters.get("fuel");
  const softStop = meters.get("softStop");
  return {
    wallMs: number("wallMs"),
    cpuMs: number("cpuMs"),
    fuel: fuel === undefined ? undefined : measure(fuel),
    calls: number("calls"),
    softStop: softStop === undefined ? undefined : readLimit(fields(softStop)),
    memoryBytes: number("memoryBytes"),
    hostMemoryBytes: number("hostMemoryBytes"),
    hostMemoryPeakBytes: number("hostMemoryPeakBytes"),
    outputBytes: number("outputBytes"),
    openFiles: number("openFiles"),
    files: number("files"),
    untoldDenials: number("untoldDenials"),
  };
}
