// Open, read, write, seek and truncate as the guest calls them; expected values from open(2), read(2), lseek(2), pipe(7).
import { beforeEach, expect, test } from "vitest";
import { open, whence } from "../abi/flags.ts";
import { Guest } from "./guest-fixture.ts";

let guest: Guest;
beforeEach(() => {
  guest = new Guest();
});
const create = open.WRONLY | open.CREAT;

test("a descriptor is the lowest free number", () => {
  const [a, b] = [guest.open("a", create), guest.open("b", create)];
  expect([a, b]).toEqual([3, 4]);
  expect(guest.close(a)).toBe(0);
  expect(guest.open("c", create)).toBe(3);
  expect(guest.close(17)).toBe("EBADF");
  expect(guest.close(-1)).toBe("EBADF");
});

test("reading and writing move one shared position, positioned transfers none", () => {
  const fd = guest.open("f", open.RDWR | open.CREAT);
  expect(guest.write(fd, ["abc", "", "defg"])).toBe(7);
  expect(guest.read(fd, 4)).toBe("");
  expect(guest.write(fd, "XY", 1n)).toBe(2);
  expect(guest.seek(fd, 0n, whence.SET)).toBe(0n);
  expect(guest.read(fd, 3)).toBe("aXY");
  expect(guest.read(fd, 100, 5n)).toBe("fg");
  expect(guest.seek(fd, 0n, whence.CUR)).toBe(3n);
  expect(guest.read(fd, 1, -1n)).toBe("EINVAL");
});

test("the access mode holds for every transfer", () => {
  const writer = guest.open("f", create);
  expect(guest.read(writer, 1)).toBe("EBADF");
  expect(guest.read(writer, 0)).toBe("EBADF");
  const reader = guest.open("f");
  expect(guest.write(reader, "x")).toBe("EBADF");
  expect(guest.write(reader, "x", 0n)).toBe("EBADF");
  expect(guest.call("ftruncate64", reader, 0n)).toBe("EINVAL");
  expect(guest.tryOpen("f", 3)).toBe("EINVAL");
});

test("seeking", () => {
  guest.file("f", "0123456789");
  const fd = guest.open("f");
  expect(guest.seek(fd, -3n, whence.END)).toBe(7n);
  expect(guest.seek(fd, 2n, whence.CUR)).toBe(9n);
  expect(guest.seek(fd, -10n, whence.CUR)).toBe("EINVAL");
  expect(guest.seek(fd, 0n, 9)).toBe("EINVAL");
  expect(guest.seek(fd, 2n ** 63n - 1n, whence.CUR)).toBe("EOVERFLOW");
  expect(guest.seek(fd, 0n, whence.CUR)).toBe(9n);
  expect(guest.seek(fd, 1000n, whence.SET)).toBe(1000n);
  expect(guest.read(fd, 5)).toBe("");
  expect(guest.seek(guest.pipe()[0], 0n, whence.SET)).toBe("ESPIPE");
});

test("O_EXCL, O_TRUNC and O_APPEND", () => {
  guest.file("f", "old content");
  expect(guest.tryOpen("f", create | open.EXCL)).toBe("EEXIST");
  expect(guest.content("f")).toBe("old content");
  const shortened = guest.open("f", open.WRONLY | open.TRUNC);
  expect(guest.stat("f").size).toBe(0);
  const appending = guest.open("f", open.WRONLY | open.APPEND);
  guest.write(shortened, "first");
  guest.write(appending, "+second");
  guest.seek(appending, 0n, whence.SET);
  guest.write(appending, "+third");
  expect(guest.content("f")).toBe("first+second+third");
});

test("O_CREAT makes no directory: a slash behind the name is EISDIR, whatever is there", () => {
  guest.file("f");
  guest.mkdir("d");
  const links = { l: "f", ld: "d", dangling: "none/x", loop: "loop", slash: "d/", up: ".." };
  for (const [name, target] of Object.entries(links)) guest.symlink(target, name);
  for (const name of ["f", "d", "l", "ld", "dangling", "loop", "new", "x".repeat(300), "d/new"]) {
    expect(guest.tryOpen(`${name}/`, open.CREAT), name).toBe("EISDIR");
    expect(guest.tryOpen(`${name}/`, open.CREAT | open.EXCL | open.NOFOLLOW), name).toBe("EISDIR");
  }
  expect(guest.tryOpen("slash", open.CREAT)).toBe("EISDIR");
  // Where it does not end in a name, it is a directory in any case.
  for (const path of ["d/../", "d/./", "/", "."]) {
    expect(guest.tryOpen(path, open.CREAT), path).toBe("EISDIR");
    expect(guest.tryOpen(path, open.CREAT | open.EXCL), path).toBe("EEXIST");
  }
  expect(guest.tryOpen("slash", open.CREAT | open.EXCL)).toBe("EEXIST");
  expect(guest.tryOpen("f/x/", open.CREAT)).toBe("ENOTDIR");
  expect(guest.tryOpen("none/x/", open.CREAT)).toBe("ENOENT");
  expect(guest.tryOpen("f/", open.PATH | open.CREAT)).toBe("ENOTDIR");
});

test("O_DIRECTORY, and directories as files", () => {
  guest.file("f");
  guest.mkdir("d");
  expect(guest.tryOpen("f", open.DIRECTORY)).toBe("ENOTDIR");
  expect(guest.tryOpen("f/x")).toBe("ENOTDIR");
  expect(guest.tryOpen("d", open.WRONLY)).toBe("EISDIR");
  expect(guest.tryOpen("d", open.CREAT)).toBe("EISDIR");
  const fd = guest.open("d", open.DIRECTORY);
  expect(guest.read(fd, 1)).toBe("EISDIR");
  expect(guest.read(fd, 1, 0n)).toBe("EISDIR");
  expect(guest.write(fd, "x")).toBe("EBADF");
});

