// fcntl(2) with record locks, as a hostile guest asks for them. Errnos and ranges are those of Linux 6 with native Python 3.11 for the same
// struct flock, on a file of 100 bytes whose descriptor stands at 10.
import { beforeEach, describe, expect, test } from "vitest";
import { fcntl, map, maxOffset, open, protection, whence } from "../abi/flags.ts";
import { GrantedHostFile, HostFileNode } from "../filesystems/host-file.ts";
import type { HeldLock, LockRequest } from "./filesystem.ts";
import { Guest, type Outcome } from "./guest-fixture.ts";

const { RDLCK, WRLCK, UNLCK, GETLK, SETLK, SETLKW } = fcntl;
const { SET, CUR, END } = whence;

let guest: Guest;
let asked: LockRequest[];
let unlocked: number;
/** What somebody else holds. */
let others: HeldLock | undefined;
let fd: number;

beforeEach(() => {
  guest = new Guest();
  asked = [];
  unlocked = 0;
  others = undefined;
  const power = { read: () => 0, write: () => 0, size: () => 100, truncate: () => {}, sync: () => {} };
  const grant = { read: true, write: true, appendOnly: false, maxBytes: 1000 };
  const locks = {
    lock: (request: LockRequest) => {
      asked.push(request);
      return request.kind === "none" ? undefined : others;
    },
    unlock: () => {
      unlocked += 1;
    },
  };
  const file = new HostFileNode(
    guest.skeleton.identity(),
    new GrantedHostFile(power, grant),
    () => 0n,
    locks,
  );
  guest.skeleton.place("/shared", file);
  fd = guest.open("/shared", open.RDWR);
  guest.seek(fd, 10n, SET);
});

function flock(type: number, from: number, start: bigint, length: bigint): number {
  const address = guest.allocate(32);
  guest.memory.setU16(address, type);
  guest.memory.setU16(address + 2, from);
  guest.memory.setI64(address + 8, start);
  guest.memory.setI64(address + 16, length);
  guest.memory.setI32(address + 24, 7);
  return address;
}

function lock(
  type: number,
  from: number,
  start: bigint,
  length: bigint,
  of = fd,
  command: number = SETLK,
): Outcome {
  return guest.fcntl(of, command, flock(type, from, start, length));
}

describe("which bytes", () => {
  const least = -(2n ** 63n);

  test.each<[string, number, bigint, bigint, string | readonly [bigint, bigint]]>([
    ["all", SET, 0n, 0n, [0n, maxOffset]],
    ["some", SET, 5n, 7n, [5n, 11n]],
    ["those before", SET, 5n, -5n, [0n, 4n]],
    ["from the position", CUR, 1n, 5n, [11n, 15n]],
    ["from the end, backwards", END, -100n, 0n, [0n, maxOffset]],
    ["the last there is", SET, maxOffset, 1n, [maxOffset, maxOffset]],
    ["the last, without an end", SET, maxOffset, 0n, [maxOffset, maxOffset]],
    ["before the start", SET, -1n, 0n, "EINVAL"],
    ["before the start by length", SET, 5n, -6n, "EINVAL"],
    ["before the start, from the end", END, -101n, 0n, "EINVAL"],
    ["beyond", SET, maxOffset, 2n, "EOVERFLOW"],
    ["beyond, from the end", END, maxOffset, 1n, "EOVERFLOW"],
    ["beyond, from the position", CUR, maxOffset, 0n, "EOVERFLOW"],
    ["the least numbers", SET, least, least, "EINVAL"],
    ["the least length", SET, 2n, least, "EINVAL"],
    ["from nowhere", 3, 0n, 0n, "EINVAL"],
    ["from less than nowhere", 0xffff, 0n, 0n, "EINVAL"],
  ])("%s", (_, from, start, length, expected) => {
    const outcome = lock(WRLCK, from, start, length);
    if (typeof expected === "string") {
      expect([outcome, asked]).toEqual([expected, []]);
      return;
    }
    const [first, last] = expected;
    expect(outcome).toBe(0);
    expect(asked).toEqual([{ act: "set", kind: "write", first, last, waits: false }]);
  });
});

