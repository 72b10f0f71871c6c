// Directories, names, lifetimes, times and the account of a memory file system.
import { describe, expect, test } from "vitest";
import {
  bytes,
  contentOf,
  names,
  newFile,
  owner,
  readOnly,
  readWrite,
  refusal,
  scratch,
} from "./filesystem-fixture.ts";
import { chunkOverheadBytes, entryBytes, inodeBytes } from "./quota.ts";

describe("names", () => {
  const hostile = [
    "__proto__",
    "constructor",
    "then",
    "toJSON",
    "\x80\xff\xc3",
    " ",
    "-",
    "\n",
    "a".repeat(255),
  ];

  test("any bytes are a name of their own", () => {
    const { root } = scratch();
    for (const name of hostile) expect(root.lookup(name)).toBeUndefined();
    for (const name of hostile) newFile(root, name).write(bytes(name), 0);
    expect(names(root)).toEqual(hostile);
    for (const name of hostile) {
      const node = root.lookup(name);
      expect(node?.kind === "file" && contentOf(node.open(readOnly))).toEqual(bytes(name));
      root.unlink(name);
    }
    expect(names(root)).toEqual([]);
  });

  test("what cannot be a name is refused by every creator and by rename", () => {
    const { root } = scratch();
    newFile(root, "old");
    const wrong: [string, string][] = [
      ["", "ENOENT"],
      ["a".repeat(256), "ENAMETOOLONG"],
      [".", "EINVAL"],
      ["..", "EINVAL"],
      ["a/b", "EINVAL"],
      ["a\0", "EINVAL"],
    ];
    for (const [name, errno] of wrong) {
      expect(refusal(() => root.createFile(name, 0o644, owner))).toBe(errno);
      expect(refusal(() => root.createDirectory(name, 0o755, owner))).toBe(errno);
      expect(refusal(() => root.createLink(name, "t", owner))).toBe(errno);
      expect(refusal(() => root.createPipe(name, 0o644, owner))).toBe(errno);
      expect(refusal(() => root.rename("old", root, name))).toBe(errno);
    }
    expect(names(root)).toEqual(["old"]);
  });

  test("a link's target is kept as it is, up to 4095 bytes", () => {
    const { root } = scratch();
    const target = "x".repeat(4095);
    const link = root.createLink("l", target, owner);
    expect(link.target).toBe(target);
    expect(link.attributes()).toMatchObject({ size: 4095, mode: 0o120777 });
    expect(refusal(() => root.createLink("m", `${target}x`, owner))).toBe("ENAMETOOLONG");
    expect(refusal(() => root.createLink("m", "", owner))).toBe("ENOENT");
  });
});

describe("directories", () => {
  test("count their subdirectories, know their parent, and refuse once removed", () => {
    const { root } = scratch();
    const a = root.createDirectory("a", 0o700, owner);
    const b = a.createDirectory("b", 0o700, owner);
    expect([root, a, b].map((directory) => directory.attributes().nlink)).toEqual([3, 3, 2]);
    expect([root.parent(), a.parent(), b.parent()]).toEqual([root, root, a]);
    expect(refusal(() => root.removeDirectory("a"))).toBe("ENOTEMPTY");
    a.removeDirectory("b");
    expect(b.parent()).toBeUndefined();
    expect([root, a, b].map((directory) => directory.attributes().nlink)).toEqual([3, 2, 0]);
    expect(refusal(() => b.createFile("x", 0o644, owner))).toBe("ENOENT");
    expect(refusal(() => b.createDirectory("x", 0o755, owner))).toBe("ENOENT");
    newFile(a, "file");
    expect(refusal(() => a.rename("file", b, "x"))).toBe("ENOENT");
  });

  test("refuse the wrong kind and what is not there", () => {
    const { root } = scratch();
    newFile(root, "f");
    root.createDirectory("d", 0o755, owner);
    expect(refusal(() => root.createFile("f", 0o644, owner))).toBe("EEXIST");
    expect(refusal(() => root.createDirectory("f", 0o644, owner))).toBe("EEXIST");
    expect(refusal(() => root.unlink("d"))).toBe("EISDIR");
    expect(refusal(() => root.removeDirectory("f"))).toBe("ENOTDIR");
    expect(refusal(() => root.unlink("none"))).toBe("ENOENT");
    expect(refusal(() => root.removeDirectory("none"))).toBe("ENOENT");
    expect(refusal(() => root.rename("none", root, "x"))).toBe("ENOENT");
    expect(refusal(() => root.rename("f", scratch().root, "x"))).toBe("EXDEV");
  });

  test("a listing is a snapshot in order of insertion", () => {
    const { root } = scratch();
    for (const name of ["z", "a", "10", "9"]) newFile(root, name);
    const before = root.list();
    root.unlink("a");
    newFile(root, "a");
    expect(before.map((entry) => entry.name)).toEqual(["z", "a", "10", "9"]);
    expect(names(root)).toEqual(["z", "10", "9", "a"]);
  });

  test("children of a set-group-ID directory belong to its group", () => {
    const { root } = scratch();
    root.setAttributes({ mode: 0o2755, gid: 7 });
    expect(root.createFile("f", 0o644, owner).attributes()).toMatchObject({
      uid: 1000,
      gid: 7,
      mode: 0o100644,
    });
    expect(root.createDirectory("d", 0o755, owner).attributes()).toMatchObject({ gid: 7, mode: 0o042755 });
  });
});