test("O_PATH names a place and permits nothing", () => {
  guest.file("f", "secret", 0o000);
  const fd = guest.open("f", open.PATH);
  expect(guest.read(fd, 1)).toBe("EBADF");
  expect(guest.seek(fd, 0n, whence.SET)).toBe("EBADF");
  expect(guest.call("ftruncate64", fd, 0n)).toBe("EBADF");
  expect(guest.stat(fd).size).toBe(6);
});

test("permission bits hold for the owner too", () => {
  guest.file("none", "x", 0o000);
  guest.file("read-only", "x", 0o400);
  expect(guest.tryOpen("none")).toBe("EACCES");
  expect(guest.tryOpen("read-only", open.RDWR)).toBe("EACCES");
  expect(guest.tryOpen("read-only", open.RDONLY | open.TRUNC)).toBe("EACCES");
  expect(guest.call("truncate64", guest.path("read-only"), 0n)).toBe("EACCES");
  expect(guest.content("read-only")).toBe("x");
  // The mode of a new file says nothing about the description that made it.
  expect(guest.write(guest.open("fresh", create, 0o000), "x")).toBe(1);
  guest.mkdir("closed");
  guest.file("closed/f");
  guest.chmod("closed", 0o600);
  expect(guest.tryOpen("closed/f")).toBe("EACCES");
  guest.chmod("closed", 0o500);
  expect(guest.tryOpen("closed/new", create)).toBe("EACCES");
  expect(guest.unlink("closed/f")).toBe("EACCES");
});

test.each(["/new", "/mnt/new", "/dev/new"])("the guest can make nothing at %s", (path) => {
  expect(guest.tryOpen(path, create)).toBe("EACCES");
  expect(guest.mkdir(path)).toBe("EACCES");
  expect(guest.symlink("x", path)).toBe("EACCES");
  expect(guest.call("mknodat", -100, guest.path(path), 0o010644, 0)).toBe("EACCES");
  guest.file("/tmp/f");
  expect(guest.rename("/tmp/f", path)).toBe("EXDEV");
});

test("a file that was unlinked lives until it is closed, and then costs nothing", () => {
  const fd = guest.open("f", open.RDWR | open.CREAT);
  guest.write(fd, "x".repeat(10_000));
  expect(guest.unlink("f")).toBe(0);
  expect(guest.tryOpen("f")).toBe("ENOENT");
  expect(guest.stat(fd)).toMatchObject({ nlink: 0, size: 10_000 });
  expect(guest.write(fd, "y", 3n)).toBe(1);
  expect(guest.read(fd, 5, 0n)).toBe("xxxyx");
  expect(guest.scratch.usedBytes).toBeGreaterThan(10_000);
  guest.close(fd);
  expect([guest.scratch.usedBytes, guest.scratch.usedInodes]).toEqual([0, 0]);
});

test("a hole reads as zeros and holds no blocks", () => {
  const fd = guest.open("f", open.RDWR | open.CREAT);
  expect(guest.write(fd, "end", 2n ** 40n)).toBe(3);
  expect(guest.stat(fd).size).toBe(2 ** 40 + 3);
  expect(guest.stat(fd).blocks).toBeLessThan(1000);
  expect(guest.read(fd, 4, 123_456_789n)).toBe("\0\0\0\0");
  expect(guest.read(fd, 9, 2n ** 40n - 1n)).toBe("\0end");
  expect(guest.write(fd, "x", 2n ** 53n)).toBe("EFBIG");
  expect(guest.call("ftruncate64", fd, -1n)).toBe("EINVAL");
  expect(guest.call("ftruncate64", fd, 2n)).toBe(0);
  expect(guest.call("ftruncate64", fd, 4n)).toBe(0);
  expect(guest.read(fd, 9, 0n)).toBe("\0\0\0\0");
});

test("fallocate reserves, and refuses what it cannot", () => {
  const fd = guest.open("f", create);
  expect(guest.call("fallocate", fd, 0, 100n, 900n)).toBe(0);
  expect(guest.stat(fd).size).toBe(1000);
  expect(guest.call("fallocate", fd, 0, 0n, 2n ** 40n)).toBe("ENOSPC");
  expect(guest.call("fallocate", fd, 0, 2n ** 62n, 2n ** 62n)).toBe("EFBIG");
  expect(guest.call("fallocate", fd, 0, 0n, 0n)).toBe("EINVAL");
  expect(guest.call("fallocate", fd, 0, -1n, 5n)).toBe("EINVAL");
  expect(guest.call("fallocate", fd, 3, 0n, 5n)).toBe("ENOTSUP");
});

test("at the quota a write is short, and then ENOSPC", () => {
  const small = new Guest({ quotaBytes: 20_000 });
  const fd = small.open("f", create);
  const written = small.write(fd, "x".repeat(30_000));
  expect(written).toBeGreaterThan(10_000);
  expect(written).toBeLessThan(20_000);
  expect(small.write(fd, "x")).toBe("ENOSPC");
  expect(small.stat(fd).size).toBe(written);
  expect(small.mkdir("d")).toBe("ENOSPC");
});

test("no more descriptors than the limit, and a refused open makes no file", () => {
  const few = new Guest({ openFiles: 5 });
  few.open("a", create);
  expect(() => few.pipe()).toThrow("EMFILE");
  expect(few.openFiles).toBe(4);
  few.open("b", create);
  expect(few.tryOpen("c", create)).toBe("EMFILE");
  expect(few.tryStat("c")).toBe("ENOENT");
});
