// What a grant may add to a folder, and which part of the folder it is about.
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HostTree } from "./host-tree.ts";
import {
  appending,
  FolderFixture,
  listed,
  making,
  readAll,
  reading,
  refusal,
  replacing,
  writeAll,
  writing,
} from "./host-tree-fixture.ts";

let folder: FolderFixture;
beforeEach(() => {
  folder = new FolderFixture();
});
afterEach(() => folder.remove());

const onHost = (...names: string[]): string => join(folder.root, ...names);

test("growth is counted over the whole grant, and not given back", () => {
  const ticket = folder.ticket({ bytes: 10 });
  const tree = new HostTree(ticket);
  writeAll(tree, "hello.txt", "HELLO", writing);
  expect(tree.room()).toMatchObject({ bytes: 10, freeBytes: 10 });
  const file = tree.open("x", making);
  expect(file.write(0, Buffer.from("123456"))).toBe(6);
  expect(file.write(2, Buffer.from("345678"))).toBe(6);
  expect(tree.room().freeBytes).toBe(2);
  expect(file.write(8, Buffer.from("9abcdef"))).toBe(2);
  expect(refusal(() => file.write(10, Buffer.from("b")))).toBe("EDQUOT");
  expect(refusal(() => file.truncate(11))).toBe("EDQUOT");
  expect(file.write(0, Buffer.from("0123456789+"))).toBe(10);
  file.truncate(0);
  expect(refusal(() => file.write(0, Buffer.from("x")))).toBe("EDQUOT");
  file.close();
  tree.remove("x");
  expect(refusal(() => writeAll(tree, "y", "z"))).toBe("EDQUOT");
  expect(tree.room().freeBytes).toBe(0);
});

test("holes count when they are made, and again when they are filled", () => {
  const tree = folder.grant({ bytes: 3_000_000 });
  const file = tree.open("sparse", making);
  file.truncate(2_000_000);
  expect(tree.room().freeBytes).toBe(1_000_000);
  expect(file.write(0, new Uint8Array(600_000))).toBe(600_000);
  expect(file.write(1_000_000, new Uint8Array(600_000))).toBe(400_000);
  expect(refusal(() => file.write(1_500_000, new Uint8Array(1)))).toBe("EDQUOT");
  file.close();
});

test("appending counts from where the end is now", () => {
  const tree = folder.grant({ bytes: 4 });
  const file = tree.open("hello.txt", appending);
  fs.appendFileSync(onHost("hello.txt"), "-host");
  expect(file.write(0, Buffer.from("abcdef"))).toBe(4);
  expect(fs.readFileSync(onHost("hello.txt"), "utf8")).toBe("hello-hostabcd");
  file.close();
});

test("names that a grant may make are counted, too", () => {
  const tree = folder.grant({ files: 3 });
  writeAll(tree, "one", "");
  tree.makeDirectory("two", 0o755);
  expect(refusal(() => tree.makeDirectory("two", 0o755))).toBe("EEXIST");
  tree.makeLink("three", "one");
  const refusals = [
    () => tree.open("x", making),
    () => tree.makeDirectory("x", 0o755),
    () => tree.makeLink("x", "y"),
  ];
  expect(refusals.map(refusal)).toEqual(["EDQUOT", "EDQUOT", "EDQUOT"]);
  tree.rename("one", "moved");
  tree.remove("moved");
  expect(tree.room()).toMatchObject({ files: 3, freeFiles: 0 });
});

test("a quota lasts as long as the grant, whoever uses it", () => {
  const ticket = folder.ticket({ bytes: 3, files: 2 });
  writeAll(new HostTree(ticket), "x", "12");
  const again = new HostTree(structuredClone(ticket));
  expect(again.room()).toMatchObject({ freeBytes: 1, freeFiles: 1 });
});

test("match: what no glob names is not there, and cannot be made", () => {
  fs.writeFileSync(onHost("a", "x.csv"), "1");
  fs.writeFileSync(onHost("a", "b", "x.key"), "private");
  fs.mkdirSync(onHost("empty", "c"), { recursive: true });
  const tree = folder.grant({ match: ["a/*.csv", "a/b/?eep.txt"] });
  expect([listed(tree, ""), listed(tree, "a"), listed(tree, "a/b")]).toEqual([
    ["a:directory"],
    ["b:directory", "x.csv:file"],
    ["deep.txt:file"],
  ]);
  for (const hidden of ["hello.txt", "a/b/x.key", "empty", "empty/c"]) {
    expect(tree.stat(hidden)).toBeUndefined();
    const refusals = [
      () => tree.open(hidden, reading),
      () => tree.open(hidden, writing),
      () => tree.list(hidden),
      () => tree.remove(hidden),
      () => tree.removeDirectory(hidden),
      () => tree.rename(hidden, "a/y.csv"),
      () => tree.change(hidden, { mode: 0o777 }),
      () => tree.readLink(hidden),
    ].map(refusal);
    expect(refusals, hidden).toEqual(
      refusals.map(() => (hidden.includes(".") ? expect.stringMatching(/ENOENT|ENOTDIR/) : "ENOENT")),
    );
    for (const action of [
      () => tree.open(hidden, making),
      () => tree.rename("a/x.csv", hidden),
      () => tree.makeDirectory(hidden, 0o755),
      () => tree.makeLink(hidden, "x"),
    ])
      expect(refusal(action), hidden).toBe("EACCES");
  }
  expect(refusal(() => tree.open("hello.txt", replacing))).toBe("EACCES");
  writeAll(tree, "a/y.csv", "2");
  tree.rename("a/y.csv", "a/z.csv");
  expect(refusal(() => tree.rename("a/b", "a/b.csv"))).toBe("EXDEV");
  expect(readAll(tree, "a/z.csv")).toBe("2");
});
