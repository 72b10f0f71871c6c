// A file of given bytes: read-only, and either a copy of what the host handed in or that very memory.
import { expect, test } from "vitest";
import { bytes, readFile, readOnly, readWrite, refusal } from "./filesystem-fixture.ts";
import { memoryFileNode } from "./fixed-file.ts";
import { SkeletonFileSystem } from "./skeleton.ts";

const world = new SkeletonFileSystem({ timeNs: 7n });

test("holds a copy, unless the bytes are shared", () => {
  const given = bytes("before");
  const copied = memoryFileNode(world.identity(), given);
  const shared = memoryFileNode(world.identity(), given, { shared: true });
  given.set(bytes("after!"));
  expect(readFile(copied)).toEqual(bytes("before"));
  expect(readFile(shared)).toEqual(bytes("after!"));
});

test("reads shared memory without copying it first", () => {
  const memory = new Uint8Array(new SharedArrayBuffer(4));
  memory.set([1, 2, 3, 4]);
  const node = memoryFileNode(world.identity(), memory, { shared: true });
  const target = new Uint8Array(8).fill(9);
  expect(node.open(readOnly).read(target, 1)).toBe(3);
  expect([...target]).toEqual([2, 3, 4, 9, 9, 9, 9, 9]);
});

test("refuses every change", () => {
  const node = memoryFileNode(world.identity(), bytes("x"));
  expect(node.attributes()).toMatchObject({ mode: 0o100444, nlink: 1, uid: 0, gid: 0, size: 1, blocks: 1 });
  expect(refusal(() => node.open(readWrite))).toBe("EACCES");
  expect(refusal(() => node.open({ ...readOnly, truncate: true }))).toBe("EACCES");
  expect(refusal(() => node.truncate(0))).toBe("EACCES");
  expect(refusal(() => node.setAttributes({ mode: 0o666 }))).toBe("EPERM");
  const handle = node.open(readOnly);
  expect(refusal(() => handle.write(bytes("y"), 0))).toBe("EBADF");
  expect(refusal(() => handle.truncate(0))).toBe("EBADF");
  expect(refusal(() => handle.allocate(5))).toBe("EBADF");
  handle.sync();
  handle.close();
  expect(readFile(node)).toEqual(bytes("x"));
});
