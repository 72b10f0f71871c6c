// The cache on disk: what is damaged is not there, what cannot be written is no error, and two writers do no harm.
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ImageStore } from "./image-store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const content = new Uint8Array([1, 2, 3, 4]);

test("what was written is read, in shared memory where asked", async () => {
  const store = new ImageStore(join(folder, "made", "by", "it"));
  expect(await store.read("key")).toBe(undefined);
  expect(store.write("key", [content.subarray(0, 2), content.subarray(2)])).toBe(true);
  expect((await store.read("key"))?.content).toEqual(content);
  expect((await store.read("key", { shared: true }))?.content.buffer).toBeInstanceOf(SharedArrayBuffer);
  const target = new Uint8Array(content.length);
  expect([store.size("key"), store.size("none")]).toEqual([content.length, undefined]);
  expect([store.readInto("key", target), store.readInto("none", target)]).toEqual([true, false]);
  expect(target).toEqual(content);
  expect(store.readInto("key", new Uint8Array(content.length - 1))).toBe(false);
});

test("a damaged, shortened or empty file is not there", async () => {
  const store = new ImageStore(folder);
  store.write("key", [content]);
  const whole = readFileSync(join(folder, "key"));
  for (const damaged of [whole.subarray(0, 5), whole.subarray(1), Buffer.alloc(0), Buffer.alloc(8, 1)]) {
    writeFileSync(join(folder, "key"), damaged);
    expect(await store.read("key")).toBe(undefined);
    expect(store.readInto("key", new Uint8Array(content.length))).toBe(false);
  }
  whole[0] = 99;
  writeFileSync(join(folder, "key"), whole);
  expect(await store.read("key")).toBe(undefined);
});

test.each([
  ["is a file", () => folder],
  ["is below a file", () => join(folder, "below")],
  // As root nothing is refused, but there none is made.
  ["cannot be made", () => "/proc/nope/below"],
])("a folder that %s holds nothing, takes nothing and is no error", async (_, place) => {
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "a file");
  const store = new ImageStore(place());
  expect(await store.read("key")).toBe(undefined);
  expect([store.size("key"), store.open("key"), store.openAll(["key"])]).toEqual(Array(3).fill(undefined));
  expect([store.write("key", [content]), store.claim("key")]).toEqual([false, false]);
  expect(store.readInto("key", new Uint8Array(4))).toBe(false);
  expect(typeof store.isPrivate).toBe("boolean");
  store.release("key");
  store.remove("key");
  expect(readFileSync(folder, "utf8")).toBe("a file");
});

test("what belongs to other content is there beside that alone", async () => {
  const store = new ImageStore(folder);
  for (const [key, byte] of [
    ["one", 1],
    ["other", 2],
  ] as const)
    store.write(key, [new Uint8Array(8).fill(byte)]);
  const owner = await store.read("one");
  store.write("key", [content], owner?.checksum);
  expect((await store.readNow("key", store.read("one")))?.content).toEqual(content);
  for (const other of [store.read("other"), store.read("none")])
    expect(await store.readNow("key", other)).toBe(undefined);
  expect(await store.read("key")).toBe(undefined);
});

test("writers leave one whole file and nothing else", async () => {
  const stores = [new ImageStore(folder), new ImageStore(folder)];
  for (const store of stores) expect(store.write("key", [content])).toBe(true);
  expect(readdirSync(folder)).toEqual(["key"]);
  expect((await stores[0]?.read("key"))?.content).toEqual(content);
});

test("what a killed writer left is removed, what another one is writing is not", () => {
  for (const name of ["old.1.a.tmp", "new.2.b.tmp", "old.image"]) writeFileSync(join(folder, name), "x");
  for (const name of ["old.1.a.tmp", "old.image"]) utimesSync(join(folder, name), 1, 1);
  expect(new ImageStore(folder).write("key", [content])).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(["key", "new.2.b.tmp", "old.image"]);
});

test("versions that nobody has read for two months are removed, and files of others are not", () => {
  const key = "0123456789".repeat(4);
  const unread = [`${key}.image`, `${key}.plain.wasm.11.3-x64-ab.code`, "command.cjs.ab.cd.bytecode"];
  const others = ["notes.txt", `${key}`, "0123.image"];
  const read = `${key}.library`;
  const kept = [`${key}.plain.wasm`, `${key}.plain.wasm.rest`];
  for (const name of [...unread, ...others, ...kept, read]) writeFileSync(join(folder, name), "x");
  const monthsAgo = (months: number): Date => new Date(Date.now() - months * 30.5 * 24 * 3_600_000);
  for (const name of [...unread, ...others, kept[1] ?? ""])
    utimesSync(join(folder, name), monthsAgo(3), monthsAgo(5));
  utimesSync(join(folder, read), monthsAgo(1), monthsAgo(5));
  expect(new ImageStore(folder).write("key", [content])).toBe(true);
  expect(readdirSync(folder).sort()).toEqual([...others, ...kept, read, "key"].sort());
});

test("a folder that cannot be written only costs time", async () => {
  writeFileSync(join(folder, "file"), "");
  const store = new ImageStore(join(folder, "file", "below"));
  expect(store.write("key", [content])).toBe(false);
  expect(await store.read("key")).toBe(undefined);
});
