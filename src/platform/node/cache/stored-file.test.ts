// Reading into places gives each its part, however many and small they are, and the checksums on the way.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readScattered, sealOf } from "./stored-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-stored-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** More than one readv(2) takes, of 0 to 6 bytes. */
const sizes = Array.from({ length: 2600 }, (_, index) => (index * index) % 7);
const total = sizes.reduce((sum, size) => sum + size, 0);
const content = Uint8Array.from({ length: total }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

async function read(file: Uint8Array, places: readonly Uint8Array[]) {
  const path = join(folder, "file");
  writeFileSync(path, file);
  const fd = openSync(path, "r");
  try {
    return await readScattered(fd, places);
  } finally {
    closeSync(fd);
  }
}

test("every place holds its part", async () => {
  const places = sizes.map((size) => new Uint8Array(size));
  const checksums = await read(Buffer.concat([content, sealOf(crc32(content))]), places);
  expect(Buffer.compare(Buffer.concat(places), content)).toBe(0);
  let end = 0;
  const expected = sizes.map((size) => {
    end += size;
    return crc32(Buffer.from(content.subarray(0, end)));
  });
  expect(checksums).toEqual(expected);
});

test("a file of another size or content is damaged", async () => {
  const whole = Buffer.concat([content, sealOf(crc32(content))]);
  const places = () => sizes.map((size) => new Uint8Array(size));
  const flipped = Buffer.from(whole);
  flipped[total - 1] = (flipped[total - 1] ?? 0) ^ 1;
  const owned = Buffer.concat([content, sealOf(crc32(content), 7)]);
  for (const file of [whole.subarray(1), Buffer.concat([whole, Buffer.alloc(1)]), flipped, owned])
    expect(await read(file, places())).toBe(undefined);
  expect(await read(whole, places())).toHaveLength(sizes.length);
});
