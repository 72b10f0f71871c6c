// Random bytes come from the system's device, and from node:crypto where there is none; none is given twice.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fillFromDevice, fillRandom, nodeEntropy } from "./entropy.ts";

test("no piece of entropy is given twice, whatever its size, and any byte may come", () => {
  const blocks: string[] = [];
  for (let index = 0; index < 3000; index++) {
    const piece = new Uint8Array(16 * (1 + ((index * 7) % 70)));
    nodeEntropy.fill(piece);
    for (let at = 0; at < piece.length; at += 16)
      blocks.push(Buffer.from(piece.subarray(at, at + 16)).toString("hex"));
  }
  expect(new Set(blocks).size).toBe(blocks.length);
  expect(new Set(blocks.map((block) => block.slice(-2))).size).toBe(256);
});

test("fills the last byte, too, of what is larger than one read gives", () => {
  // getrandom(2) and the device may give less than asked for above 256 bytes.
  const target = new Uint8Array((1 << 20) + 3);
  fillRandom(target);
  const seen = Array.from({ length: 17 }, (_, index) => target.subarray(index * 61_681).slice(0, 16));
  expect(seen.filter((piece) => piece.every((byte) => byte === 0))).toEqual([]);
  expect(target.subarray(-16).some((byte) => byte !== 0)).toBe(true);
});

test.skipIf(process.platform === "win32")("a file that only has the name of the device is none", () => {
  const file = join(tmpdir(), `urandom-${process.pid}`);
  writeFileSync(file, new Uint8Array(64));
  const target = new Uint8Array(16);
  expect(fillFromDevice(target, file)).toBe(false);
  rmSync(file);
  expect(fillFromDevice(target, file)).toBe(false);
  // One that gives bytes as readily, and always the same.
  expect(process.platform === "linux" && fillFromDevice(target, "/dev/zero")).toBe(false);
  expect([...target]).toEqual(Array(16).fill(0));
  expect(existsSync("/dev/urandom") && fillFromDevice(target, "/dev/urandom")).toBe(true);
  expect(target.some((byte) => byte !== 0)).toBe(true);
});
