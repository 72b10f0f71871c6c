// Pipes, dup, fcntl, poll and sockets as the guest calls them; expected values from pipe(7), fifo(7), dup(2), fcntl(2),
// poll(2). Where POSIX would block for ever, the kernel answers EAGAIN: nobody could wake the guest.
import { beforeEach, describe, expect, test } from "vitest";
import { at, fcntl, ioctl, mode, open, poll, socket, whence } from "../abi/flags.ts";
import { wasmPageBytes } from "../abi/wasm-pages.ts";
import { Guest } from "./guest-fixture.ts";
import { pipeCapacityBytes } from "./pipe.ts";

let guest: Guest;
beforeEach(() => {
  guest = new Guest();
});
const create = open.RDWR | open.CREAT;
const fifo = (path: string) => guest.call("mknodat", at.FDCWD, guest.path(path), mode.PIPE | 0o600, 0);

describe("pipes", () => {
  test("carry bytes in order, then EAGAIN, then the end", () => {
    const [reader, writer] = guest.pipe();
    expect(guest.read(reader, 4)).toBe("EAGAIN");
    expect(guest.write(writer, ["ab", "cd"])).toBe(4);
    expect(guest.read(reader, 3)).toBe("abc");
    guest.close(writer);
    expect(guest.read(reader, 9)).toBe("d");
    expect(guest.read(reader, 9)).toBe("");
    expect(guest.write(reader, "x")).toBe("EBADF");
    expect(guest.read(reader, 1, 0n)).toBe("ESPIPE");
  });

  test("have an end that breaks", () => {
    const [reader, writer] = guest.pipe();
    const copy = guest.call("dup", reader);
    guest.close(reader);
    expect(guest.write(writer, "x")).toBe(1);
    guest.close(copy as number);
    expect(guest.write(writer, "x")).toBe("EPIPE");
    expect(guest.write(writer, "")).toBe(0);
    expect(guest.poll(writer, poll.OUT)).toBe(poll.OUT | poll.ERR);
  });

  test("hold 64 KiB, across the seam of the ring, and up to 4096 bytes whole or not at all", () => {
    const [reader, writer] = guest.pipe();
    const block = "0123456789abcdef".repeat(4096);
    expect(guest.write(writer, block)).toBe(pipeCapacityBytes);
    expect(guest.write(writer, "x")).toBe("EAGAIN");
    expect(guest.read(reader, 1000)).toBe(block.slice(0, 1000));
    expect(guest.write(writer, "y".repeat(1001))).toBe("EAGAIN");
    expect(guest.write(writer, "z".repeat(4097))).toBe(1000);
    expect(guest.read(reader, 70_000)).toBe(block.slice(1000) + "z".repeat(1000));
  });

  test("with a name are one pipe, whose bytes go when nobody holds it", () => {
    expect(fifo("p")).toBe(0);
    expect(guest.tryOpen("p", open.WRONLY)).toBe("ENXIO");
    const reader = guest.open("p");
    const writer = guest.open("p", open.WRONLY);
    guest.write(writer, "lost");
    expect(guest.read(reader, 2)).toBe("lo");
    guest.close(writer);
    guest.close(reader);
    const both = guest.open("p", open.RDWR);
    expect(guest.read(both, 2)).toBe("EAGAIN");
    expect(guest.call("mknodat", at.FDCWD, guest.path("c"), mode.CHARACTER | 0o600, 0)).toBe("EPERM");
  });
});

describe("dup and fcntl", () => {
  test("share one position and one set of flags", () => {
    guest.file("f", "abcdef");
    const fd = guest.open("f");
    const copy = guest.call("dup", fd) as number;
    expect(guest.read(fd, 2)).toBe("ab");
    expect(guest.read(copy, 2)).toBe("cd");
    guest.close(fd);
    expect(guest.read(copy, 2)).toBe("ef");
    expect(guest.call("dup", fd)).toBe("EBADF");
  });

  test("dup3 replaces what is there", () => {
    const [reader, writer] = guest.pipe();
    const other = guest.open("f", create);
    expect(guest.call("dup3", other, writer, open.CLOEXEC)).toBe(writer);
    expect(guest.read(reader, 1)).toBe("");
    expect(guest.fcntl(writer, fcntl.GETFD)).toBe(fcntl.FD_CLOEXEC);
    expect(guest.call("dup3", other, other, 0)).toBe("EINVAL");
    expect(guest.call("dup3", other, 7, 1)).toBe("EINVAL");
    expect(guest.call("dup3", 50, 7, 0)).toBe("EBADF");
    expect(guest.call("dup3", other, 64, 0)).toBe("EBADF");
    expect(guest.call("dup3", other, -1, 0)).toBe("EBADF");
    expect(guest.call("dup3", other, 63, 0)).toBe(63);
  });

  test("F_DUPFD starts at its argument", () => {
    const fd = guest.open("f", create);
    expect(guest.fcntl(fd, fcntl.DUPFD, 20)).toBe(20);
    expect(guest.fcntl(fd, fcntl.DUPFD_CLOEXEC, 20)).toBe(21);
    expect(guest.fcntl(21, fcntl.GETFD)).toBe(fcntl.FD_CLOEXEC);
    expect(guest.fcntl(fd, fcntl.DUPFD, 64)).toBe("EINVAL");
    expect(guest.fcntl(fd, fcntl.DUPFD, -1)).toBe("EINVAL");
  });

  test("F_SETFL changes O_APPEND and O_NONBLOCK, and no access mode", () => {
    guest.file("f", "abc");
    const fd = guest.open("f", open.WRONLY);
    expect(guest.fcntl(fd, fcntl.SETFL, open.RDWR | open.APPEND | open.TRUNC)).toBe(0);
    expect(guest.fcntl(fd, fcntl.GETFL)).toBe(open.WRONLY | open.APPEND);
    guest.write(fd, "d");
    expect(guest.content("f")).toBe("abcd");
    expect(guest.fcntl(fd, 9999)).toBe("EINVAL");
    expect(guest.fcntl(40, fcntl.GETFL)).toBe("EBADF");
  });

  test("locks ask for the right access mode and never conflict", () => {
    guest.file("f");
    const lock = guest.allocate(32);
    const fd = guest.open("f");
    guest.memory.setU16(lock, fcntl.WRLCK);
    expect(guest.fcntl(fd, fcntl.SETLK, lock)).toBe("EBADF");
    expect(guest.fcntl(fd, fcntl.GETLK, lock)).toBe(0);
    expect(guest.memory.getU16(lock)).toBe(fcntl.UNLCK);
    guest.memory.setU16(lock, 7);
    expect(guest.fcntl(fd, fcntl.SETLKW, lock)).toBe("EINVAL");
    expect(guest.fcntl(fd, fcntl.SETLK, guest.memory.size - 31)).toBe("EFAULT");
  });
});

