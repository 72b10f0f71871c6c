// Trees as a file system of the kernel: names byte by byte, what is kept and what is asked, and what only a raw system call can ask for.
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { errno } from "../abi/errno.ts";
import { open } from "../abi/flags.ts";
import type { DirectoryNode } from "../kernel/filesystem.ts";
import { Guest } from "../kernel/guest-fixture.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import { names, newFile, nodeAt, owner, refusal, scratch } from "./filesystem-fixture.ts";
import { filesystemTree } from "./filesystem-tree.ts";
import type { SyncTree, SyncTreeFile } from "./sync-tree.ts";
import type { TreeEntry, TreeFile } from "./tree.ts";
import { TreeFileSystem } from "./tree-filesystem.ts";
import { inodeNumber } from "./tree-node.ts";
import { isTreePath } from "./tree-path.ts";

/** A memory file system behind the interface of trees, which answers now; `asked` lists the calls. */
function syncTree(
  asked: string[] = [],
  change: (entry: TreeEntry) => TreeEntry = (entry) => entry,
): SyncTree {
  const tree = filesystemTree(scratch());
  const told =
    <T extends unknown[], R>(name: string, call: (...values: T) => R) =>
    (...values: T): R => {
      asked.push(`${name} ${String(values[0])}`);
      return call(...values);
    };
  const fileOf = (opened: unknown): SyncTreeFile => {
    const file = opened as Required<TreeFile>;
    return {
      stat: told("file.stat", () => change(file.stat() as TreeEntry)),
      read: (target, position) => {
        const bytes = file.read(position, target.length) as Uint8Array;
        target.set(bytes);
        return bytes.length;
      },
      write: (source, position) => file.write(position, source) as number,
      truncate: (size) => void file.truncate(size),
      sync: () => void file.sync(),
      change: (wanted) => void file.change(wanted),
      lock: () => undefined,
      unlock: () => {},
      close: told("file.close", () => void file.close()),
    };
  };
  return {
    stat: told("stat", (path) => {
      const entry = tree.stat(path) as TreeEntry | undefined;
      return entry && change(entry);
    }),
    trail: told("trail", (path, count) => {
      if (!isTreePath(path)) throw new RangeError(`no path: ${path}`);
      const names = path.split("/");
      const prefixes = ["", ...names.map((_, index) => names.slice(0, index + 1).join("/"))];
      const entries: TreeEntry[] = [];
      for (const prefix of prefixes.slice(-count)) {
        const entry = tree.stat(prefix) as TreeEntry | undefined;
        if (entry === undefined) return { entries, errno: errno.ENOENT };
        entries.push(change(entry));
        if (entry.kind !== "directory") break;
      }
      return { entries, errno: 0 };
    }),
    list: told("list", (path) => (tree.list(path) as never[]).map((entry) => entry)),
    open: told("open", (path, access) => fileOf(tree.open(path, access))),
    readLink: (path) => tree.readLink(path) as string,
    makeDirectory: (path, mode) => void tree.makeDirectory(path, mode),
    makeLink: (path, target) => void tree.makeLink(path, target),
    remove: (path) => void tree.remove(path),
    removeDirectory: (path) => void tree.removeDirectory(path),
    rename: told("rename", (from, to) => void tree.rename(from, to)),
    change: (path, wanted) => void tree.change(path, wanted),
    room: () => undefined,
  };
}

let asked: string[];
let files: TreeFileSystem;
let guest: Guest;

beforeEach(() => {
  asked = [];
  files = new TreeFileSystem(syncTree(asked), { timeNs: 5n });
  guest = new Guest();
  guest.kernel.process.mounts.mount(guest.skeleton.directory("/t"), files);
});

const untold = { entries: [], errno: 0 };
const act = fc.record({
  do: fc.constantFrom("tryStat", "mkdir", "rmdir", "unlink", "create", "chdir", "chmod", "rename", "symlink"),
  path: fc
    .array(fc.constantFrom("a", "b", "c", "link", "..", ".", "file", "a/b/c", "link/b"), {
      minLength: 1,
      maxLength: 6,
    })
    .map((parts) => parts.join("/")),
  to: fc.constantFrom("a", "../b", "a/b", "/t/a", "file", "a/b/c/moved"),
  isAbsolute: fc.boolean(),
  slash: fc.boolean(),
});

