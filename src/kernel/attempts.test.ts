// What the kernel tells of refused calls: paths made absolute by their letters, addresses as text, and nothing of a call whose
// arguments are none.
import { afterEach, describe, expect, test } from "vitest";
import { at, open } from "../abi/flags.ts";
import { fromLatin1 } from "../abi/guest-memory.ts";
import { bindImports } from "./bind-imports.ts";
import { makeFixture } from "./kernel-fixture.ts";
import { plain } from "./lexical-path.ts";
import type { Refusal } from "./refusals.ts";

const text = 70_000;
const told: Refusal[] = [];
afterEach(() => void told.splice(0));

function guest() {
  const fixture = makeFixture("coarse", 1 << 20, { refused: (refusal) => void told.push(refusal) });
  const { env } = bindImports(fixture.kernel) as { env: Record<string, (...values: unknown[]) => unknown> };
  const write = (bytes: string, address = text): number => {
    fixture.memory.set(fromLatin1(`${bytes}\0`), address);
    return address;
  };
  const call = (name: string, ...values: unknown[]): unknown => env[name]?.(...values);
  return { ...fixture, write, call };
}

describe("a path", () => {
  test.each([
    ["/a", "/a"],
    ["/a//b/./../c/", "/a/c"],
    ["/../../etc", "/etc"],
    ["/a/..", "/"],
    ["/...", "/..."],
    ["/.a/b..", "/.a/b.."],
  ])("%s is %s", (path, absolute) => {
    expect(plain(path)).toBe(absolute);
    const { call, write } = guest();
    call("__syscall_truncate64", write(path), 0n);
    if (absolute !== "/") expect(told).toMatchObject([{ kind: "path", access: "write", path: absolute }]);
  });

  test("is told from where a relative one starts, and not from granted folders", () => {
    const { call, write } = guest();
    call("__syscall_stat64", write("x/../y"), 80_000);
    call("__syscall_chdir", write("/tmp"));
    call("__syscall_stat64", write("z"), 80_000);
    call("__syscall_stat64", write("../z"), 80_000);
    expect(told.map((refusal) => refusal.kind === "path" && refusal.path)).toEqual(["/y", "/z"]);
  });

  test("that is none, or a refusal that no grant changes, is not told", () => {
    const { call, write } = guest();
    call("__syscall_stat64", 0, 80_000);
    call("__syscall_stat64", 2 ** 31, 80_000);
    call("__syscall_stat64", write(""), 80_000);
    call("__syscall_stat64", write("x".repeat(5000)), 80_000);
    call("__syscall_newfstatat", 77, write("rel"), 80_000, 0);
    call("__syscall_openat", at.FDCWD, write("/"), open.WRONLY, 0);
    call("__syscall_mkdirat", at.FDCWD, write("/tmp"), 0o777);
    expect(told).toEqual([]);
  });
});

describe("an address", () => {
  const connect = (bytes: readonly number[], length = bytes.length): unknown => {
    const { call, memory } = guest();
    const fd = call("__syscall_socket", 2, 1, 0, 0, 0, 0);
    memory.set(bytes, text);
    call("__syscall_connect", fd, text, length, 0, 0, 0);
    return told.map((refusal) => (refusal.kind === "network" ? [refusal.host, refusal.port] : refusal));
  };
  const zeros = (count: number): number[] => new Array(count).fill(0);

  test("of version 4", () => {
    expect(connect([2, 0, 0x1f, 0x90, 192, 0, 2, 255, ...zeros(8)])).toEqual([["192.0.2.255", 8080]]);
  });

  // Expected: RFC 5952 and Python's ipaddress.
  test.each([
    [zeros(16), "::"],
    [[...zeros(15), 1], "::1"],
    [[0x20, 1, 0xd, 0xb8, ...zeros(9), 1, 0, 0], "2001:db8::1:0"],
    [[0x20, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1], "2001:0:1::1:1"],
    [[0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1], "1:0:1:1:1:1:1:1"],
    [[0, 1, ...zeros(14)], "1::"],
  ])("of version 6: %j", (bytes, host) => {
    expect(connect([10, 0, 0, 80, 0, 0, 0, 0, ...bytes, 0, 0, 0, 0])).toEqual([[host, 80]]);
  });

  test("that is too short, of another family or out of memory is not told", () => {
    expect(connect([2, 0, 0, 80, 1, 2, 3, 4], 8)).toEqual([]);
    expect(connect([10, 0, ...zeros(26)], 16)).toEqual([]);
    expect(connect([1, 0, ...zeros(26)])).toEqual([]);
    const { call } = guest();
    const fd = call("__syscall_socket", 2, 1, 0, 0, 0, 0);
    for (const address of [0, -1, 2 ** 31, 262_140])
      expect(call("__syscall_connect", fd, address, 28, 0, 0, 0), String(address)).toBe(-40);
    expect(told).toEqual([]);
  });
});

test("look-ups and libraries answer as before, whatever their arguments are", () => {
  const { call, write } = guest();
  for (const address of [0, -1, 2 ** 31, 262_143]) {
    expect(call("getaddrinfo", address, address, 0, 0)).toBe(-2);
    expect(call("_emscripten_lookup_name", address)).toBe(0);
    expect(call("_dlopen_js", address)).toBe(0);
  }
  told.splice(0);
  call("getaddrinfo", write("host.example"), write("443", text + 500), 0, 0);
  call("getaddrinfo", write("host.example"), write("99999", text + 500), 0, 0);
  call("getaddrinfo", write("h".repeat(256)), 0, 0, 0);
  call("_dlopen_js", write("/evil.so") - 36);
  expect(told).toMatchObject([
    { kind: "network", access: "resolve", host: "host.example", port: 443 },
    { kind: "network", access: "resolve", host: "host.example", port: 0 },
    { kind: "library", path: "/evil.so" },
  ]);
});

test("what an observer throws by mistake ends the guest, and does not become an errno", () => {
  const { kernel } = makeFixture("coarse", 1 << 20, {
    refused: () => {
      throw new TypeError("ours");
    },
  });
  const { env } = bindImports(kernel) as { env: Record<string, (...values: unknown[]) => unknown> };
  expect(() => env.__syscall_stat64?.(text, 80_000)).not.toThrow();
  kernel.memory.bytes.set(fromLatin1("/x\0"), text);
  expect(() => env.__syscall_stat64?.(text, 80_000)).toThrow();
  expect(kernel.stopped?.reason.kind).toBe("fault");
});
