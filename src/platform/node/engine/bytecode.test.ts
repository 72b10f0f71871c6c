// A bundle is what its source says, with bytecode or without; bytecode is of the same source, whole, and nobody else's.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ImageStore } from "../cache/image-store.ts";
import { loadBundle } from "./bytecode.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-bytecode-"));
  file = join(folder, "bundle.cjs");
  write(1);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (value: number): void =>
  writeFileSync(
    file,
    `"use strict"; const { basename } = require("node:path");
    exports.value = () => ${value}; exports.other = () => { return "another part, which is run by few".toUpperCase(); };
    exports.name = basename(__filename); // the end`,
  );
const cache = (): string => join(folder, "cache");
const load = () => {
  const { exports, hadBytecode, parts, keep } = loadBundle(file, new ImageStore(cache()));
  const { value, name, other } = exports as { value: () => number; name: string; other: () => string };
  return { value: value(), name, hadBytecode, parts, keep, other };
};

test("what one has kept the next one has, who keeps it again only if it is more", () => {
  const first = load();
  expect(first).toMatchObject({ value: 1, name: "bundle.cjs", hadBytecode: false, parts: 0 });
  expect(first.keep(2)).toBe(true);
  const second = load();
  expect(second).toMatchObject({ value: 1, name: "bundle.cjs", hadBytecode: true, parts: 2 });
  expect(second.keep(2)).toBe(false);
  expect(second.other()).toContain("ANOTHER");
  expect(second.keep(3)).toBe(true);
  expect(load()).toMatchObject({ value: 1, hadBytecode: true, parts: 3 });
});

test("the same file in another place has its own: a stack names the place", () => {
  expect(load().keep()).toBe(true);
  const other = join(folder, "other");
  mkdirSync(other);
  file = join(other, "bundle.cjs");
  write(1);
  expect(load()).toMatchObject({ value: 1, hadBytecode: false });
});

test("the file as a whole is kept too, though V8 has dropped what ran once", () => {
  const before = load();
  const text = `const text = "${"a text of the outermost function ".repeat(1000)}"; exports.length = text.length;`;
  writeFileSync(file, `${readFileSync(file, "utf8")}\n${text}`);
  const after = load();
  setFlagsFromString("--expose-gc");
  setFlagsFromString("--stress-flush-code");
  try {
    for (let times = 0; times < 3; times++) runInNewContext("gc()");
  } finally {
    setFlagsFromString("--no-stress-flush-code");
    setFlagsFromString("--no-expose-gc");
  }
  expect([before.keep(), after.keep()]).toEqual([true, true]);
  const sizes = readdirSync(cache()).map((name) => statSync(join(cache(), name)).size);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeGreaterThan(32_000);
});

test("nothing is kept under flags that are not those of its loading", () => {
  const { canKeep, keep } = loadBundle(file, new ImageStore(cache()));
  setFlagsFromString("--stack-size=983");
  try {
    expect([canKeep(), keep()]).toEqual([false, false]);
  } finally {
    setFlagsFromString("--stack-size=984");
  }
  expect([canKeep(), keep()]).toEqual([true, true]);
});

test("another source of the same length has none", () => {
  load().keep();
  write(2);
  expect(load()).toMatchObject({ value: 2, hadBytecode: false });
});

test("damaged bytecode is not there", () => {
  load().keep();
  const [name = ""] = readdirSync(cache());
  const whole = readFileSync(join(cache(), name));
  for (const damaged of [
    whole.subarray(0, 40),
    whole.map((byte, at) => (at === 100 ? byte ^ 1 : byte)),
    Buffer.alloc(0),
  ]) {
    writeFileSync(join(cache(), name), damaged);
    expect(load()).toMatchObject({ value: 1, hadBytecode: false });
  }
});

test("what V8 does not take is made anew", () => {
  load().keep();
  const [name = ""] = readdirSync(cache());
  // Of a source that V8 has not seen in this process, or it would not look at its bytecode.
  const before = crc32(readFileSync(file)).toString(16);
  write(3);
  const other = name.replace(before, crc32(readFileSync(file)).toString(16));
  new ImageStore(cache()).write(other, [Buffer.alloc(1000, 7)]);
  const rejected = load();
  expect(rejected).toMatchObject({ value: 3, hadBytecode: false });
  expect(rejected.keep()).toBe(true);
  expect(load().hadBytecode).toBe(true);
});

test("a folder that others can write to, or that cannot be made, has none and gets none", () => {
  load().keep();
  if (process.getuid) {
    chmodSync(cache(), 0o777);
    const shared = load();
    expect([shared.hadBytecode, shared.keep()]).toEqual([false, false]);
  }
  const nowhere = loadBundle(file, new ImageStore(join(file, "below")));
  expect([nowhere.hadBytecode, nowhere.keep()]).toEqual([false, false]);
});
