// Places that an embedder has built or spread by hand, and guest paths: what makes no sense is an OptionError that names it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FileCapability,
  hostDirectory,
  hostFile,
  hostFunction,
  memoryFile,
  OptionError,
  overlay,
  readOnly,
  Sandbox,
  scratch,
  virtualDirectory,
  virtualFile,
  wrapped,
} from "sandboa";
import { afterAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "bad-places-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "file");
writeFileSync(file, "precious");

const read = hostDirectory(folder, "read");
const one = hostFile(file, "read");
const room = scratch({ bytes: 1 });
const tree = virtualDirectory({ stat: () => ({ kind: "directory", size: 0 }), open: () => ({}) as never });

describe("a place made by hand", () => {
  test.each<[field: string, place: object]>([
    ...["readonly", undefined, "READ", null, "constructor"].map((mode): [string, object] => [
      "mode",
      { ...read, mode },
    ]),
    ...["path", "mode", "maxBytes"].map((name): [string, object] => [name, { ...one, [name]: undefined }]),
    ["mode", { ...one, mode: "readonly" }],
    ["path", { ...one, path: "" }],
    ["path", { ...read, path: "a\0b" }],
    ["maxBytes", { ...one, maxBytes: Number.NaN }],
    ["maxBytes", { ...one, maxBytes: Infinity }],
    ["bytes", { ...one, bytes: 5 }],
    ["growthBytes", { ...read, growthBytes: undefined }],
    ["maxFiles", { ...read, maxFiles: -1 }],
    ["match", { ...read, match: [] }],
    ["match", { ...read, match: null }],
    ["match", { ...read, match: ["../x"] }],
    ["files", { ...read, files: 1 }],
    ["bytes", { kind: "memoryFile", bytes: "text" }],
    ["bytes", { kind: "memoryFile" }],
    ["quotaBytes", { ...room, quotaBytes: Number.NaN }],
    ["maxFiles", { ...room, maxFiles: 0 }],
    ["maxDepth", { ...room, maxDepth: 1e9 }],
    ["maxNameBytes", { ...room, maxNameBytes: 256 }],
    ["open", { kind: "tree" }],
    ["root", { ...tree, root: "link" }],
    ["wrap", { kind: "wrapped", inner: one }],
    ["inner", { kind: "wrapped", inner: room, wrap: () => tree }],
    ["inner", { kind: "wrapped", wrap: () => tree }],
    ["use", { kind: "overlay" }],
  ])("its %s is checked: %#", async (field, place) => {
    const files = { "/x": place as FileCapability };
    const refused = await Sandbox.create({ files, isolation: "inline" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OptionError);
    expect(refused).toMatchObject({ option: `files["/x"].${field}` });
  });

  test("is checked inside of a wrapper and below an overlay, too", async () => {
    const wrong = { ...read, mode: "readonly" } as never;
    for (const place of [readOnly(wrong), overlay(wrong, { bytes: 1 })])
      await expect(Sandbox.create({ files: { "/x": place } })).rejects.toBeInstanceOf(OptionError);
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  test("grants what it was when it was checked", async () => {
    const place = { ...one };
    const content = { kind: "memoryFile", bytes: Buffer.from("first") } as {
      kind: "memoryFile";
      bytes: Uint8Array;
    };
    const files = { "/f": place, "/m": content, "/w": readOnly(content) };
    await using sandbox = await Sandbox.create({ files, isolation: "inline" });
    Object.assign(place, { mode: "update" });
    content.bytes = Buffer.from("other");
    await sandbox.reset();
    expect((await sandbox.run("open('/m').read() + open('/w').read()")).value).toBe("firstfirst");
    expect(sandbox.describe()).toContain("/f: a file to read\n");
  });
});

test.each<[words: string, make: () => unknown, accepted: RegExp]>([
  ["an overlay of memoryFile", () => overlay(memoryFile("x"), { bytes: 1 }), /a folder: hostDirectory/],
  ["an overlay of hostFile", () => overlay(one, { bytes: 1 }), /a folder: hostDirectory/],
  ["an overlay of scratch", () => overlay(room as never, { bytes: 1 }), /scratch with shared: true/],
  [
    "an overlay of a file of functions",
    () =>
      overlay(
        virtualFile(() => "x"),
        { bytes: 1 },
      ),
    /a folder/,
  ],
  ["a wrapped scratch", () => readOnly(room), /scratch with shared: true/],
  ["a wrapped function", () => wrapped({ kind: "function" } as never, (inner) => inner), /hostFile\(…\)/],
])("%s: the message says what is accepted", (_words, make, accepted) => {
  expect(make).toThrow(OptionError);
  expect(make).toThrow(accepted);
});

test("what shows only as the place is opened to be a file or no tree is told, too", async () => {
  const over = overlay(readOnly(memoryFile("x")), { bytes: "1 MiB" });
  const files = (place: FileCapability) => ({ isolation: "worker", files: { "/x": place } }) as const;
  await expect(Sandbox.create(files(over))).rejects.toThrow(/an overlay lies over must be a folder/);
  const listless = wrapped(read, ({ stat, open }) => ({ stat, open, list: 5 }) as never);
  await expect(Sandbox.create(files(listless))).rejects.toMatchObject({ option: 'files["/x"].list' });
});

test("describe tells what was granted, whatever becomes of the options", async () => {
  const files: Record<string, FileCapability> = { "/a": memoryFile("x"), "/w": readOnly(memoryFile("x")) };
  const inner = { f: hostFunction(() => 1) };
  const functions: Record<string, typeof inner | ReturnType<typeof hostFunction>> = {
    inner,
    g: hostFunction(() => 1),
  };
  await using sandbox = await Sandbox.create({ files, functions, isolation: "inline" });
  const before = sandbox.describe();
  expect(before).toMatch(/# host\n.*def g\(.*# host\.inner\n.*def f\(.*\/a: a file to read/s);
  Object.assign(inner, { later: hostFunction(() => 2) });
  Object.assign(functions, { later: null });
  Object.assign(files["/w"] as object, { inner: null });
  files["/b"] = null as never;
  delete files["/a"];
  expect(sandbox.describe()).toBe(before);
});

const deep = (bytes: number): string => `/${"d/".repeat((bytes - 2) / 2)}f`;

test.each<[words: string, path: string]>([
  ["a name of 256 bytes", `/${"x".repeat(256)}`],
  ["a folder's name of 256 bytes", `/${"é".repeat(128)}/f`],
  ["a path of 4097 bytes", deep(4096)],
  ["a surrogate that is no byte", "/a\ud800"],
  ["a high surrogate at the end", "/a\udbff/b"],
  ["a second spelling of UTF-8", "/a\udcc3\udca9"],
])("%s is no guest path", async (_words, path) => {
  const created = Sandbox.create({ files: { [path]: memoryFile("x") }, isolation: "inline" });
  await expect(created).rejects.toMatchObject({ option: `files[${JSON.stringify(path)}]` });
});

test.each(["\ud800", "x\udfff", "\udcc3\udca9"])("%j cannot stand in env", async (text) => {
  for (const env of [{ NAME: text }, { [text]: "value" }])
    await expect(Sandbox.create({ env })).rejects.toMatchObject({
      option: `env[${JSON.stringify(Object.keys(env)[0])}]`,
    });
});

describe.each(["inline", "worker", "process"] as const)("%s", (isolation) => {
  test("names may be as long as Linux has them, and hold bytes that are no text", async () => {
    const paths = [`/${"é".repeat(127)}x`, deep(4094), "/a\udc80", "/t\udcff/s"];
    const files = Object.fromEntries(paths.map((path) => [path, memoryFile("x")] as const));
    files["/room\udc81"] = scratch({ bytes: "64 KiB" }) as never;
    const env = { "N\udc80": "v\udcff", LAST: "é" };
    await using sandbox = await Sandbox.create({ files, env, isolation });
    const source = `
import os
open(b"/room\\x81/f", "w").close()
found = [open(path).read() for path in paths[:1] + paths[2:]], os.path.exists(paths[1])
found, b"a\\x80" in os.listdir(b"/"), os.environb[b"N\\x80"], os.environ["N\\udc80"], os.environ["LAST"]`;
    const { value } = await sandbox.run(source, { inputs: { paths } });
    const bytes = Uint8Array.of(118, 255);
    expect(value).toEqual([[["x", "x", "x"], true], true, bytes, "v\udcff", "é"]);
    expect(await sandbox.files.readText("/a\udc80")).toBe("x");
  });
});