describe("who may", () => {
  test("a descriptor that reads takes read locks, one that writes write locks; any may look, and let go", () => {
    const reader = guest.open("/shared", open.RDONLY);
    const writer = guest.open("/shared", open.WRONLY);
    expect(lock(WRLCK, SET, 0n, 1n, reader)).toBe("EBADF");
    expect(lock(RDLCK, SET, 0n, 1n, writer)).toBe("EBADF");
    expect(lock(WRLCK, SET, -1n, 1n, reader)).toBe("EINVAL");
    expect(asked).toEqual([]);
    expect(lock(RDLCK, SET, 0n, 1n, reader)).toBe(0);
    expect(lock(UNLCK, SET, 0n, 1n, reader)).toBe(0);
    expect(lock(WRLCK, SET, 0n, 1n, reader, GETLK)).toBe(0);
    expect(lock(9, SET, 0n, 1n)).toBe("EINVAL");
    expect(lock(UNLCK, SET, 0n, 1n, fd, GETLK)).toBe("EINVAL");
    expect(lock(RDLCK, SET, 0n, 1n, guest.open("/shared", open.PATH))).toBe("EBADF");
    expect(guest.fcntl(fd, SETLK, guest.memory.size - 31)).toBe("EFAULT");
    expect(guest.fcntl(fd, GETLK, guest.memory.size - 31)).toBe("EFAULT");
  });

  test("what nobody else can have is never in the way: pipes, folders, a file of its own", () => {
    const [, pipe] = guest.pipe();
    expect([lock(WRLCK, SET, 0n, 0n, pipe), lock(WRLCK, CUR, 0n, 0n, pipe)]).toEqual([0, 0]);
    expect([lock(WRLCK, END, 0n, 0n, pipe), lock(WRLCK, SET, 0n, 0n, pipe, GETLK)]).toEqual([0, 0]);
    const folder = guest.open("/tmp");
    expect([lock(RDLCK, SET, 0n, 0n, folder), lock(WRLCK, SET, 0n, 0n, folder)]).toEqual([0, "EBADF"]);
    guest.file("own");
    const own = guest.open("own", open.RDWR);
    expect([lock(WRLCK, SET, 0n, 0n, own), lock(WRLCK, SET, 0n, 0n, own, GETLK)]).toEqual([0, 0]);
    expect(asked).toEqual([]);
  });
});

describe("when somebody else is in the way", () => {
  test("F_SETLK is EAGAIN; F_GETLK shows where, and nobody's number", () => {
    others = { kind: "write", first: 10n, last: 14n };
    expect(lock(RDLCK, SET, 0n, 0n)).toBe("EAGAIN");
    const address = flock(RDLCK, CUR, 0n, 3n);
    expect(guest.fcntl(fd, GETLK, address)).toBe(0);
    const { memory } = guest;
    const shown = (): unknown[] => [
      memory.getU16(address),
      memory.getU16(address + 2),
      memory.getI64(address + 8),
      memory.getI64(address + 16),
      memory.getI32(address + 24),
    ];
    expect(shown()).toEqual([WRLCK, SET, 10n, 5n, 0]);
    others = { kind: "read", first: 20n, last: maxOffset };
    memory.setU16(address, WRLCK);
    guest.fcntl(fd, GETLK, address);
    expect(shown()).toEqual([RDLCK, SET, 20n, 0n, 0]);
    // Nobody: the type, and nothing else.
    others = undefined;
    memory.setU16(address + 2, CUR);
    guest.fcntl(fd, GETLK, address);
    expect(shown()).toEqual([UNLCK, CUR, 20n, 0n, 0]);
  });

  test("F_SETLKW waits, in short steps, until nobody is", () => {
    others = { kind: "write", first: 0n, last: maxOffset };
    const sleep = guest.power.sleepMs.bind(guest.power);
    guest.power.sleepMs = (milliseconds) => {
      if (guest.power.sleepsMs.length === 9) others = undefined;
      return sleep(milliseconds);
    };
    expect(lock(WRLCK, SET, 0n, 0n, fd, SETLKW)).toBe(0);
    expect(guest.power.sleepsMs).toEqual([1, 2, 4, 8, 16, 20, 20, 20, 20, 20]);
    expect(asked.length).toBe(11);
    expect(asked.every(({ waits }) => waits)).toBe(true);
  });

  test("a signal ends the wait: EINTR", () => {
    others = { kind: "write", first: 0n, last: maxOffset };
    Object.assign(guest.power, { sleepMs: () => false });
    expect(lock(WRLCK, SET, 0n, 0n, fd, SETLKW)).toBe("EINTR");
    expect(asked.length).toBe(1);
  });
});

test("a shared mapping of what somebody else has locked is EAGAIN: it would not show what these write", () => {
  const [allocated, address] = [guest.allocate(4), guest.allocate(4)];
  const { SHARED, PRIVATE } = map;
  const { READ, WRITE } = protection;
  const mapped = (sharing: number, protections: number): Outcome =>
    guest.call("_mmap_js", 100, protections, sharing, fd, 0n, allocated, address);
  expect(mapped(SHARED, READ | WRITE)).toBe(0);
  others = { kind: "read", first: 128n, last: 128n };
  expect([mapped(SHARED, READ | WRITE), mapped(SHARED, READ)]).toEqual(["EAGAIN", "EAGAIN"]);
  expect(mapped(PRIVATE, READ | WRITE)).toBe(0);
});

test("each close of a descriptor ends the locks, whichever it is and whatever else is open", () => {
  const copy = guest.call("dup", fd) as number;
  const other = guest.open("/shared");
  guest.close(copy);
  expect(unlocked).toBe(1);
  guest.close(other);
  expect(unlocked).toBe(2);
  const target = guest.open("/shared");
  guest.call("dup3", fd, target, 0);
  expect(unlocked).toBe(3);
  guest.close(target);
  guest.close(fd);
  expect(unlocked).toBe(5);
});