test("FIONREAD counts what is left; nothing is a terminal", () => {
  const [reader, writer] = guest.pipe();
  guest.write(writer, "abc");
  const varargs = guest.allocate(8);
  guest.memory.setU32(varargs, varargs + 4);
  expect(guest.call("ioctl", reader, ioctl.FIONREAD, varargs)).toBe(0);
  expect(guest.memory.getI32(varargs + 4)).toBe(3);
  for (const fd of [0, 1, 2, reader, guest.open("/dev/null")]) {
    expect(guest.call("ioctl", fd, ioctl.TIOCGWINSZ, varargs)).toBe("ENOTTY");
    const stat = guest.allocate(24);
    expect(guest.call("fd_fdstat_get", fd, stat)).toBe(0);
    expect(guest.memory.getU8(stat)).not.toBe(2);
  }
});

describe("poll", () => {
  test("tells what is ready", () => {
    const [reader, writer] = guest.pipe();
    const all = poll.IN | poll.OUT;
    expect(guest.poll(reader, all)).toBe(0);
    expect(guest.poll(writer, all)).toBe(poll.OUT);
    guest.write(writer, "x".repeat(pipeCapacityBytes - 4095));
    expect(guest.poll(writer, all)).toBe(0);
    expect(guest.poll(reader, all)).toBe(poll.IN);
    guest.close(writer);
    expect(guest.poll(reader, all)).toBe(poll.IN | poll.HUP);
    expect(guest.poll(guest.open("f", create), all)).toBe(all);
    expect(guest.poll(60, all)).toBe(poll.NVAL);
    expect(guest.poll(-1, all)).toBe(0);
  });

  test("sleeps its time when nothing is ready, and not at all otherwise", () => {
    const [reader, writer] = guest.pipe();
    guest.poll(reader, poll.IN, 250);
    expect(guest.power.sleepsMs).toEqual([250]);
    guest.poll(writer, poll.OUT, 250);
    expect(guest.power.sleepsMs).toEqual([250]);
    expect(guest.call("poll", 0, 0, 10)).toBe(0);
    expect(guest.power.sleepsMs).toEqual([250, 10]);
    expect(guest.call("poll", guest.allocate(8), 65, 0)).toBe("EINVAL");
    expect(guest.call("poll", guest.memory.size - 8, 2, 0)).toBe("EFAULT");
  });
});

test("a socket exists and reaches nobody", () => {
  const make = (family: number, type: number, protocol = 0) =>
    guest.call("socket", family, type, protocol, 0, 0, 0);
  const stream = make(socket.AF_INET, socket.STREAM | open.CLOEXEC) as number;
  const datagram = make(socket.AF_INET6, socket.DATAGRAM, 17) as number;
  expect(guest.fcntl(stream, fcntl.GETFD)).toBe(fcntl.FD_CLOEXEC);
  expect(guest.stat(stream).mode & mode.TYPE).toBe(mode.SOCKET);
  expect(guest.call("connect", stream, guest.allocate(16), 16, 0, 0, 0)).toBe("ENETUNREACH");
  expect(guest.call("bind", stream, guest.allocate(16), 16, 0, 0, 0)).toBe("EACCES");
  expect(guest.write(stream, "x")).toBe("ENOTCONN");
  expect(guest.call("sendto", datagram, guest.path("x"), 1, 0, 0, 0)).toBe("ENETUNREACH");
  expect(guest.seek(stream, 0n, whence.SET)).toBe("ESPIPE");
  expect(make(socket.AF_UNIX, socket.STREAM)).toBe("EAFNOSUPPORT");
  expect(make(socket.AF_INET, 3)).toBe("EPROTONOSUPPORT");
  expect(make(socket.AF_INET, socket.STREAM, 17)).toBe("EPROTONOSUPPORT");
  expect(guest.call("connect", 1, 0, 0, 0, 0, 0)).toBe("ENOTSOCK");
});

test("random bytes come in pieces, so that no call into the machine lasts long", () => {
  const guest = new Guest();
  const megabyte = 1 << 20;
  expect(guest.call("random_get", wasmPageBytes, megabyte + 5)).toBe(0);
  expect(guest.filledBytes).toEqual([megabyte, 5]);
  expect(guest.memory.getU8(wasmPageBytes + megabyte + 4)).toBe(7);
});
