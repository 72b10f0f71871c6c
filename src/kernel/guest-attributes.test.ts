// Attributes, umask, times, access and file mappings as the guest calls them; expected values from stat(2), umask(2),
// utimensat(2), access(2), chmod(2), statfs(2), mmap(2), msync(2).
import { beforeEach, describe, expect, test } from "vitest";
import { access, at, map, mode, open, protection, utime } from "../abi/flags.ts";
import { statBytes, statfsBytes } from "../abi/stat.ts";
import { wasmPageBytes } from "../abi/wasm-pages.ts";
import { descriptionBytes } from "./fd-table.ts";
import { Guest, startWallNs } from "./guest-fixture.ts";
import { mappingBytes } from "./mappings.ts";

let guest: Guest;
beforeEach(() => {
  guest = new Guest();
});
const secondNs = 1_000_000_000n;

test("umask takes bits from every new object, and answers the old mask", () => {
  expect(guest.call("umask_js", 0o077)).toBe(0o022);
  guest.file("f", "", 0o666);
  guest.mkdir("d", 0o777);
  expect(guest.stat("f").mode).toBe(mode.FILE | 0o600);
  expect(guest.stat("d").mode).toBe(mode.DIRECTORY | 0o700);
  expect(guest.call("umask_js", 0o7777)).toBe(0o077);
  expect(guest.call("umask_js", 0)).toBe(0o777);
});

test("only what belongs to the guest can change mode or owner", () => {
  guest.file("f");
  expect(guest.chmod("f", 0o7640)).toBe(0);
  expect(guest.stat("f").mode).toBe(mode.FILE | 0o7640);
  expect(guest.chmod("/", 0o777)).toBe("EPERM");
  expect(guest.chmod("/dev/null", 0o777)).toBe("EPERM");
  const own = (uid: number, gid: number) => guest.call("fchownat", at.FDCWD, guest.path("f"), uid, gid, 0);
  expect(own(-1, -1)).toBe(0);
  expect(own(1000, 1000)).toBe(0);
  expect(own(0, -1)).toBe("EPERM");
  expect(guest.call("fchmodat2", at.FDCWD, guest.path("f"), 0o600, 0x8000)).toBe("EINVAL");
});

test("access answers for the guest", () => {
  guest.file("f", "", 0o400);
  const can = (path: string, wanted: number, flags = 0) =>
    guest.call("faccessat", at.FDCWD, guest.path(path), wanted, flags);
  expect(can("f", 0)).toBe(0);
  expect(can("f", access.READ)).toBe(0);
  expect(can("f", access.WRITE, at.EACCESS)).toBe("EACCES");
  expect(can("f", access.EXECUTE)).toBe("EACCES");
  expect(can("missing", 0)).toBe("ENOENT");
  expect(can("f", 8)).toBe("EINVAL");
  expect(can("/", access.WRITE)).toBe("EACCES");
});

describe("utimensat", () => {
  const set = (path: string, atime: readonly [bigint, number], mtime: readonly [bigint, number]) => {
    const times = guest.allocate(32);
    for (const [index, [seconds, nanoseconds]] of [atime, mtime].entries()) {
      guest.memory.setI64(times + 16 * index, seconds);
      guest.memory.setI32(times + 16 * index + 8, nanoseconds);
    }
    return guest.call("utimensat", at.FDCWD, guest.path(path), times, 0);
  };

  test("sets, keeps and takes the present", () => {
    guest.file("f");
    expect(set("f", [-5n, 0], [12n, 999_999_999])).toBe(0);
    expect(guest.stat("f")).toMatchObject({
      atimeSeconds: -5n,
      mtimeSeconds: 12n,
      mtimeNanoseconds: 999_999_999,
    });
    expect(set("f", [77n, 0], [0n, utime.OMIT])).toBe(0);
    expect(guest.stat("f")).toMatchObject({ atimeSeconds: 77n, mtimeSeconds: 12n });
    guest.power.nowNs += 10n * secondNs;
    expect(set("f", [0n, utime.OMIT], [0n, utime.NOW])).toBe(0);
    expect(guest.stat("f").mtimeSeconds).toBe(startWallNs / secondNs + 10n);
    expect(set("f", [0n, 1_000_000_000], [0n, 0])).toBe("EINVAL");
    expect(set("f", [0n, -1], [0n, 0])).toBe("EINVAL");
    expect(set("missing", [0n, utime.OMIT], [0n, utime.OMIT])).toBe(0);
  });

  test("of an object of somebody else", () => {
    const present = [0n, utime.NOW] as const;
    // Writable by all, so that the present is allowed in principle; the device itself then refuses.
    expect(set("/dev/null", [1n, 0], [1n, 0])).toBe("EPERM");
    // "Like times being NULL" without write permission.
    expect(set("/", present, present)).toBe("EACCES");
    expect(guest.call("utimensat", at.FDCWD, guest.path("/"), 0, 0)).toBe("EACCES");
  });
});