describe("rename", () => {
  test("replaces a file, whose open handle keeps the old content", () => {
    const files = scratch();
    const { root } = files;
    const old = newFile(root, "old");
    old.write(bytes("old"), 0);
    const fresh = newFile(root, "new");
    fresh.write(bytes("new"), 0);
    fresh.close();
    root.rename("new", root, "old");
    expect(names(root)).toEqual(["old"]);
    expect(contentOf(old)).toEqual(bytes("old"));
    const node = root.lookup("old");
    expect(node?.kind === "file" && contentOf(node.open(readOnly))).toEqual(bytes("new"));
    expect(files.usedInodes).toBe(2);
    old.close();
    expect(files.usedInodes).toBe(1);
  });

  test("moves a directory with its link counts and parent", () => {
    const { root } = scratch();
    const a = root.createDirectory("a", 0o755, owner);
    const b = root.createDirectory("b", 0o755, owner);
    const child = a.createDirectory("c", 0o755, owner);
    const replaced = b.createDirectory("c", 0o755, owner);
    a.rename("c", b, "c");
    expect(child.parent()).toBe(b);
    expect(replaced.parent()).toBeUndefined();
    expect([root, a, b, child].map((directory) => directory.attributes().nlink)).toEqual([4, 2, 3, 2]);
  });

  test("refuses what cannot replace", () => {
    const { root } = scratch();
    const full = root.createDirectory("full", 0o755, owner);
    newFile(full, "x");
    root.createDirectory("d", 0o755, owner);
    newFile(root, "f");
    expect(refusal(() => root.rename("d", root, "full"))).toBe("ENOTEMPTY");
    expect(refusal(() => root.rename("d", root, "f"))).toBe("ENOTDIR");
    expect(refusal(() => root.rename("f", root, "d"))).toBe("EISDIR");
    expect(refusal(() => root.rename("full", full, "x"))).toBe("EINVAL");
    expect(refusal(() => root.rename("f", root, "f"))).toBe("ok");
    expect(names(root)).toEqual(["full", "d", "f"]);
  });

  test("to a longer name needs room for it, and has no effect without", () => {
    const quotaBytes = inodeBytes + entryBytes + 4;
    const files = scratch({ quotaBytes });
    files.root.createFile("a", 0o644, owner);
    expect(refusal(() => files.root.rename("a", files.root, "abcde"))).toBe("ENOSPC");
    expect(names(files.root)).toEqual(["a"]);
    files.root.rename("a", files.root, "abcd");
    expect(files.usedBytes).toBe(quotaBytes);
  });
});

describe("lifetimes and the account", () => {
  test("an unlinked file lives until its last handle closes", () => {
    const files = scratch();
    const { root } = files;
    const node = root.createFile("f", 0o644, owner);
    const [one, two] = [node.open(readWrite), node.open(readOnly)];
    one.write(new Uint8Array(1000).fill(4), 0);
    root.unlink("f");
    expect(node.attributes().nlink).toBe(0);
    one.close();
    one.close();
    expect(contentOf(two)).toEqual(new Uint8Array(1000).fill(4));
    expect(files.usedInodes).toBe(1);
    two.close();
    expect([files.usedBytes, files.usedInodes]).toEqual([0, 0]);
    expect(refusal(() => node.open(readOnly))).toBe("ENOENT");
    expect(refusal(() => node.truncate(5))).toBe("ENOENT");
    expect(refusal(() => two.read(new Uint8Array(1), 0))).toBe("EBADF");
    expect(refusal(() => one.write(new Uint8Array(1), 0))).toBe("EBADF");
  });

  test("every kind of object is charged, and everything is given back", () => {
    const files = scratch();
    const { root } = files;
    newFile(root, "file").close();
    const directory = root.createDirectory("dir", 0o755, owner);
    root.createLink("link", "target", owner);
    root.createPipe("pipe", 0o600, owner);
    newFile(directory, "inner").write(new Uint8Array(100), 0);
    const named = "filedirlinkpipeinner".length + "target".length;
    expect(files.usedBytes).toBe(5 * (inodeBytes + entryBytes) + named + 128 + chunkOverheadBytes);
    expect(files.usedInodes).toBe(5);
    const inner = directory.lookup("inner");
    directory.rename("inner", root, "a-much-longer-name");
    expect(inner?.kind === "file" && inner.attributes().blocks).toBe(1);
    root.rename("link", root, "pipe");
    for (const name of ["file", "pipe", "a-much-longer-name"]) root.unlink(name);
    root.removeDirectory("dir");
    // "inner" is still open.
    expect(files.usedInodes).toBe(1);
  });

  test("the inode limit and the byte limit refuse without effect", () => {
    const few = scratch({ maxInodes: 2 });
    few.root.createDirectory("a", 0o755, owner);
    few.root.createPipe("b", 0o644, owner);
    expect(refusal(() => newFile(few.root, "c"))).toBe("ENOSPC");
    expect(names(few.root)).toEqual(["a", "b"]);
    few.root.unlink("b");
    expect(refusal(() => newFile(few.root, "c"))).toBe("ok");

    const small = scratch({ quotaBytes: inodeBytes + entryBytes + 10 });
    expect(refusal(() => small.root.createLink("l", "0123456789", owner))).toBe("ENOSPC");
    expect([small.usedBytes, small.usedInodes, names(small.root).length]).toEqual([0, 0, 0]);
    expect(refusal(() => small.root.createLink("l", "012345678", owner))).toBe("ok");
    expect(small.usage()).toMatchObject({ blocks: 0, freeBlocks: 0, files: 1000, freeFiles: 999 });
  });

  test("usage tells the quota, not the host", () => {
    const files = scratch({ quotaBytes: 4096 * 10, maxInodes: 5 });
    expect(files.usage()).toEqual({
      blockBytes: 4096,
      blocks: 10,
      freeBlocks: 10,
      files: 5,
      freeFiles: 5,
      readOnly: false,
    });
    newFile(files.root, "f").write(new Uint8Array(4096), 0);
    expect(files.usage()).toMatchObject({ freeBlocks: 8, freeFiles: 4 });
  });
});

