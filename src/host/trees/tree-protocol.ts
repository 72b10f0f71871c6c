// Questions about granted trees as they come out of a process wall: checked field by field, like everything that comes from there.
// Whether a place, a file or a path is one that may be asked for is the server's to know.
import { maxOffset } from "../../abi/flags.ts";
import type { TreeAccess } from "../../filesystems/tree.ts";
import { count, oneOf, text, Violation } from "../walls/message-fields.ts";
import type { AskedChange, AskedLock, TreeOperation, TreeQuestion } from "./tree-questions.ts";

const operations: readonly TreeOperation[] = [
  "stat",
  "trail",
  "list",
  "readLink",
  "remove",
  "removeDirectory",
  "room",
  "open",
  "makeDirectory",
  "makeLink",
  "rename",
  "change",
  "statFile",
  "sync",
  "close",
  "read",
  "write",
  "truncate",
  "changeFile",
  "lock",
];
/** Longer than any path: it is then none. */
const mostPathCharacters = 4096;

/** A question as the fields of a message: what has no form of its own in a frame is made flat. */
export function flatQuestion(question: TreeQuestion): object {
  switch (question.operation) {
    case "open": {
      const { access, ...rest } = question;
      return { ...rest, access: wordOf(access), create: access.create, mode: access.mode };
    }
    case "change":
    case "changeFile": {
      const { change, ...rest } = question;
      return { ...rest, ...change };
    }
    case "lock": {
      const { operation, of, lock } = question;
      return { operation, ...of, ...lock };
    }
    default:
      return question;
  }
}

export function readTreeQuestion(message: ReadonlyMap<string, unknown>): TreeQuestion {
  const number = (name: string): number => count(message.get(name));
  const path = (name: string): string => text(message.get(name), mostPathCharacters);
  const operation = oneOf(message.get("operation"), operations);
  const ofPath = () => ({ place: number("place"), path: path("path") });
  switch (operation) {
    case "stat":
    case "readLink":
    case "remove":
    case "removeDirectory":
    case "room":
      return { operation, ...ofPath() };
    case "list":
      return { operation, ...ofPath(), from: number("from") };
    case "trail":
      return { operation, ...ofPath(), count: number("count") };
    case "open":
      return { operation, ...ofPath(), access: readAccess(message), tells: message.get("tells") === true };
    case "makeDirectory":
      return { operation, ...ofPath(), mode: modeOf(message.get("mode")) };
    case "makeLink":
      return { operation, ...ofPath(), target: path("target") };
    case "rename":
      return { operation, ...ofPath(), to: path("to") };
    case "change":
      return { operation, ...ofPath(), change: readChange(message) };
    case "statFile":
    case "sync":
      return { operation, file: number("file") };
    case "close":
      return { operation, file: number("file"), isAwaited: message.get("isAwaited") !== false };
    case "read":
      return { operation, file: number("file"), position: number("position"), length: number("length") };
    case "write":
      return { operation, file: number("file"), position: number("position") };
    case "truncate":
      return { operation, file: number("file"), size: number("size") };
    case "changeFile":
      return { operation, file: number("file"), change: readChange(message) };
    case "lock": {
      const of = message.has("file") ? { file: number("file") } : { granted: number("granted") };
      return { operation, of, lock: readLock(message) };
    }
  }
}

const accessNames = ["read", "write", "append", "truncate"] as const;

/** One word, such as "read,write". */
function wordOf(access: TreeAccess): string {
  return accessNames.filter((name) => access[name]).join();
}

function readAccess(message: ReadonlyMap<string, unknown>): TreeAccess {
  const asked = text(message.get("access")).split(",");
  const [read, write, append, truncate] = accessNames.map((name) => asked.includes(name));
  if (truncate && !write) throw new Violation("truncation without writing");
  return {
    read: read === true,
    write: write === true,
    append: append === true,
    truncate: truncate === true,
    create: oneOf(message.get("create"), ["never", "missing", "always"]),
    mode: modeOf(message.get("mode")),
  };
}

function readChange(message: ReadonlyMap<string, unknown>): AskedChange {
  const mode = message.get("mode");
  const accessedNs = message.get("accessedNs");
  const modifiedNs = message.get("modifiedNs");
  return {
    ...(mode !== undefined && { mode: modeOf(mode) }),
    ...(accessedNs !== undefined && { accessedNs: decimal(accessedNs) }),
    ...(modifiedNs !== undefined && { modifiedNs: decimal(modifiedNs) }),
  };
}

function readLock(message: ReadonlyMap<string, unknown>): AskedLock {
  const act = oneOf(message.get("act"), ["set", "test", "unlock"]);
  const kind = oneOf(message.get("kind"), ["read", "write", "none"]);
  if (act === "test" && kind === "none") throw new Violation("a look at nothing");
  const first = decimal(message.get("first"));
  const last = decimal(message.get("last"));
  const [from, to] = [BigInt(first), BigInt(last)];
  if (from < 0n || to < from || to > maxOffset) throw new Violation("no range of a file");
  return { act, kind, first, last };
}

function modeOf(value: unknown): number {
  return count(value) & 0o7777;
}

/** At most 80 bits. */
function decimal(value: unknown): string {
  const digits = text(value);
  if (!/^-?\d{1,25}$/.test(digits)) throw new Violation("no number in decimal");
  if (BigInt.asIntN(80, BigInt(digits)) !== BigInt(digits)) throw new Violation("too large a number");
  return digits;
}
