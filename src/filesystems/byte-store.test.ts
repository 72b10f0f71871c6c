// Content in chunks: holes, growth, truncation, reservation, and what each of them costs.
import { expect, test } from "vitest";
import { ByteStore, chunkBytes, maxFileBytes } from "./byte-store.ts";
import { refusal } from "./filesystem-fixture.ts";
import { chunkOverheadBytes, Quota } from "./quota.ts";

function store(quotaBytes: number): { store: ByteStore; quota: Quota } {
  const quota = new Quota(quotaBytes, 1);
  return { store: new ByteStore(quota), quota };
}

function read(from: ByteStore, position: number, length: number): number[] {
  const target = new Uint8Array(length).fill(0xee);
  return [...target.subarray(0, from.read(target, position))];
}

test("a small file takes little, a big one what it is long", () => {
  const small = store(1_000_000);
  small.store.write(new Uint8Array(10), 0);
  expect(small.quota.usedBytes).toBe(64 + chunkOverheadBytes);
  small.store.write(new Uint8Array(300_000), 0);
  const chunks = Math.ceil(300_000 / chunkBytes);
  expect(small.quota.usedBytes - 300_000 - chunks * chunkOverheadBytes).toBeLessThan(64);
});

test("a hole takes nothing and reads as zeros", () => {
  const { store: file, quota } = store(10_000);
  const far = 2 ** 42;
  expect(file.write(Uint8Array.of(7), far)).toBe(1);
  expect(file.sizeBytes).toBe(far + 1);
  expect(quota.usedBytes).toBe(64 + chunkOverheadBytes);
  expect(read(file, far - 3, 10)).toEqual([0, 0, 0, 7]);
  expect(read(file, 12_345, 3)).toEqual([0, 0, 0]);
  expect(read(file, far + 1, 3)).toEqual([]);
  file.truncate(far);
  expect(quota.usedBytes).toBe(0);
  file.write(Uint8Array.of(1), 5);
  file.write(Uint8Array.of(1), far);
  file.truncate(9);
  expect(quota.usedBytes).toBe(64 + chunkOverheadBytes);
});

test("what was cut off never comes back", () => {
  for (const keep of [0, 5, 63, 64, 100, 65_535, 65_536, 65_600]) {
    const { store: file } = store(1_000_000);
    file.write(new Uint8Array(140_000).fill(9), 0);
    file.truncate(keep);
    file.truncate(140_000);
    const after = new Uint8Array(140_000);
    file.read(after, 0);
    expect(after.indexOf(0)).toBe(keep);
    expect(after.lastIndexOf(9)).toBe(keep - 1);
  }
});

test("truncation gives the memory back", () => {
  const { store: file, quota } = store(1_000_000);
  file.write(new Uint8Array(200_000), 0);
  file.truncate(70_000);
  expect(quota.usedBytes).toBeLessThan(70_000 + 64 + 2 * chunkOverheadBytes + 1);
  file.truncate(10);
  expect(quota.usedBytes).toBe(64 + chunkOverheadBytes);
  file.truncate(0);
  expect(quota.usedBytes).toBe(0);
  expect(file.heldBytes).toBe(0);
});

test("at the quota a write writes what fits, to the byte, and then nothing", () => {
  const room = 70_001;
  const { store: file, quota } = store(room + 2 * chunkOverheadBytes);
  expect(file.write(new Uint8Array(100_000).fill(1), 0)).toBe(room);
  expect(quota.freeBytes).toBe(0);
  expect(refusal(() => file.write(new Uint8Array(1), room))).toBe("ENOSPC");
  expect(file.sizeBytes).toBe(room);
  expect(file.write(new Uint8Array(5).fill(2), room - 5)).toBe(5);
  expect(read(file, room - 6, 10)).toEqual([1, 2, 2, 2, 2, 2]);
});

test("a refused write has no effect", () => {
  const { store: file, quota } = store(1000);
  expect(refusal(() => file.write(new Uint8Array(10), 60_000))).toBe("ENOSPC");
  expect([file.sizeBytes, file.heldBytes, quota.usedBytes]).toEqual([0, 0, 0]);
});

test("slack is only taken where it fits", () => {
  const { store: file, quota } = store(10_000);
  file.write(new Uint8Array(6000), 0);
  file.write(new Uint8Array(100), 6000);
  expect(quota.freeBytes).toBeGreaterThan(3000);
});

test("appending single bytes is not quadratic", () => {
  const { store: file } = store(10_000_000);
  const one = new Uint8Array(1);
  let grown = 0;
  let held = 0;
  for (let at = 0; at < 200_000; at++) {
    file.write(one, at);
    if (file.heldBytes !== held) grown += 1;
    held = file.heldBytes;
  }
  expect(grown).toBeLessThan(50);
});

test("allocate reserves or refuses, all or nothing", () => {
  const { store: file, quota } = store(300_000);
  file.write(Uint8Array.of(5), 100_000);
  file.allocate(200_000);
  expect(file.sizeBytes).toBe(200_000);
  expect(read(file, 99_999, 3)).toEqual([0, 5, 0]);
  const used = quota.usedBytes;
  quota.take(quota.freeBytes);
  expect(file.write(new Uint8Array(200_000).fill(3), 0)).toBe(200_000);
  quota.give(quota.usedBytes - used);
  // The bytes alone would fit, with what holding them costs they do not.
  expect(refusal(() => file.allocate(quota.freeBytes + file.heldBytes))).toBe("ENOSPC");
  expect(refusal(() => file.allocate(300_000))).toBe("ENOSPC");
  expect(refusal(() => file.allocate(2 ** 42))).toBe("ENOSPC");
  expect([file.sizeBytes, quota.usedBytes]).toEqual([200_000, used]);
});

test("sizes and positions beyond the limits", () => {
  const { store: file } = store(100_000);
  file.truncate(maxFileBytes);
  expect(refusal(() => file.truncate(maxFileBytes + 1))).toBe("EFBIG");
  expect(refusal(() => file.allocate(maxFileBytes + 1))).toBe("EFBIG");
  expect(refusal(() => file.write(new Uint8Array(1), maxFileBytes))).toBe("EFBIG");
  expect(refusal(() => file.write(new Uint8Array(1), Number.MAX_SAFE_INTEGER))).toBe("EFBIG");
  expect(file.write(new Uint8Array(9), maxFileBytes - 2)).toBe(2);
  expect(read(file, Number.MAX_SAFE_INTEGER, 4)).toEqual([]);
  expect(file.write(new Uint8Array(0), Number.MAX_SAFE_INTEGER)).toBe(0);
  for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(refusal(() => file.read(new Uint8Array(1), wrong))).toBe("EINVAL");
    expect(refusal(() => file.write(new Uint8Array(1), wrong))).toBe("EINVAL");
    expect(refusal(() => file.truncate(wrong))).toBe("EINVAL");
    expect(refusal(() => file.allocate(wrong))).toBe("EINVAL");
  }
});
