// The parts of a listing as the inside asks for them: one after the other, of one listing at a time.
import { expect, test } from "vitest";
import { errno } from "../../abi/errno.ts";
import { listedAtOnce } from "../../filesystems/plain-list.ts";
import type { NamedTreeEntry } from "../../filesystems/tree.ts";
import type { ListedPart } from "./tree-questions.ts";
import { TreeServer } from "./tree-server.ts";

function world() {
  const ended: string[] = [];
  function* entries(path: string): Generator<NamedTreeEntry> {
    try {
      for (let at = 0; at < 2 * listedAtOnce; at++) yield { name: `f${at}`, kind: "file", size: 0 };
    } finally {
      ended.push(path);
    }
  }
  const tree = {
    stat: () => ({ kind: "directory", size: 0 }) as const,
    list: entries,
    open: () => ({ stat: () => ({ kind: "file", size: 0 }) as const }),
  };
  const server = new TreeServer(new Map([[0, { guestPath: "/t", tree }]]), 10, () => {});
  const list = (path: string, from: number): ListedPart => {
    const reply = server.answer({ operation: "list", place: 0, path, from });
    return (reply as { answer: ListedPart }).answer;
  };
  return { server, ended, list };
}

test("each part tells where the next begins, and the last that there is none", () => {
  const { list, ended } = world();
  const parts = [list("a", 0), list("a", listedAtOnce), list("a", 2 * listedAtOnce)];
  expect(parts.map(({ entries, next }) => [entries.length, next])).toEqual([
    [listedAtOnce, listedAtOnce],
    [listedAtOnce, 2 * listedAtOnce],
    [0, 0],
  ]);
  expect(ended).toEqual(["a"]);
});

test("a new listing ends the last one, and so does the end of the lifetime", async () => {
  const { server, list, ended } = world();
  list("a", 0);
  list("b", 0);
  expect(ended).toEqual(["a"]);
  await server.end();
  expect(ended).toEqual(["a", "b"]);
});

test("a listing that comes when nobody waits for it is ended", async () => {
  let answer: (entries: Iterable<NamedTreeEntry>) => void = () => {};
  let isEnded = false;
  const tree = {
    ...{ stat: () => undefined, open: () => ({ stat: () => ({ kind: "file", size: 0 }) as const }) },
    list: () =>
      new Promise<Iterable<NamedTreeEntry>>((resolve) => {
        answer = resolve;
      }),
  };
  const server = new TreeServer(new Map([[0, { guestPath: "/t", tree }]]), 10, () => {});
  const reply = server.answer({ operation: "list", place: 0, path: "", from: 0 });
  server.abandon();
  const end = (): IteratorResult<NamedTreeEntry> => {
    isEnded = true;
    return { done: true, value: undefined };
  };
  answer({ [Symbol.iterator]: () => ({ next: end, return: end }) });
  expect([await reply, isEnded]).toEqual([{ errno: errno.EIO, spent: undefined }, true]);
});

test.each([
  ["of no listing", []],
  ["of another path", ["b"]],
  ["that is not the next", ["a", "a"]],
])("a part %s is not asked for by our own inside", (_, begun) => {
  const { list } = world();
  for (const [part, path] of begun.entries()) list(path, part * listedAtOnce);
  expect(() => list("a", listedAtOnce)).toThrow(RangeError);
});