test("a walk arrives at the same place whether a tree tells what is ahead or nothing of it", () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 1, maxLength: 12 }), (acts) => {
      const guests = [undefined, untold].map((told) => {
        const tree = syncTree();
        const one = new Guest();
        const mounted = new TreeFileSystem(told ? { ...tree, trail: () => told } : tree, { timeNs: 5n });
        one.kernel.process.mounts.mount(one.skeleton.directory("/t"), mounted);
        for (const directory of ["/t/a", "/t/a/b", "/t/a/b/c", "/t/b"]) one.mkdir(directory);
        one.file("/t/a/b/file", "content");
        one.symlink("a/b", "/t/link");
        one.chdir("/t");
        return one;
      });
      for (const { do: what, path: names, to, isAbsolute, slash } of acts) {
        const path = `${isAbsolute ? "/t/" : ""}${names}${slash ? "/" : ""}`;
        const outcomes = guests.map((one) => {
          const found = (): unknown => {
            switch (what) {
              case "create":
                return one.tryOpen(path, open.WRONLY | open.CREAT);
              case "chmod":
                return one.chmod(path, to === "a" ? 0o600 : 0o755);
              case "rename":
                return one.rename(path, to);
              case "symlink":
                return one.symlink(to, path);
              default:
                return one[what as "tryStat"](path);
            }
          };
          return [found(), one.cwd(), one.tryStat(path)];
        });
        expect(outcomes[0], `${what} ${path} ${to}`).toEqual(outcomes[1]);
      }
    }),
    { numRuns: 400 },
  );
});

test("a path costs one question however long it is, and another one to whom nothing was told", () => {
  guest.mkdir("/t/a");
  guest.mkdir("/t/a/b");
  guest.file("/t/a/b/c");
  asked.length = 0;
  guest.stat("/t/a/b/c");
  expect(asked).toEqual(["trail a/b/c"]);
  asked.length = 0;
  expect(guest.tryStat("/t/a/none/c")).toBe("ENOENT");
  expect(asked).toEqual(["trail a/none/c"]);
  asked.length = 0;
  expect(guest.mkdir("/t/a/new")).toBe(0);
  expect(asked).toEqual(["trail a/new"]);
});

test("what one tree tells is not taken for what another one has, which is mounted in it", () => {
  guest.mkdir("/t/m");
  guest.mkdir("/t/m/m");
  const inner = syncTree();
  const file = inner.open("m", {
    read: true,
    write: true,
    append: false,
    truncate: false,
    create: "always",
    mode: 0o600,
  });
  file.write(Uint8Array.of(1, 2, 3), 0);
  file.close();
  guest.chdir("/t/m");
  guest.kernel.process.mounts.mount(guest.kernel.process.cwd, new TreeFileSystem(inner, { timeNs: 5n }));
  expect(guest.stat("/t/m/m")).toMatchObject({ size: 3 });
});

test("every name comes back byte by byte", () => {
  const byte = fc.integer({ min: 1, max: 255 }).filter((code) => code !== 0x2f);
  const name = fc.array(byte, { minLength: 1, maxLength: 20 }).map((codes) => String.fromCharCode(...codes));
  fc.assert(
    fc.property(
      fc.uniqueArray(
        name.filter((text) => text !== "." && text !== ".."),
        { maxLength: 8 },
      ),
      (wanted) => {
        const { root } = new TreeFileSystem(syncTree(), { timeNs: 0n });
        for (const text of wanted) newFile(root, text).close();
        expect(names(root).sort()).toEqual([...wanted].sort());
        for (const text of wanted) expect(nodeAt(root, text)?.kind).toBe("file");
      },
    ),
    { numRuns: 300 },
  );
});

test("paths are no longer than the longest path, and names no longer than the longest name", () => {
  let directory: DirectoryNode = files.root;
  const name = "x".repeat(255);
  for (let depth = 0; depth < 16; depth++) directory = directory.createDirectory(name, 0o755, owner);
  expect(refusal(() => directory.createDirectory(name, 0o755, owner))).toBe("ENAMETOOLONG");
  expect(refusal(() => directory.lookup(name))).toBe("ENAMETOOLONG");
  expect(refusal(() => files.root.createDirectory(`${name}x`, 0o755))).toBe("ENAMETOOLONG");
  expect(refusal(() => files.root.createDirectory("a/b", 0o755))).toBe("EINVAL");
});

test("named pipes cannot be made, and files can without being opened", () => {
  const [file, pipe] = [0o100644, 0o010644];
  expect(guest.call("mknodat", -100, guest.path("/t/pipe"), pipe, 0)).toBe("EPERM");
  expect(guest.call("mknodat", -100, guest.path("/t/file"), file, 0)).toBe(0);
  expect(guest.call("mknodat", -100, guest.path("/t/file"), file, 0)).toBe("EEXIST");
  expect(guest.stat("/t/file").size).toBe(0);
  expect(asked.filter((call) => call === "file.close undefined")).toHaveLength(1);
});

