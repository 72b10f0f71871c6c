// What a guest makes the host hold stops at one budget and is given back, whichever way it takes.
import { expect, test } from "vitest";
import { open } from "../abi/flags.ts";
import { statfsBytes } from "../abi/stat.ts";
import { descriptionBytes, descriptorBytes } from "./fd-table.ts";
import { Guest } from "./guest-fixture.ts";
import { hoard, hoarder, letGo, type Way, ways } from "./hoarding-fixture.ts";
import { HostMemory } from "./host-memory.ts";
import { KernelError } from "./kernel-error.ts";
import { pipeRingBytes } from "./pipe.ts";

const limitBytes = 300_000;
/** The largest single thing that a step asks for: that much room may be left over. */
const largestStepBytes = 100_000 + descriptionBytes + descriptorBytes;

test.each(Object.entries(ways))("%s stop at the budget", (_, way) => {
  const guest = hoarder(limitBytes);
  const { hostMemory } = guest;
  expect(hoard(guest, way)).toBe(way.refusal);
  const ownLimitBytes = way.refusal === "ENOSPC" ? hostMemory.contentLimitBytes : limitBytes;
  expect(hostMemory.usedBytes).toBeLessThanOrEqual(limitBytes);
  expect(hostMemory.usedBytes).toBeGreaterThan(ownLimitBytes - largestStepBytes);
  expect(hostMemory.peakBytes).toBeLessThanOrEqual(limitBytes);
  letGo(guest);
  expect([hostMemory.usedBytes, guest.scratch.usedBytes, guest.scratch.usedInodes]).toEqual([0, 0, 0]);
});

test("all or nothing, never below zero, and the peak stays", () => {
  const account = new HostMemory(100);
  account.take(60);
  expect([account.contentLimitBytes, account.freeContentBytes]).toEqual([93, 33]);
  const refusalOf = (bytes: number, name?: "ENOSPC"): unknown => {
    try {
      return account.take(bytes, name);
    } catch (error) {
      return error instanceof KernelError ? error.name : error;
    }
  };
  expect([refusalOf(41), refusalOf(34, "ENOSPC"), refusalOf(40)]).toEqual(["ENOMEM", "ENOSPC", undefined]);
  expect([account.freeBytes, account.freeContentBytes, refusalOf(0, "ENOSPC")]).toEqual([0, 0, undefined]);
  account.give(100);
  expect([account.usedBytes, account.peakBytes, account.freeBytes]).toEqual([0, 100, 100]);
  for (const bytes of [1, -1, Number.NaN]) expect(() => account.give(bytes)).toThrow(RangeError);
  for (const bytes of [-1, Number.NaN]) expect(() => account.take(bytes)).toThrow(RangeError);
  for (const limit of [-1, 0.5, Number.NaN]) expect(() => new HostMemory(limit)).toThrow(RangeError);
});

test("an idle process has used nothing, and closing the standard streams changes nothing", () => {
  const guest = new Guest();
  expect([guest.hostMemory.usedBytes, guest.openFiles, guest.kernel.process.fds.peak]).toEqual([0, 3, 3]);
  const copy = guest.call("dup", 1);
  expect([copy, guest.hostMemory.usedBytes]).toEqual([3, descriptorBytes]);
  guest.call("dup3", 1, 2, 0);
  expect(guest.hostMemory.usedBytes).toBe(2 * descriptorBytes);
  for (let fd = 0; fd < 4; fd++) expect(guest.close(fd)).toBe(0);
  expect([guest.hostMemory.usedBytes, guest.openFiles, guest.kernel.process.fds.peak]).toEqual([0, 0, 4]);
});

test("a pipe's ring is charged while it holds something", () => {
  const guest = new Guest();
  const [reader, writer] = guest.pipe();
  const ends = 2 * (descriptionBytes + descriptorBytes);
  expect(guest.hostMemory.usedBytes).toBe(ends);
  guest.write(writer, "ab");
  expect(guest.hostMemory.usedBytes).toBe(ends + pipeRingBytes);
  guest.read(reader, 1);
  expect(guest.hostMemory.usedBytes).toBe(ends + pipeRingBytes);
  guest.read(reader, 1);
  expect(guest.hostMemory.usedBytes).toBe(ends);
  guest.write(writer, "ab");
  guest.close(reader);
  guest.close(writer);
  expect(guest.hostMemory.usedBytes).toBe(0);
});

test("replacing a descriptor with its own description", () => {
  const guest = new Guest();
  guest.file("f", "x");
  const held = guest.hostMemory.usedBytes;
  const fd = guest.open("f");
  const copy = guest.call("dup", fd) as number;
  expect(guest.call("dup3", fd, copy, 0)).toBe(copy);
  expect(guest.hostMemory.usedBytes).toBe(held + descriptionBytes + 2 * descriptorBytes);
  guest.close(fd);
  expect(guest.read(copy, 1)).toBe("x");
  guest.close(copy);
  expect(guest.hostMemory.usedBytes).toBe(held);
});

test("an open that fails in the file system costs nothing and makes nothing", () => {
  const guest = new Guest({ hostMemoryBytes: descriptionBytes + descriptorBytes + 100 });
  expect(guest.tryOpen("new", open.WRONLY | open.CREAT)).toBe("ENOSPC");
  expect([guest.hostMemory.usedBytes, guest.openFiles]).toEqual([0, 3]);
  expect(guest.tryStat("new")).toBe("ENOENT");
});

test("files that fill the account leave room to open, list and remove them", () => {
  const guest = hoarder(limitBytes);
  hoard(guest, ways["file content"] as Way);
  expect(guest.tryOpen("g", open.WRONLY | open.CREAT)).toBe("ENOSPC");
  expect(guest.names(guest.open(".", open.DIRECTORY))).toEqual([".", "..", "f"]);
  guest.close(3);
  expect(guest.unlink("f")).toBe(0);
  guest.file("g", "x");
});

test("two places share one account, and statfs shows the smaller room", () => {
  const guest = new Guest({ hostMemoryBytes: 1 << 20 });
  const freeBlocks = (path: string): bigint => {
    const target = guest.allocate(statfsBytes);
    guest.call("statfs64", guest.path(path), statfsBytes, target);
    return guest.memory.getI64(target + 16);
  };
  expect(guest.scratch.usage()).toMatchObject({ blocks: 240, freeBlocks: 240 });
  guest.file("/mnt/second/f", "x".repeat(65_536));
  expect([freeBlocks("/tmp"), freeBlocks("/mnt/second")]).toEqual([223n, 223n]);
  expect(guest.scratch.usedBytes).toBe(0);
});
