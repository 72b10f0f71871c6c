// The memory that an image is read into is the one that it would have been copied to; a damaged file gives none.
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ImageError } from "../../errors/image-error.ts";
import { decodeImage, decodeLayout, encodeImage } from "../../interpreter/image-file.ts";
import { loadForm } from "../../interpreter/metered-fixture.ts";
import { eachRun } from "../../interpreter/snapshot.ts";
import { ImageStore } from "../../platform/node/cache/image-store.ts";
import { idlePlan } from "../plan.ts";
import { endingOf } from "../run-ending.ts";
import { encodeRun } from "../run-request.ts";
import { openInline } from "../walls/inline-wall.ts";
import type { Wall } from "../walls/wall.ts";
import type { LoadedImage } from "./image-cache.ts";
import { PrefilledImage } from "./prefilled-image.ts";

let folder: string;
let store: ImageStore;
let whole: Uint8Array;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-prefilled-"));
  store = new ImageStore(folder);
  whole = new Uint8Array((await loadForm(false)).image);
  store.write("whole", [whole]);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = async (name: string): Promise<PrefilledImage> => {
  const image = await PrefilledImage.read(store, name);
  if (image === undefined) throw new Error("the image was not read");
  return image;
};
/** Descriptors of this process that are open on that file. */
const openOn = (name: string): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === join(folder, name);
    } catch {
      // That of the listing itself is closed by now.
      return false;
    }
  }).length;

test("the memory holds the snapshot, once, and the rest is read when it is asked for", async () => {
  const image = await read("whole");
  const { snapshot } = decodeImage(whole);
  const expected = Buffer.alloc(snapshot.memoryBytes);
  eachRun(snapshot.runs, (start, length, at) =>
    expected.set(snapshot.content.subarray(at, at + length), start),
  );
  const { memory, holdsSnapshot } = image.takeMemory() ?? {};
  expect(holdsSnapshot).toBe(true);
  expect(Buffer.compare(Buffer.from(memory?.buffer ?? new ArrayBuffer(0)), expected)).toBe(0);
  expect(image.takeMemory()).toBe(undefined);

  let asked = 0;
  const decoded = decodeImage(image.bytes, () => {
    asked += 1;
    image.complete();
  });
  expect(decoded.rehash).toEqual(decodeImage(whole).rehash);
  expect([asked, openOn("whole")]).toEqual([0, 1]);
  expect(Buffer.compare(decoded.snapshot.content, snapshot.content)).toBe(0);
  expect([asked, openOn("whole")]).toEqual([1, 0]);
  image.complete();
  expect(Buffer.compare(image.bytes, whole)).toBe(0);
});

test("a file that is damaged anywhere, or is none, gives nothing and stays open nowhere", async () => {
  const bytes = Buffer.from(readFileSync(join(folder, "whole")));
  const damaged = async (content: Uint8Array): Promise<void> => {
    writeFileSync(join(folder, "damaged"), content);
    expect(await PrefilledImage.read(store, "damaged")).toBe(undefined);
    expect(openOn("damaged")).toBe(0);
  };
  const places = fc.oneof(fc.nat(300), fc.nat(20_000), fc.nat(bytes.length - 1));
  await fc.assert(
    fc.asyncProperty(places, fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ change;
      await damaged(copy);
    }),
    { numRuns: 40 },
  );
  for (const length of [0, 3, 5, 4000, 20_000, bytes.length - 1]) await damaged(bytes.subarray(0, length));
  await damaged(Buffer.concat([bytes, Buffer.alloc(1)]));
  expect(await PrefilledImage.read(store, "missing")).toBe(undefined);
});

test("a file whose beginning lies, with a checksum that fits, reaches nothing outside of the memory", async () => {
  const image = decodeImage(whole);
  const { snapshot } = image;
  const lies = [
    { memoryBytes: 2 ** 40 },
    { memoryBytes: -65_536 },
    { memoryBytes: 65_536 },
    { runs: snapshot.runs.map((word) => word ^ 0xffff_0000) },
    { runs: snapshot.runs.subarray(2) },
  ];
  for (const lie of lies) {
    // The content stands behind a getter of its own.
    const { content } = snapshot;
    const made = { ...snapshot, content, ...lie };
    store.write("lie", [encodeImage({ ...image, snapshot: made })]);
    expect(await PrefilledImage.read(store, "lie")).toBe(undefined);
  }
});

test("what was damaged in the meantime is noticed", async () => {
  store.write("changed", [whole]);
  const image = await read("changed");
  const { end } = decodeLayout(whole);
  const fd = openSync(join(folder, "changed"), "r+");
  writeSync(fd, Buffer.of(0x5a, 0x5a, 0x5a, 0x5a), 0, 4, end - 5000);
  closeSync(fd);
  expect(() => image.complete()).toThrow(ImageError);
  expect(() => image.complete()).toThrow("damaged while it was in use");
});

test("a file that was replaced or removed is still the one that was read", async () => {
  store.write("replaced", [whole]);
  const image = await read("replaced");
  store.write("replaced", [whole.subarray(0, 5000)]);
  store.remove("replaced");
  image.complete();
  expect(crc32(image.bytes)).toBe(crc32(whole));
});

test("the first inline sandbox starts in it, and is reset like any other; a second one needs the rest", async () => {
  const loaded = await loadForm(true);
  store.write("inline", [new Uint8Array(loaded.image)]);
  const prefilled = await read("inline");
  const image: LoadedImage = { ...loaded, prefilled, image: prefilled.bytes };
  const plan = { ...idlePlan, limits: { ...idlePlan.limits, memoryBytes: 2 ** 27, wallMs: 20_000 } };
  const evaluate = async (wall: Wall): Promise<unknown> => {
    await wall.begin(plan);
    const source = "import json\nleft = globals().get('planted')\nplanted = 7\n[json.dumps([1]), left]";
    const ending = endingOf(await wall.run(encodeRun(source, {}), () => {}), plan, undefined);
    return "error" in ending ? ending.error : ending.value;
  };
  const first = openInline(image);
  expect(prefilled.takeMemory()).toBe(undefined);
  expect(await evaluate(first)).toEqual(["[1]", null]);
  expect(openOn("inline")).toBe(1);
  await first.reset();
  expect(openOn("inline")).toBe(0);
  expect(await evaluate(first)).toEqual(["[1]", null]);
  expect(await evaluate(openInline(image))).toEqual(["[1]", null]);
});
