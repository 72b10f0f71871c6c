// What the last opened file was stands until the guest learns or tells anything.
import { expect, test } from "vitest";
import { FirstLook } from "../../filesystems/first-look.ts";
import type { HostFilePower } from "../../filesystems/host-file.ts";
import type { TreeEntry } from "../../filesystems/tree.ts";
import { lookingPowers } from "./looking-powers.ts";

const entry: TreeEntry = { kind: "file", size: 3 };
const content = new Uint8Array([1, 2, 3]);
const file: HostFilePower = {
  read: (target, position) => target.length + position,
  write: (source, position) => source.length + position,
  size: () => 11,
  truncate: () => {},
  sync: () => {},
};
const bytes = new Uint8Array(5);
const look = new FirstLook();
const powers = lookingPowers(look, {
  clock: {
    wallNs: () => 1n,
    monotonicNs: () => 2n,
    sleepMs: (milliseconds) => (milliseconds > 3 ? false : undefined),
  },
  output: {
    write: (stream, written) => {
      expect([stream, written]).toEqual(["stderr", bytes]);
    },
  },
  hostInput: { read: (target) => target.length },
  usageText: () => "usage",
  openHostFile: (_place, number) => (number === 1 ? file : undefined),
  createHostFile: (_place, number) => (number === 2 ? file : expect.unreachable()),
  calls: { call: (frame) => frame.subarray(1) },
});
const place = undefined as never;
const opened = powers.openHostFile(place, 1) as HostFilePower;

test.each<[name: string, use: () => unknown, answer: unknown]>([
  ["the wall clock", () => powers.clock.wallNs(), 1n],
  ["the monotonic clock", () => powers.clock.monotonicNs(), 2n],
  ["sleeping", () => powers.clock.sleepMs(4), false],
  ["output", () => powers.output.write("stderr", bytes), undefined],
  ["input", () => powers.hostInput.read(bytes), 5],
  ["its own use", () => powers.usageText(), "usage"],
  ["a call", () => powers.calls.call(content), content.subarray(1)],
  ["making a granted file", () => powers.createHostFile(place, 2).size(), 11],
  ["reading a granted file", () => opened.read(bytes, 7), 12],
  ["writing one", () => opened.write(bytes, 8), 13],
  ["its size", () => opened.size(), 11],
  ["truncating it", () => opened.truncate(4), undefined],
  ["syncing it", () => opened.sync(), undefined],
])("%s makes it old", (_name, use, answer) => {
  look.keep(6, entry, content);
  expect(look.entry(6)).toBe(entry);
  expect(use()).toEqual(answer);
  expect(look.entry(6)).toBeUndefined();
  expect(look.read(6, bytes, 0)).toBeUndefined();
});

test("a granted file that is not there stays so", () => {
  expect(powers.openHostFile(place, 0)).toBeUndefined();
});

test("it is of one file, all of it, and no more than that", () => {
  look.keep(6, entry, content);
  expect(look.entry(7)).toBeUndefined();
  expect(look.read(7, bytes, 0)).toBeUndefined();
  const target = new Uint8Array(2);
  expect([look.read(6, target, 0), ...target]).toEqual([2, 1, 2]);
  expect([look.read(6, target, 2), ...target]).toEqual([1, 3, 2]);
  expect([look.read(6, target, 3), look.read(6, target, 2 ** 40)]).toEqual([0, 0]);
});

test("who looks often is told anew in the end", () => {
  look.keep(6, entry, content);
  for (let time = 0; time < 8; time++) expect([look.entry(6), look.read(6, bytes, 0)]).toEqual([entry, 3]);
  expect([look.entry(6), look.read(6, bytes, 0)]).toEqual([undefined, undefined]);
  look.keep(6, entry, content);
  expect(look.entry(6)).toBe(entry);
});
