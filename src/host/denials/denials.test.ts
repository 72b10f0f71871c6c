// Denials as the host takes them from a wall: bounded, quoted, and with a suggestion that is no more than a suggestion.
import { expect, test } from "vitest";
import { hostFile, memoryFile, scratch } from "../../capabilities/files.ts";
import type { FileDenial } from "./denials.ts";
import { DenialRecord } from "./denials.ts";
import { maxDenials, type RawDenial } from "./raw-denial.ts";

const raw: RawDenial = { kind: "file", access: "read", name: "/x", port: 0, place: 0, errno: 44, count: 1 };

test("no more are kept than one lifetime may have, whatever a process says", () => {
  const record = new DenialRecord([]);
  let news = 0;
  for (let i = 0; i < 2 * maxDenials; i++) if (record.take({ ...raw, name: `/${i}` })) news += 1;
  expect(news).toBe(maxDenials);
  record.untold(5);
  const { denials, dropped } = record.report();
  expect([denials.length, dropped]).toEqual([maxDenials, maxDenials + 5]);
});

test("one that came again is no news, and has the later count", () => {
  const record = new DenialRecord([]);
  expect(record.take(raw)).toMatchObject({ count: 1 });
  expect(record.take({ ...raw, count: 7 })).toBeUndefined();
  expect(record.report().denials).toMatchObject([{ path: "/x", count: 7 }]);
});

test("places and errnos that are none, and kinds that do not go with what they tell of, become no more than words", () => {
  const record = new DenialRecord([["/t", scratch({ bytes: 1 })]]);
  record.take({ ...raw, place: 99, errno: 12_345 });
  record.take({ ...raw, kind: "quota", access: "bytes", place: 99 });
  record.take({ ...raw, kind: "quota", access: "files", place: 0 });
  expect(record.report().denials).toMatchObject([
    { kind: "file", errno: "EIO", allowedBy: 'files: { "/x": hostFile("/x", "read") }' },
    { kind: "quota", path: undefined, option: "limits.hostMemory" },
    { kind: "quota", path: undefined, option: "files", allowedBy: undefined },
  ]);
});

test.each([
  ["/plain-1.csv", "--read /plain-1.csv", '"/plain-1.csv"'],
  ["/a b'c", "--read '/a b'\\''c'", `"/a b'c"`],
  ["/$(rm -rf)`x`", "--read '/$(rm -rf)`x`'", '"/$(rm -rf)`x`"'],
  ['/"),evil("', `--read '/"),evil("'`, '"/\\"),evil(\\""'],
  ["/line\n", undefined, '"/line\\n"'],
])("%j is quoted for the shell and for TypeScript", (name, flag, quoted) => {
  const denial = new DenialRecord([]).take({ ...raw, name }) as FileDenial;
  expect(denial.flag).toBe(flag);
  expect(denial.allowedBy).toBe(`files: { ${quoted}: hostFile(${quoted}, "read") }`);
});

test.each<[Parameters<typeof hostFile>[1], RawDenial["access"], string | undefined]>([
  ["read", "write", "update"],
  ["read", "append", "update"],
  ["write", "read", "update"],
  ["append", "write", "write"],
  ["append", "update", "update"],
  ["create", "remove", undefined],
  ["read", "change", undefined],
  ["write", "write", undefined],
])("a file granted to %s, refused for %s, needs %s", (had, access, mode) => {
  const record = new DenialRecord([["/f", hostFile("./host.txt", had)]]);
  const denial = record.take({ ...raw, name: "/f", access, place: 1 });
  const allowedBy = mode && `files: { "/f": hostFile("./host.txt", "${mode}") }`;
  expect(denial?.allowedBy).toBe(allowedBy);
  expect(denial?.flag).toBe(mode && `--${mode} ./host.txt:/f`);
});

test.each<[RawDenial["access"], string | undefined]>([
  ["write", 'files: { "/m": hostFile("…", "update") }'],
  ["remove", undefined],
  ["change", undefined],
  ["makeDirectory", undefined],
])("a given file, refused for %s", (access, allowedBy) => {
  const record = new DenialRecord([["/m", memoryFile("given")]]);
  expect(record.take({ ...raw, name: "/m", access, place: 1 })).toMatchObject({ allowedBy, flag: undefined });
});
