// Paths and names as the guest calls them; expected values from path_resolution(7), rename(2), mkdir(2), rmdir(2),
// unlink(2), getcwd(3), getdents(2), symlink(7).
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeEach, describe, expect, test } from "vitest";
import { at, mode, open, whence } from "../abi/flags.ts";
import { nullDevice } from "../filesystems/devices.ts";
import { Guest } from "./guest-fixture.ts";

let guest: Guest;
beforeEach(() => {
  guest = new Guest();
});

test("names have limits, and an empty path names nothing", () => {
  expect(guest.tryOpen("")).toBe("ENOENT");
  expect(guest.mkdir("n".repeat(255))).toBe(0);
  expect(guest.mkdir("n".repeat(256))).toBe("ENAMETOOLONG");
  expect(guest.tryStat(`${"./".repeat(2047)}.`)).toBe(0);
  expect(guest.tryStat("./".repeat(2048))).toBe("ENAMETOOLONG");
});

test("trailing slashes ask for a directory", () => {
  guest.file("f");
  guest.mkdir("d//");
  expect(guest.tryStat("d///")).toBe(0);
  expect(guest.tryStat("f/")).toBe("ENOTDIR");
  expect(guest.tryOpen("f/")).toBe("ENOTDIR");
  expect(guest.tryOpen("new/", open.WRONLY | open.CREAT)).toBe("EISDIR");
  expect(guest.unlink("f/")).toBe("ENOTDIR");
  expect(guest.symlink("x", "new/")).toBe("ENOENT");
  expect(guest.rename("f", "new/")).toBe("ENOTDIR");
  expect(guest.rename("f/", "new")).toBe("ENOTDIR");
  expect(guest.rename("d", "e/")).toBe(0);
  expect(guest.tryStat("e")).toBe(0);
});

test("'.' and '..' cross mounts and stop at the root", () => {
  guest.mkdir("a");
  expect(guest.stat("a/../.").ino).toBe(guest.stat("/tmp").ino);
  expect(guest.tryStat("/../../tmp/a")).toBe(0);
  expect(guest.tryStat("/tmp/../mnt/second")).toBe(0);
  expect(guest.tryStat("missing/..")).toBe("ENOENT");
  guest.file("f");
  expect(guest.tryStat("f/..")).toBe("ENOTDIR");
});

test("a folder that may not be written says so before it says what is in it", () => {
  guest.mkdir("ro");
  guest.file("ro/f");
  guest.mkdir("ro/d");
  guest.chmod("ro", 0o555);
  expect(guest.rmdir("ro/f")).toBe("EACCES");
  expect(guest.rmdir("ro/d")).toBe("EACCES");
  expect(guest.unlink("ro/d")).toBe("EACCES");
  expect(guest.unlink("ro/d/")).toBe("EISDIR");
  expect(guest.rmdir("ro/f/")).toBe("EACCES");
  expect(guest.rename("ro/f", "ro/d")).toBe("EACCES");
  expect(guest.rename("ro/d", "ro/d/x")).toBe("EINVAL");
});

