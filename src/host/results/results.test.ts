// Questions about the guest's files, asked of a kernel's tree directly: what no Python program can make, and what is held between them.
import { expect, test } from "vitest";
import { errno } from "../../abi/errno.ts";
import { MemoryFileSystem } from "../../filesystems/memory-filesystem.ts";
import { SkeletonFileSystem } from "../../filesystems/skeleton.ts";
import { fail } from "../../kernel/kernel-error.ts";
import { Mounts } from "../../kernel/mounts.ts";
import { guestOwner } from "../../kernel/permissions.ts";
import { decodeEntries, encodeEntries, maxPageEntries } from "./entry-page.ts";
import { Results } from "./results.ts";

function world() {
  const skeleton = new SkeletonFileSystem({ timeNs: 0n });
  const mounts = new Mounts(skeleton);
  const scratch = new MemoryFileSystem({
    quotaBytes: 1 << 22,
    maxInodes: 5000,
    now: () => 7n,
    owner: guestOwner,
    rootMode: 0o755,
  });
  mounts.mount(skeleton.directory("/tmp"), scratch);
  return { results: new Results(mounts), root: scratch.root };
}

const read = (path: string, position = 0, reader = 1) =>
  ({ operation: "read", path, position, length: 100, reader }) as const;

test("a named pipe is not waited for", () => {
  const { results, root } = world();
  root.createPipe("p", 0o600, guestOwner);
  expect(results.answer(read("/tmp/p")).errno).toBe(errno.EINVAL);
  const reply = results.answer({ operation: "stat", path: "/tmp/p", follow: true });
  expect(decodeEntries(reply.bytes, false)).toMatchObject([{ kind: "pipe", mode: 0o600 }]);
});

test("a directory comes in pages, each entry once", () => {
  const { results, root } = world();
  for (let i = 0; i < 1000; i++) root.createFile(`n${i}`, 0o600, guestOwner);
  const names: string[] = [];
  let pages = 0;
  let after = 0;
  do {
    const reply = results.answer({ operation: "list", path: "/tmp", after, reader: 1 });
    expect(reply.errno).toBe(0);
    const entries = decodeEntries(reply.bytes, true);
    expect(entries.length).toBeLessThanOrEqual(maxPageEntries);
    names.push(...entries.map(({ name }) => name));
    after = reply.next;
    pages += 1;
  } while (after !== 0);
  expect(pages).toBeGreaterThan(3);
  expect(names).toEqual(Array.from({ length: 1000 }, (_, i) => `n${i}`));
});

test("a file that is read in parts is opened once, and closed at its end, a refusal, or when the asker says so", () => {
  const { results, root } = world();
  const file = root.createFile("f", 0o600, guestOwner);
  const writing = file.open({ read: false, write: true, append: false, truncate: false });
  writing.write(new Uint8Array(150).fill(1), 0);
  writing.close();
  let open = 0;
  let opened = 0;
  let refuses = false;
  const original = file.open.bind(file);
  file.open = (access) => {
    open += 1;
    opened += 1;
    const handle = original(access);
    const close = handle.close.bind(handle);
    handle.close = () => {
      open -= 1;
      close();
    };
    const readAt = handle.read.bind(handle);
    handle.read = (target, position) => (refuses ? fail("EIO") : readAt(target, position));
    return handle;
  };
  expect([0, 100].map((at) => results.answer(read("/tmp/f", at)).bytes.length)).toEqual([100, 50]);
  // Whatever else is asked meanwhile, of this file or of another one.
  results.answer(read("/tmp/none", 0, 2));
  expect(results.answer(read("/tmp/f", 0, 3)).bytes.length).toBe(100);
  results.answer({ operation: "close", reader: 3 });
  expect([open, opened]).toEqual([1, 2]);
  expect(results.answer(read("/tmp/f", 150)).bytes.length).toBe(0);
  expect([open, opened]).toEqual([0, 2]);
  results.answer(read("/tmp/f", 0, 4));
  refuses = true;
  expect(results.answer(read("/tmp/f", 100, 4)).errno).toBe(errno.EIO);
  expect([open, opened]).toEqual([0, 3]);
  refuses = false;
  for (const reader of [5, 6]) results.answer(read("/tmp/f", 0, reader));
  expect([open, opened]).toEqual([2, 5]);
  results.letGo();
  expect([open, opened]).toEqual([0, 5]);
});

test("a listing that was begun anew shows what is there now", () => {
  const { results, root } = world();
  for (let i = 0; i < 2 * maxPageEntries; i++) root.createFile(`n${i}`, 0o600, guestOwner);
  const list = (after: number, reader: number) =>
    results.answer({ operation: "list", path: "/tmp", after, reader });
  const first = list(0, 1);
  expect(first.next).not.toBe(0);
  results.answer({ operation: "close", reader: 1 });
  root.unlink("n0");
  expect(decodeEntries(list(0, 2).bytes, true).map(({ name }) => name)).not.toContain("n0");
});

test("a page of entries says what went in, and anything else is refused", () => {
  const entry = {
    kind: "link",
    name: "\xff",
    size: 2 ** 53 - 1,
    mode: 0o7777,
    modifiedNs: -1n,
    ino: 9,
    links: 0,
  } as const;
  const bytes = encodeEntries([entry, { ...entry, name: "b", kind: "device" }]);
  expect(decodeEntries(bytes, true)).toEqual([entry, { ...entry, name: "b", kind: "device" }]);
  const changed = (at: number, value: number) => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };
  const wrong: [string, Uint8Array][] = [
    ["kind", changed(0, 5)],
    ["name longer than the page", changed(1, 255)],
    ["no name", changed(1, 0)],
    ["a slash", changed(36, 47)],
    ["mode", changed(3, 255)],
    ["size", changed(11, 255)],
    ["cut", bytes.subarray(0, bytes.length - 1)],
  ];
  for (const [what, page] of wrong) expect(() => decodeEntries(page, true), what).toThrow(RangeError);
  expect(() => decodeEntries(bytes, false)).toThrow(RangeError);
});
