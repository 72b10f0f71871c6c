// How deep directories may be nested: about as deep as the longest path can name, by mkdir and by rename alike.
import { expect, test } from "vitest";
import type { DirectoryNode } from "../kernel/filesystem.ts";
import { owner, refusal, scratch } from "./filesystem-fixture.ts";
import { maxDepth } from "./names.ts";

const roomy = { maxInodes: 20_000 };

/** Directories called "d", one in the other; the innermost. */
function nest(from: DirectoryNode, levels: number): DirectoryNode {
  let at = from;
  for (let i = 0; i < levels; i++) at = at.createDirectory("d", 0o755, owner);
  return at;
}

/** Removes the chain below `from`, innermost first. */
function unravel(from: DirectoryNode): void {
  const chain = [from];
  for (let next = from.lookup("d"); next?.kind === "directory"; next = next.lookup("d")) chain.push(next);
  for (const directory of chain.slice(0, -1).reverse()) directory.removeDirectory("d");
}

test("mkdir stops at the limit", () => {
  const files = scratch(roomy);
  const last = nest(files.root, maxDepth);
  expect(refusal(() => last.createDirectory("d", 0o755, owner))).toBe("ENAMETOOLONG");
  last.createFile("f", 0o644, owner);
  last.unlink("f");
  const used = files.usedBytes;
  expect(refusal(() => last.createDirectory("e", 0o755, owner))).toBe("ENAMETOOLONG");
  expect(files.usedBytes).toBe(used);
  unravel(files.root);
  expect([files.usedBytes, files.usedInodes]).toEqual([0, 0]);
});

test("rename counts what the moved directory holds", () => {
  const { root } = scratch(roomy);
  const left = root.createDirectory("left", 0o755, owner);
  const right = root.createDirectory("right", 0o755, owner);
  nest(left, maxDepth / 2);
  const end = nest(right, maxDepth / 2 - 1);
  // 1 + (maxDepth / 2 - 1) above, 1 + maxDepth / 2 moved.
  expect(refusal(() => root.rename("left", end, "left"))).toBe("ENAMETOOLONG");
  expect(refusal(() => left.rename("d", end, "d"))).toBe("ok");
  expect(refusal(() => root.rename("left", end, "left"))).toBe("ok");
  // What was moved away no longer counts, and what was removed neither.
  expect(refusal(() => end.rename("d", root, "moved"))).toBe("ok");
  end.removeDirectory("left");
  unravel(right);
  expect(refusal(() => root.rename("right", root, "renamed"))).toBe("ok");
  const deep = nest(root.createDirectory("deep", 0o755, owner), maxDepth - 2);
  expect(refusal(() => root.rename("renamed", deep, "last"))).toBe("ok");
});

test("renaming within one directory is always possible", () => {
  const { root } = scratch(roomy);
  nest(root, maxDepth);
  expect(refusal(() => root.rename("d", root, "e"))).toBe("ok");
});