describe("attributes", () => {
  test("chmod keeps the type, and every inode has its own number", () => {
    const { root } = scratch();
    const file = root.createFile("f", 0o644 | 0o040000, owner);
    expect(file.attributes().mode).toBe(0o100644);
    file.setAttributes({ mode: 0o170000 | 0o4711, uid: 5, gid: 6 });
    expect(file.attributes()).toMatchObject({ mode: 0o104711, uid: 5, gid: 6 });
    const inodes = [root, file, root.createPipe("p", 0, owner)].map((node) => node.attributes().ino);
    expect(inodes).toEqual([1, 2, 3]);
  });

  test("times move as POSIX says", () => {
    const { root } = scratch();
    const node = root.createFile("f", 0o644, owner);
    const handle = node.open(readWrite);
    const moved = (target: typeof root | typeof node, action: () => unknown): string => {
      const before = target.attributes();
      action();
      const after = target.attributes();
      return (["atimeNs", "mtimeNs", "ctimeNs"] as const)
        .filter((time) => after[time] !== before[time])
        .map((time) => time.charAt(0))
        .join("");
    };
    expect(moved(node, () => handle.write(bytes("hello"), 0))).toBe("mc");
    expect(moved(node, () => handle.write(new Uint8Array(0), 0))).toBe("");
    expect(moved(node, () => handle.read(new Uint8Array(1), 0))).toBe("a");
    expect(moved(node, () => handle.read(new Uint8Array(1), 0))).toBe("");
    expect(moved(node, () => handle.truncate(2))).toBe("mc");
    expect(moved(node, () => node.open({ ...readWrite, truncate: true }).close())).toBe("mc");
    expect(handle.size()).toBe(0);
    expect(moved(node, () => node.setAttributes({ mode: 0o600 }))).toBe("c");
    expect(moved(node, () => node.setAttributes({ atimeNs: 1n, mtimeNs: 2n }))).toBe("amc");
    expect(moved(node, () => root.rename("f", root, "g"))).toBe("c");
    expect(moved(root, () => root.rename("g", root, "h"))).toBe("mc");
    expect(moved(root, () => newFile(root, "x"))).toBe("mc");
    expect(moved(root, () => root.list())).toBe("a");
    expect(moved(root, () => root.unlink("x"))).toBe("mc");
    expect(moved(node, () => root.unlink("h"))).toBe("c");
  });

  test("a read moves an access time that is a day old", () => {
    let nowNs = 0n;
    const { root } = scratch({ now: () => nowNs });
    const node = root.createFile("f", 0o644, owner);
    const handle = node.open(readOnly);
    const readAt = (ns: bigint): bigint => {
      nowNs = ns;
      handle.read(new Uint8Array(1), 0);
      return node.attributes().atimeNs;
    };
    expect(readAt(10n)).toBe(10n);
    expect(readAt(20n)).toBe(10n);
    expect(readAt(86_400_000_000_010n)).toBe(86_400_000_000_010n);
  });

  test("a handle does only what it was opened for", () => {
    const { root } = scratch();
    const node = root.createFile("f", 0o644, owner);
    const reader = node.open(readOnly);
    const writer = node.open({ ...readWrite, read: false });
    expect(refusal(() => reader.write(bytes("x"), 0))).toBe("EBADF");
    expect(refusal(() => reader.truncate(0))).toBe("EBADF");
    expect(refusal(() => reader.allocate(1))).toBe("EBADF");
    expect(refusal(() => writer.read(new Uint8Array(1), 0))).toBe("EBADF");
  });
});
