// A child process that a guest has taken over: our host side speaks to a script of the test's own, which may send anything.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkGrants, type GrantOptions } from "../src/host/options/options.ts";
import { RemoteWall } from "../src/host/walls/remote-wall.ts";
import type { Wall } from "../src/host/walls/wall.ts";
import { ProcessLink } from "../src/platform/node/walls/child-process.ts";
import { child } from "./attack-child-script.ts";

/** What every such script can use. */
const prelude = `
const { readSync, writeSync, closeSync } = require("node:fs");
const { deserialize } = require("node:v8");
const { spawn } = require("node:child_process");
function raw(bytes) {
  for (let at = 0; at < bytes.length; ) {
    try { at += writeSync(1, bytes, at); } catch (error) { if (error.code !== "EAGAIN") process.exit(1); }
  }
}
function send(head, content = Buffer.alloc(0)) {
  const text = Buffer.from(typeof head === "string" ? head : JSON.stringify(head));
  const start = Buffer.alloc(8);
  start.writeUInt32LE(4 + text.length + content.length, 0);
  start.writeUInt32LE(text.length, 4);
  raw(Buffer.concat([start, text, content]));
}
let held = Buffer.alloc(0);
function take(bytes) {
  while (held.length < bytes) {
    const chunk = Buffer.alloc(65536);
    const count = readSync(0, chunk);
    if (count === 0) process.exit(0);
    held = Buffer.concat([held, chunk.subarray(0, count)]);
  }
  const taken = held.subarray(0, bytes);
  held = held.subarray(bytes);
  return taken;
}
const receive = () => deserialize(take(take(4).readUInt32LE(0)));
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const meters = { wallMs: 1, cpuMs: 1, calls: 0, memoryBytes: 1, hostMemoryBytes: 0, hostMemoryPeakBytes: 0, outputBytes: 0, openFiles: 3, files: 0, untoldDenials: 0 };
const denial = { type: "denial", kind: "file", access: "read", name: "/x", port: 0, place: 0, errno: 44, count: 1 };
/** An answer in marshal format: {"end": "value", "value": None}. */
const answer = Buffer.from("fb5a03656e645a0576616c75655a0576616c75654e30", "hex");
const done = (id, more) => send({ type: "done", id, outcome: { kind: "answer" }, meters, ...more }, answer);
const question = (operation, more) => send({ type: "question", operation, place: 0, ...more });
const tree = (operation, more) => send({ type: "tree", operation, place: 2, ...more });
function start() {
  send({ type: "ready" });
  const begin = receive();
  send({ type: "begun", id: begin.id });
}
`;

const folder = mkdtempSync(join(tmpdir(), "sandboa-attack-"));
let count = 0;

/** A wall whose inside is `body`. */
export async function openWallOf(body: string, onFall: (failure: Error) => void = () => {}): Promise<Wall> {
  child.script = join(folder, `child-${++count}.cjs`);
  writeFileSync(child.script, `${prelude}\n${body}`);
  return RemoteWall.open(
    (events) => new ProcessLink(events),
    async () => {},
    onFall,
  );
}

export const planOf = (options: GrantOptions = {}) => checkGrants(options, "process");

export function removeScripts(): void {
  rmSync(folder, { recursive: true, force: true });
}