test("statfs tells the quota", () => {
  const target = guest.allocate(statfsBytes);
  const free = () => guest.memory.view.getBigUint64(target + 16, true);
  expect(guest.call("statfs64", guest.path("/tmp"), statfsBytes, target)).toBe(0);
  const before = free();
  expect(guest.memory.view.getBigUint64(target + 8, true)).toBe(1024n);
  guest.file("f", "x".repeat(40_960));
  expect(guest.call("fstatfs64", guest.open("f"), statfsBytes, target)).toBe(0);
  expect(before - free()).toBeGreaterThanOrEqual(10n);
  expect(guest.call("statfs64", guest.path("/tmp"), 84, target)).toBe("EINVAL");
  expect(guest.call("statfs64", guest.path("/"), statfsBytes, guest.memory.size - 8)).toBe("EFAULT");
});

test("a disk without room has a size, which programs divide by", () => {
  const target = guest.allocate(statfsBytes);
  expect(guest.call("statfs64", guest.path("/"), statfsBytes, target)).toBe(0);
  const [blocks, free] = [8, 16].map((field) => guest.memory.view.getBigUint64(target + field, true));
  expect([blocks, free]).toEqual([1n, 0n]);
});

test("stat checks its target first and stays inside of it", () => {
  guest.file("f");
  const target = guest.allocate(statBytes + 16);
  guest.memory.slice(target, statBytes + 16).fill(0xee);
  expect(guest.call("stat64", guest.path("f"), target)).toBe(0);
  expect([...guest.memory.slice(target + statBytes, 16)]).toEqual(new Array(16).fill(0xee));
  expect(guest.call("stat64", guest.path("missing"), guest.memory.size - 95)).toBe("EFAULT");
  expect(guest.call("newfstatat", 1, guest.path(""), target, at.EMPTY_PATH)).toBe("EBADF");
  expect(guest.call("newfstatat", guest.open("f"), guest.path(""), target, at.EMPTY_PATH)).toBe(0);
});