describe("directories", () => {
  test("only empty ones are removed, and only by rmdir", () => {
    guest.mkdir("d");
    guest.file("d/f");
    expect(guest.mkdir("d")).toBe("EEXIST");
    expect(guest.rmdir("d")).toBe("ENOTEMPTY");
    expect(guest.unlink("d")).toBe("EISDIR");
    expect(guest.rmdir("d/f")).toBe("ENOTDIR");
    expect(guest.rmdir("d/.")).toBe("EINVAL");
    expect(guest.rmdir("d/..")).toBe("ENOTEMPTY");
    expect(guest.rmdir("/tmp")).toBe("EBUSY");
    expect(guest.rmdir("/")).toBe("EBUSY");
    expect(guest.unlink("d/f")).toBe(0);
    expect(guest.rmdir("d")).toBe(0);
    expect(guest.scratch.usedBytes).toBe(0);
  });

  test("getcwd follows renames and notices removal", () => {
    guest.mkdir("a");
    guest.mkdir("a/b");
    expect(guest.chdir("a/b")).toBe(0);
    expect(guest.rename("/tmp/a", "/tmp/moved")).toBe(0);
    expect(guest.cwd()).toBe("/tmp/moved/b");
    expect(guest.cwd("/tmp/moved/b".length)).toBe("ERANGE");
    expect(guest.cwd("/tmp/moved/b".length + 1)).toBe("/tmp/moved/b");
    expect(guest.call("getcwd", guest.allocate(8), 0)).toBe("EINVAL");
    expect(guest.rmdir("/tmp/moved/b")).toBe(0);
    expect(guest.cwd()).toBe("ENOENT");
    expect(guest.tryOpen("f", open.WRONLY | open.CREAT)).toBe("ENOENT");
    expect(guest.tryStat("..")).toBe("ENOENT");
    expect(guest.chdir("/")).toBe(0);
    expect(guest.cwd()).toBe("/");
  });

  test("a listing comes in whole records, whatever the buffer", () => {
    guest.mkdir("d");
    const made = Array.from({ length: 20 }, (_, i) => `file-${i}`);
    for (const name of made) guest.file(`d/${name}`);
    const fd = guest.open("d", open.DIRECTORY);
    expect(guest.names(fd, 23)).toBe("EINVAL");
    const seen: string[] = [];
    for (let part = guest.names(fd, 64); Array.isArray(part) && part.length > 0; part = guest.names(fd, 64)) {
      seen.push(...part);
      guest.unlink(`d/${part.at(-1)}`);
    }
    expect(seen).toEqual([".", "..", ...made]);
    guest.file("d/later");
    expect(guest.seek(fd, 0n, whence.SET)).toBe(0n);
    expect(guest.names(fd)).toContain("later");
    expect(guest.names(guest.open("d/later"))).toBe("ENOTDIR");
  });

  test("a loop that renames what it finds comes to an end", () => {
    guest.mkdir("d");
    for (let i = 0; i < 5; i++) guest.file(`d/${i}`);
    const fd = guest.open("d", open.DIRECTORY);
    const seen: string[] = [];
    for (let part = guest.names(fd, 32); Array.isArray(part) && part.length > 0; part = guest.names(fd, 32)) {
      seen.push(...part);
      if (part[0] !== "." && part[0] !== "..") guest.rename(`d/${part[0]}`, `d/new-${part[0]}`);
      if (seen.length > 20) break;
    }
    expect(seen).toEqual([".", "..", "0", "1", "2", "3", "4"]);
  });

  test("a listing goes on where seekdir puts it, in a directory of the guest's and in the host's", () => {
    for (const name of ["a", "b", "c"]) {
      guest.file(name);
      guest.skeleton.place(`/host/${name}`, nullDevice(guest.skeleton.identity()));
    }
    for (const path of ["/tmp", "/host"]) {
      const fd = guest.open(path, open.DIRECTORY);
      expect(guest.names(fd, 72)).toEqual([".", "..", "a"]);
      const position = guest.seek(fd, 0n, whence.CUR) as bigint;
      expect(guest.names(fd)).toEqual(["b", "c"]);
      expect(guest.seek(fd, position, whence.SET)).toBe(position);
      expect(guest.names(fd)).toEqual(["b", "c"]);
      expect(guest.seek(fd, 2n ** 40n, whence.SET)).toBe(2n ** 40n);
      expect(guest.names(fd)).toEqual([]);
      for (const wrong of [-1n, 2n ** 60n]) expect(guest.seek(fd, wrong, whence.SET)).toBe("EINVAL");
    }
  });

  test("what was removed is not kept alive by a listing that has begun", async () => {
    const fd = guest.open(".", open.DIRECTORY);
    guest.file("f");
    guest.names(fd, 24);
    const node = new WeakRef(guest.scratch.root.lookup("f") as object);
    guest.unlink("f");
    setFlagsFromString("--expose-gc");
    // A WeakRef holds its target until the current job ends.
    await new Promise((done) => setTimeout(done, 0));
    runInNewContext("gc")();
    expect(node.deref()).toBeUndefined();
  });

  test("one call lists 64 KiB at most", () => {
    for (let i = 0; i < 300; i++) guest.file(`${i}`.padEnd(230, "x"));
    const fd = guest.open(".", open.DIRECTORY);
    expect(guest.names(fd, 200_000)).toHaveLength(2 + 255);
    expect(guest.names(fd, 200_000)).toHaveLength(45);
  });

  test("a working directory deeper than any path has none", () => {
    const name = "n".repeat(200);
    for (let i = 0; i < 20; i++) {
      guest.mkdir(name);
      guest.chdir(name);
    }
    expect(guest.cwd()).toBe(`/tmp${`/${name}`.repeat(20)}`);
    guest.mkdir(name);
    guest.chdir(name);
    expect(guest.cwd(8192)).toBe("ENAMETOOLONG");
    expect(guest.chdir("/")).toBe(0);
  });

  test("relative to a descriptor", () => {
    guest.mkdir("d");
    guest.file("d/f", "here");
    const directory = guest.open("d", open.DIRECTORY);
    const file = guest.open("d/f");
    const read = (dirfd: number, path: string) => guest.call("openat", dirfd, guest.path(path), 0, 0);
    expect(read(directory, "f")).toBe(5);
    expect(read(file, "f")).toBe("ENOTDIR");
    expect(read(99, "f")).toBe("EBADF");
    expect(read(99, "/tmp/d/f")).toBe(6);
  });
});

