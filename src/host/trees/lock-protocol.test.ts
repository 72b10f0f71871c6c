// Questions about locks as they come out of a process wall, which a hostile guest may have taken over: only ranges of a file, only what was
// opened or granted.
import { expect, test } from "vitest";
import { maxOffset } from "../../abi/flags.ts";
import { scratch } from "../../filesystems/filesystem-fixture.ts";
import { filesystemTree } from "../../filesystems/filesystem-tree.ts";
import { LockHolder } from "../locks/lock-holder.ts";
import { LockTable } from "../locks/lock-table.ts";
import { idlePlan } from "../plan.ts";
import { Violation } from "../walls/message-fields.ts";
import { LockServer } from "./lock-server.ts";
import { flatQuestion, readTreeQuestion } from "./tree-protocol.ts";
import type { AskedLock, LockSubject, TreeQuestion } from "./tree-questions.ts";
import { TreeServer } from "./tree-server.ts";

const lock: AskedLock = { act: "set", kind: "write", first: "0", last: String(maxOffset) };

function crossed(fields: object): TreeQuestion {
  return readTreeQuestion(new Map(Object.entries(fields)));
}

test.each<LockSubject>([{ file: 3 }, { granted: 0 }])("what our own code asks about %j", (of) => {
  const question: TreeQuestion = { operation: "lock", of, lock };
  expect(crossed(flatQuestion(question))).toEqual(question);
});

test.each<[string, object]>([
  ["a range that begins before the file", { first: "-1" }],
  ["a range that ends before it begins", { first: "5", last: "4" }],
  ["an end beyond all files", { last: String(maxOffset + 1n) }],
  ["no number", { first: "0x10" }],
  ["a number that is none of text", { first: 0 }],
  ["no end", { last: undefined }],
  ["an unknown kind", { kind: "exclusive" }],
  ["an unknown act", { act: "steal" }],
  ["a look at nothing", { act: "test", kind: "none" }],
  ["a file that is no number", { file: "3" }],
])("refused: %s", (_, change) => {
  expect(() => crossed({ operation: "lock", file: 3, ...lock, ...change })).toThrow(Violation);
});

test("a process cannot say by itself which file of the host it means", () => {
  expect(() => crossed({ operation: "lock", hostFile: "1:2", ...lock })).toThrow(Violation);
  expect(crossed({ operation: "lock", file: 1, hostFile: "1:2", ...lock })).toMatchObject({
    of: { file: 1 },
  });
});

test("what was not opened, or is no file of the host, is nothing that our own code asks about", () => {
  const table = new LockTable();
  const places = new Map([[0, { guestPath: "/t", tree: filesystemTree(scratch()) }]]);
  const server = new TreeServer(places, 10, () => {}, new LockServer(new LockHolder(table), idlePlan));
  for (const of of [{ file: 1 }, { granted: 0 }, { granted: 9 }] satisfies LockSubject[])
    expect(() => server.answer({ operation: "lock", of, lock })).toThrow(RangeError);
});