describe("mappings", () => {
  const both = protection.READ | protection.WRITE;
  function mapFile(fd: number, length: number, flags: number, offset = 0n, protections = both) {
    const out = guest.allocate(8);
    const failure = guest.call("_mmap_js", length, protections, flags, fd, offset, out, out + 4);
    return failure === 0 ? guest.memory.getU32(out + 4) : failure;
  }

  test("hold the file, zeros behind it, and are written back within the file's size", () => {
    guest.file("f", "0123456789");
    const fd = guest.open("f", open.RDWR);
    const address = mapFile(fd, 100, map.SHARED) as number;
    const view = guest.memory.slice(address, wasmPageBytes);
    expect(address % 4096).toBe(0);
    expect([...view.subarray(8, 12)]).toEqual([56, 57, 0, 0]);
    view.fill(0x78, 8, 50);
    expect(guest.content("f")).toBe("0123456789");
    expect(guest.call("_msync_js", address, 100, both, map.SHARED, fd, 0n)).toBe(0);
    expect(guest.content("f")).toBe("01234567xx");
    view.fill(0x79, 0, 2);
    expect(guest.call("_munmap_js", address, 100, both, map.SHARED, fd, 0n)).toBe(0);
    expect(guest.content("f")).toBe("yy234567xx");
  });

  test("that are private or read-only are never written back", () => {
    guest.file("f", "0123456789");
    const fd = guest.open("f", open.RDWR);
    const address = mapFile(fd, 10, map.PRIVATE) as number;
    guest.memory.slice(address, 10).fill(0x78);
    guest.call("_msync_js", address, 10, both, map.PRIVATE, fd, 0n);
    guest.call("_munmap_js", address, 10, both, map.PRIVATE, fd, 0n);
    guest.call("_munmap_js", address, 10, protection.READ, map.SHARED, fd, 0n);
    expect(guest.content("f")).toBe("0123456789");
  });

  test("that can only be read put no old copy over what the file has become", () => {
    guest.file("f", "0123456789");
    const fd = guest.open("f", open.RDWR);
    const address = mapFile(fd, 10, map.SHARED, 0n, protection.READ) as number;
    guest.write(fd, "new");
    expect(guest.call("_msync_js", address, 10, protection.READ, map.SHARED, fd, 0n)).toBe(0);
    expect(guest.content("f")).toBe("new3456789");
  });

  test("of a file that is open for appending are written back where they are", () => {
    guest.file("f", "0123456789");
    const fd = guest.open("f", open.RDWR | open.APPEND);
    const address = mapFile(fd, 10, map.SHARED) as number;
    guest.memory.setU8(address, 0x58);
    expect(guest.call("_msync_js", address, 10, both, map.SHARED, fd, 0n)).toBe(0);
    expect(guest.write(fd, "+tail", 0n)).toBe(5);
    guest.memory.setU8(address + 1, 0x59);
    expect(guest.call("_munmap_js", address, 10, both, map.SHARED, fd, 0n)).toBe(0);
    expect(guest.content("f")).toBe("XY23456789+tail");
  });

  test("need the right access, a regular file and a sane range", () => {
    guest.file("f", "x".repeat(5000));
    const [reader, writer] = [guest.open("f"), guest.open("f", open.WRONLY)];
    expect(mapFile(reader, 10, map.SHARED)).toBe("EACCES");
    expect(mapFile(writer, 10, map.PRIVATE, 0n, protection.READ)).toBe("EACCES");
    expect(guest.call("_msync_js", 4096, 10, both, map.SHARED, reader, 0n)).toBe("ENOMEM");
    expect(mapFile(reader, 0, map.PRIVATE)).toBe("EINVAL");
    expect(mapFile(reader, 10, map.PRIVATE, 1n)).toBe("EINVAL");
    expect(mapFile(reader, 10, 0)).toBe("EINVAL");
    expect(mapFile(reader, -1, map.PRIVATE)).toBe("ENOMEM");
    expect(mapFile(guest.pipe()[0], 10, map.PRIVATE)).toBe("ENODEV");
    expect(mapFile(99, 10, map.PRIVATE)).toBe("EBADF");
    const address = mapFile(reader, 10, map.PRIVATE, 4096n) as number;
    expect(guest.memory.getU8(address)).toBe(0x78);
  });

  test("belong to their file, whoever has the descriptor's number by now", () => {
    guest.file("f", "0123456789");
    guest.file("other", "precious!!");
    const fd = guest.open("f", open.RDWR);
    const address = mapFile(fd, 10, map.SHARED) as number;
    guest.close(fd);
    expect(guest.open("other", open.RDWR)).toBe(fd);
    guest.memory.slice(address, 2).fill(0x78);
    expect(guest.call("_msync_js", address, 10, both, map.SHARED, fd, 0n)).toBe(0);
    expect(guest.content("f")).toBe("xx23456789");
    guest.memory.slice(address, 3).fill(0x79);
    expect(guest.call("_munmap_js", address, 10, both, map.SHARED, fd, 0n)).toBe(0);
    expect([guest.content("f"), guest.content("other")]).toEqual(["yyy3456789", "precious!!"]);
    guest.memory.slice(address, 3).fill(0x7a);
    expect(guest.call("_munmap_js", address, 10, both, map.SHARED, fd, 0n)).toBe("ENOMEM");
    expect([guest.content("f"), guest.content("other")]).toEqual(["yyy3456789", "precious!!"]);
  });

  test("of a file that is only read are not written back, and that is no error", () => {
    guest.file("f", "0123456789");
    const fd = guest.open("f");
    const address = mapFile(fd, 10, map.SHARED, 0n, protection.READ) as number;
    guest.memory.slice(address, 2).fill(0x78);
    expect(guest.call("_msync_js", address, 10, protection.READ, map.SHARED, fd, 0n)).toBe(0);
    expect(guest.call("_munmap_js", address, 10, both, map.SHARED, fd, 0n)).toBe(0);
    expect(guest.content("f")).toBe("0123456789");
  });

  test("keep their file open, are charged for, and as many as descriptors", () => {
    const few = new Guest({ openFiles: 5 });
    guest = few;
    few.file("f", "0123456789");
    const before = [few.hostMemory.usedBytes, few.scratch.usedInodes];
    const addresses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const fd = few.open("f", open.RDWR);
      addresses.push(mapFile(fd, 10, map.SHARED) as number);
      few.close(fd);
    }
    expect(new Set(addresses).size).toBe(5);
    const fd = few.open("f", open.RDWR);
    expect(mapFile(fd, 10, map.SHARED)).toBe("ENOMEM");
    few.close(fd);
    const held = 5 * (descriptionBytes + mappingBytes);
    expect(few.hostMemory.usedBytes).toBe((before[0] ?? 0) + held);
    few.unlink("f");
    expect(few.scratch.usedInodes).toBe(1);
    for (const address of addresses.slice(1))
      expect(few.call("_munmap_js", address, 10, both, map.SHARED, 99, 0n)).toBe(0);
    expect(few.scratch.usedInodes).toBe(1);
    few.kernel.process.end();
    expect([few.hostMemory.usedBytes, few.scratch.usedInodes]).toEqual([0, 0]);
  });

  test("that cannot be written back stay, so that the guest can try again", () => {
    const small = new Guest({ quotaBytes: 40_000 });
    guest = small;
    small.file("f", "");
    const fd = small.open("f", open.RDWR);
    expect(small.call("ftruncate64", fd, 200_000n)).toBe(0);
    const address = mapFile(fd, 200_000, map.SHARED) as number;
    small.memory.slice(address, 200_000).fill(0x78);
    expect(small.call("_munmap_js", address, 200_000, both, map.SHARED, fd, 0n)).toBe("ENOSPC");
    expect(small.call("_munmap_js", address, 200_000, both, map.SHARED, fd, 0n)).toBe("ENOSPC");
  });
});