test("room is reserved by growing, and never shrinks", () => {
  const fd = guest.open("/t/f", open.RDWR | open.CREAT);
  expect(guest.call("fallocate", fd, 0, 0n, 20n)).toBe(0);
  expect(guest.call("fallocate", fd, 0, 0n, 5n)).toBe(0);
  expect(guest.stat(fd).size).toBe(20);
});

test("a descriptor opened with O_PATH keeps a directory, which follows", () => {
  guest.mkdir("/t/a");
  const fd = guest.open("/t/a", open.PATH | open.DIRECTORY);
  expect(guest.rename("/t/a", "/t/b")).toBe(0);
  expect(guest.call("fchdir", fd)).toBe(0);
  expect(guest.cwd()).toBe("/t/b");
  guest.close(fd);
  expect(guest.rename("/t/b", "/t/c")).toBe(0);
  expect(guest.cwd()).toBe("/t/c");
  expect(guest.rename("/t/c", "/t/c/d")).toBe("EINVAL");
  guest.mkdir("/t/unkept");
  expect(guest.rename("/t/unkept", "/t/unkept/d")).toBe("EINVAL");
});

test("what is kept is charged with its path, and given back", () => {
  const name = "long".repeat(60);
  guest.mkdir(`/t/${name}`);
  const before = guest.hostMemory.usedBytes;
  const held = [guest.open(`/t/${name}`, open.DIRECTORY), guest.open(`/t/${name}`, open.PATH)];
  expect(guest.hostMemory.usedBytes - before).toBeGreaterThan(2 * (1024 + name.length));
  for (const fd of held) guest.close(fd);
  expect(guest.hostMemory.usedBytes).toBe(before);
});

test("another directory that the host puts under a kept name is another one", () => {
  let shift = 0;
  const tree = syncTree([], (entry) => ({ ...entry, id: (entry.id ?? 1) + shift }));
  const moved = new TreeFileSystem(tree, { timeNs: 0n });
  guest.kernel.process.mounts.mount(guest.skeleton.directory("/m"), moved);
  guest.mkdir("/m/a");
  guest.chdir("/m/a");
  expect(guest.cwd()).toBe("/m/a");
  const before = guest.stat("/m/a").ino;
  shift = 1000;
  expect(guest.stat("/m/a").ino).toBe(before + 1000n);
  expect(guest.cwd()).toBe("ENOENT");
});

test("an open file is asked for itself, whatever has its name by now", () => {
  guest.file("/t/f", "first");
  const fd = guest.open("/t/f");
  guest.unlink("/t/f");
  guest.file("/t/f", "another one");
  expect([guest.stat(fd).size, guest.stat("/t/f").size]).toEqual([5, 11]);
  expect(guest.read(fd, 20)).toBe("first");
});

test("defaults: modes, times and numbers of what tells none", () => {
  const bare = syncTree([], ({ kind, size }) => ({ kind, size }));
  const { root } = new TreeFileSystem(bare, { timeNs: 7n });
  newFile(root, "f").close();
  const file = root.lookup("f")?.attributes();
  expect(file).toMatchObject({ mode: 0o100644, nlink: 1, uid: 1000, mtimeNs: 7n, atimeNs: 7n, ctimeNs: 7n });
  expect(root.attributes()).toMatchObject({ mode: 0o040755, ino: inodeNumber("") });
  expect(file?.ino).toBe(inodeNumber("f"));
  expect(refusal(() => root.lookup("none")?.attributes())).toBe("ok");
});

test("inode numbers of paths are safe, positive and apart", () => {
  const numbers = new Set<number>();
  for (let i = 0; i < 50_000; i++) numbers.add(inodeNumber(`folder/${i}`));
  for (const number of numbers) expect(Number.isSafeInteger(number) && number > 0).toBe(true);
  expect(numbers.size).toBe(50_000);
});

test("a refusal of the tree reaches the guest as it is", () => {
  const tree = {
    ...syncTree(),
    rename: () => {
      throw new KernelError("EDQUOT");
    },
  };
  guest.kernel.process.mounts.mount(guest.skeleton.directory("/m"), new TreeFileSystem(tree, { timeNs: 0n }));
  guest.file("/m/f");
  expect(guest.rename("/m/f", "/m/g")).toBe("EDQUOT");
});
