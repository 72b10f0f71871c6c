// What is not closed when a lifetime has ended is told as what it is: where, and under which path.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Tree } from "../../filesystems/tree.ts";
import { reading } from "../../filesystems/tree-view-fixture.ts";
import type { FaultEvent } from "../events.ts";
import { TreeServer } from "./tree-server.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new Promise<never>(() => {});
/** The ends of files, and of the tree itself. */
const treeOf = (close: () => PromiseLike<void> | undefined, own?: () => PromiseLike<void>): Tree => ({
  stat: () => ({ kind: "directory", size: 0 }),
  open: () => ({
    stat: () => ({ kind: "file", size: 0 }),
    read: () => new Uint8Array(0),
    close: () => close() ?? undefined,
  }),
  ...(own && { close: own }),
});

test("a fault names what hangs, once for each place", async () => {
  const faults: FaultEvent[] = [];
  const places = new Map(
    [
      ["/quick", treeOf(() => undefined)],
      ["/t", treeOf(() => never)],
      ["/late", treeOf(() => Promise.resolve())],
      [
        "/own",
        treeOf(
          () => undefined,
          () => never,
        ),
      ],
    ].map(
      ([guestPath, tree], number) =>
        [number, { guestPath: guestPath as string, tree: tree as Tree }] as const,
    ),
  );
  const server = new TreeServer(places, 10, (fault) => faults.push(fault));
  const answers = [
    [0, "q"],
    [1, "folder/a"],
    [1, "b"],
    [2, "l"],
    [3, "o"],
  ].map(([place, path]) =>
    server.answer({ operation: "open", place: place as number, path: path as string, access: reading }),
  );
  expect(answers).toEqual([1, 2, 3, 4, 5].map((file) => ({ errno: 0, answer: { file } })));
  const ended = server.end();
  await vi.advanceTimersByTimeAsync(9_999);
  expect(faults).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await ended;
  expect(faults.map(({ path, operation }) => [path, operation])).toEqual([
    ["/t/folder/a", "close"],
    ["/own", "close"],
  ]);
});
