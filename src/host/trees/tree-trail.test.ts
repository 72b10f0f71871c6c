// A trail of a tree that cannot tell one itself: the embedder's code is asked for each prefix, as if the guest had looked them up in turn.
import { expect, test } from "vitest";
import { errno } from "../../abi/errno.ts";
import { FileError } from "../../errors/file-error.ts";
import type { Later, TreeEntry } from "../../filesystems/tree.ts";
import type { FaultEvent } from "../events.ts";
import { TreeServer } from "./tree-server.ts";

const directory: TreeEntry = { kind: "directory", size: 0 };
const file: TreeEntry = { kind: "file", size: 3 };

interface Asked {
  readonly server: TreeServer;
  readonly paths: string[];
  readonly faults: FaultEvent[];
}

function serve(stat: (path: string) => Later<TreeEntry | undefined>): Asked {
  const paths: string[] = [];
  const faults: FaultEvent[] = [];
  const tree = {
    stat: (path: string): Later<TreeEntry | undefined> => {
      paths.push(path);
      return stat(path);
    },
    open: (): never => {
      throw new Error("nothing is opened here");
    },
  };
  const places = new Map([[7, { guestPath: "/t", tree }]]);
  return { server: new TreeServer(places, 10, (fault) => faults.push(fault)), paths, faults };
}

const kinds: Readonly<Record<string, TreeEntry>> = {
  "": directory,
  a: directory,
  "a/b": directory,
  "a/f": file,
};
const question = (path: string, count: number) => ({ operation: "trail", place: 7, path, count }) as const;

test.each([
  ["a/b/c", 4, ["", "a", "a/b", "a/b/c"], [directory, directory, directory], errno.ENOENT],
  ["a/b", 1, ["a/b"], [directory], 0],
  ["a/f/c/d", 4, ["a", "a/f"], [directory, { ...file }], 0],
  ["x/y/z", 3, ["x"], [], errno.ENOENT],
  ["a/b", 1000, ["", "a", "a/b"], [directory, directory, directory], 0],
  ["a/b", 0, ["a/b"], [directory], 0],
])("of %s the last %i", (path, count, paths, entries, reason) => {
  const asked = serve((path) => kinds[path]);
  expect(asked.server.answer(question(path, count))).toEqual({
    errno: 0,
    answer: { entries, errno: reason },
  });
  expect(asked.paths).toEqual(paths);
  expect(asked.faults).toEqual([]);
});

test("a refusal is that of the next name, and told once", () => {
  const asked = serve((path) => {
    if (path === "a/b") throw new FileError("EACCES");
    if (path === "x") throw new Error("a fault of the embedder's");
    return kinds[path];
  });
  const refused = { errno: 0, answer: { entries: [directory], errno: errno.EACCES } };
  expect(asked.server.answer(question("a/b/c", 3))).toEqual(refused);
  expect(asked.server.answer(question("x/y", 2))).toEqual({
    errno: 0,
    answer: { entries: [], errno: errno.EIO },
  });
  expect(asked.paths).toEqual(["a", "a/b", "x"]);
  expect(asked.faults).toMatchObject([{ path: "/t/x", operation: "stat" }]);
});

test("nobody is asked for the rest when nobody waits any more", async () => {
  const asked = serve(async (path) => kinds[path]);
  const answer = asked.server.answer(question("a/b/c", 3));
  asked.server.abandon();
  await answer;
  expect(asked.paths).toEqual(["a"]);
});