describe("rename", () => {
  beforeEach(() => {
    for (const path of ["d", "d/child", "full", "full/x", "empty"]) guest.mkdir(path);
    guest.file("f", "content");
  });
  test.each([
    ["d", "d/child/new", "EINVAL"],
    ["d", "d/new", "EINVAL"],
    ["d/child", "d", "ENOTEMPTY"],
    ["d", "full", "ENOTEMPTY"],
    ["f", "empty", "EISDIR"],
    ["empty", "f", "ENOTDIR"],
    ["f", "/mnt/second/f", "EXDEV"],
    ["missing", "f", "ENOENT"],
    ["f", "missing/f", "ENOENT"],
    ["d/.", "g", "EBUSY"],
    ["d/..", "g", "EBUSY"],
    ["/tmp", "/other", "EBUSY"],
    ["d", "d", 0],
    ["f", "./f", 0],
    ["full", "empty", 0],
    ["f", `${"n".repeat(256)}`, "ENAMETOOLONG"],
  ] as const)("%s to %s: %s", (from, to, outcome) => {
    expect(guest.rename(from, to)).toBe(outcome);
    expect(guest.content("f")).toBe("content");
  });

  test("moves a directory with the working directory in it", () => {
    guest.chdir("d/child");
    expect(guest.rename("/tmp/d", "/tmp/empty/d")).toBe(0);
    expect(guest.cwd()).toBe("/tmp/empty/d/child");
    expect(guest.stat("../..").ino).toBe(guest.stat("/tmp/empty").ino);
    expect(guest.rename("/tmp/empty", "/tmp/empty/d/child/e")).toBe("EINVAL");
  });

  test("replaces a file under its open descriptors", () => {
    guest.file("g", "old");
    const old = guest.open("g");
    expect(guest.rename("f", "g")).toBe(0);
    expect(guest.content("g")).toBe("content");
    expect(guest.read(old, 9)).toBe("old");
    expect(guest.tryStat("f")).toBe("ENOENT");
  });
});

describe("symbolic links", () => {
  test("are followed, but not by lstat, unlink, rename and O_NOFOLLOW", () => {
    guest.file("f", "target");
    expect(guest.symlink("f", "link")).toBe(0);
    expect(guest.content("link")).toBe("target");
    expect(guest.stat("link").mode & mode.TYPE).toBe(mode.LINK);
    expect(guest.tryOpen("link", open.NOFOLLOW)).toBe("ELOOP");
    expect(guest.tryOpen("link", open.WRONLY | open.CREAT | open.EXCL)).toBe("EEXIST");
    expect(guest.rename("link", "renamed")).toBe(0);
    expect(guest.readlink("renamed")).toBe("f");
    expect(guest.unlink("renamed")).toBe(0);
    expect(guest.content("f")).toBe("target");
  });

  test("may dangle: O_CREAT makes what they name", () => {
    guest.symlink("made", "link");
    expect(guest.tryOpen("link")).toBe("ENOENT");
    guest.file("link", "through");
    expect(guest.content("made")).toBe("through");
  });

  test("'..' after a link is above what it names", () => {
    for (const path of ["a", "a/b", "c"]) guest.mkdir(path);
    guest.file("a/mark", "in a");
    guest.symlink("../a/b", "c/link");
    expect(guest.content("c/link/../mark")).toBe("in a");
    guest.symlink("/tmp/a/b/", "absolute");
    expect(guest.content("absolute/../mark")).toBe("in a");
    guest.symlink("a/mark/", "slashed");
    expect(guest.tryOpen("slashed")).toBe("ENOTDIR");
  });

  test("loops and long chains end", () => {
    guest.symlink("loop", "loop");
    expect(guest.tryOpen("loop")).toBe("ELOOP");
    expect(guest.tryOpen("loop/x")).toBe("ELOOP");
    guest.file("link-0", "far");
    for (let i = 1; i <= 41; i++) guest.symlink(`link-${i - 1}`, `link-${i}`);
    expect(guest.content("link-40")).toBe("far");
    expect(guest.tryOpen("link-41")).toBe("ELOOP");
  });

  test("one walk looks at a bounded number of components, however long the links", () => {
    guest.symlink("./".repeat(2047), "long");
    expect(guest.tryStat("long/".repeat(7))).toBe(0);
    expect(guest.tryStat("long/".repeat(9))).toBe("ELOOP");
  });

  test("readlink cuts without a NUL", () => {
    guest.symlink("0123456789", "link");
    expect(guest.readlink("link", 4)).toBe("0123");
    expect(guest.readlink("link", 0)).toBe("EINVAL");
    expect(guest.readlink(".")).toBe("EINVAL");
    const buffer = guest.allocate(16);
    guest.memory.slice(buffer, 16).fill(1);
    guest.call("readlinkat", at.FDCWD, guest.path("link"), buffer, 16);
    expect(guest.memory.getU8(buffer + 10)).toBe(1);
    expect(guest.symlink("", "empty")).toBe("ENOENT");
    expect(guest.chmod("link", 0o600)).toBe("ENOENT");
  });
});
