// Whose content a server tells with an opening, and that nobody else is asked for it.
import { expect, test } from "vitest";
import { errno } from "../../abi/errno.ts";
import { readsAhead } from "../../filesystems/first-look.ts";
import type { Later, TreeAccess, TreeEntry, TreeFile } from "../../filesystems/tree.ts";
import { reading } from "../../filesystems/tree-view-fixture.ts";
import { TreeServer } from "./tree-server.ts";

const most = 65_536;
const hello = new TextEncoder().encode("hello");

interface Look {
  readonly tells?: boolean;
  readonly access?: Partial<TreeAccess>;
  readonly ahead?: boolean;
  readonly entry?: () => Later<TreeEntry>;
  readonly content?: () => Later<Uint8Array>;
}

const entryOf = (size: number): TreeEntry => ({ kind: "file", size });

async function opened({ tells = true, access, ahead = true, ...look }: Look) {
  const asked: string[] = [];
  const file: TreeFile = {
    stat: () => {
      asked.push("stat");
      return look.entry ? look.entry() : entryOf(5);
    },
    read: (position, length) => {
      asked.push(`read ${position} ${length}`);
      return look.content ? look.content() : hello;
    },
    write: () => 1,
    close: () => {
      asked.push("close");
    },
  };
  if (ahead) Object.assign(file, { [readsAhead]: true });
  const tree = { stat: () => undefined, open: () => file };
  const faults: unknown[] = [];
  const server = new TreeServer(new Map([[7, { guestPath: "/t", tree }]]), 10, (fault) => faults.push(fault));
  const question = { operation: "open", place: 7, path: "f", access: { ...reading, ...access } } as const;
  const reply = await server.answer({ ...question, tells });
  return { reply, asked, server, faults };
}

test.each<[name: string, look: Look, size: number]>([
  ["at once", {}, 5],
  ["as large as it may be", { entry: () => entryOf(most), content: () => new Uint8Array(most) }, most],
  ["later", { entry: async () => entryOf(5), content: async () => hello }, 5],
])("a small file is told: %s", async (_name, look, size) => {
  const { reply, asked } = await opened(look);
  const bytes = size === 5 ? hello : new Uint8Array(size);
  expect(reply).toEqual({ errno: 0, answer: { file: 1, entry: entryOf(size) }, bytes });
  expect(asked).toEqual(["stat", `read 0 ${size}`]);
});

test.each<[name: string, look: Look, asked: string[]]>([
  ["nobody asks for it", { tells: false }, []],
  ["it is the embedder's", { ahead: false }, []],
  ["it is larger", { entry: () => entryOf(most + 1), content: () => new Uint8Array(most + 1) }, ["stat"]],
  ["it says that it is empty", { entry: () => entryOf(0) }, ["stat"]],
  ["it says that it is no file", { entry: () => ({ kind: "link", size: 5 }) }, ["stat"]],
  ["it has become shorter", { content: () => hello.subarray(0, 4) }, ["stat", "read 0 5"]],
  ["it cannot be looked at", { entry: () => Promise.reject(new Error("no")) }, ["stat"]],
  [
    "it cannot be read",
    {
      content: () => {
        throw new Error("no");
      },
    },
    ["stat", "read 0 5"],
  ],
])("only the opening is told where %s", async (_name, look, asked) => {
  const found = await opened(look);
  expect(found.reply).toEqual({ errno: 0, answer: { file: 1 } });
  expect(found.asked).toEqual(asked);
  // It is open, and refuses for itself when it is asked again.
  expect(found.server.openFiles).toBe(1);
  expect(found.faults).toEqual([]);
});

test("the end of what was only read is waited for by nobody, and a second one is none of ours", async () => {
  const { server, asked } = await opened({});
  expect(server.answer({ operation: "close", file: 1, isAwaited: false })).toEqual({ errno: 0 });
  expect(asked.at(-1)).toBe("close");
  expect(server.openFiles).toBe(0);
  expect(() => server.answer({ operation: "close", file: 1, isAwaited: false })).toThrow(RangeError);
});

test("a file that is looked at when nobody waits any more is told nobody", async () => {
  let answer: (entry: TreeEntry) => void = () => {};
  const entry = new Promise<TreeEntry>((resolve) => {
    answer = resolve;
  });
  const pending = opened({ entry: () => entry });
  answer(entryOf(5));
  const { server } = await pending;
  await server.end();
  expect(server.answer({ operation: "statFile", file: 1 })).toEqual({ errno: errno.EIO });
});
