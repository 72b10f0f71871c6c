// The boundary as an attacker uses it: raw imports with hostile arguments, against the real kernel and a small memory.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { errno } from "../abi/errno.ts";
import { fromLatin1 } from "../abi/guest-memory.ts";
import { readModuleImports } from "../interpreter/wasm/format/module-imports.ts";
import { bindImports, checkImports, UnknownImportError } from "./bind-imports.ts";
import { GuestStop } from "./guest-stop.ts";
import { type Fixture, makeFixture } from "./kernel-fixture.ts";
import { syscallTable } from "./syscall-table.ts";

type Raw = (...values: (number | bigint)[]) => unknown;

let world: Fixture;
let call: (name: string, ...values: (number | bigint)[]) => unknown;
beforeEach(() => {
  world = makeFixture();
  const imports = bindImports(world.kernel) as Record<string, Record<string, Raw>>;
  call = (name, ...values) => {
    const handler = imports.env?.[name] ?? imports.wasi_snapshot_preview1?.[name];
    return handler?.(...values);
  };
});

function put(address: number, text: string): number {
  world.memory.set(fromLatin1(`${text}\0`), address);
  return address;
}
const path = 1024;
const out = 4096;
const beyond = 1 << 30;

describe("the table", () => {
  test("lists 268 imports once, and exactly what the module imports, besides one of our own", () => {
    const names = syscallTable.map((entry) => `${entry.module}.${entry.name}`);
    expect(names.length).toBe(268 + 1);
    expect(new Set(names).size).toBe(268 + 1);
    const wasm = readFileSync(createRequire(import.meta.url).resolve("pyodide/pyodide.asm.wasm"));
    const imports = readModuleImports(wasm).filter((declared) => declared.module !== "GOT.func");
    expect(() => checkImports(imports)).not.toThrow();
    const imported = imports.map(({ module, name }) => `${module}.${name}`);
    expect(new Set([...imported, "env.sandboa_load_rest"])).toEqual(new Set(names));
  });

  test("refuses an unknown import and a wrong signature", () => {
    const unknown = { module: "env", name: "open_host_file", kind: "function" };
    expect(() => checkImports([unknown])).toThrow(UnknownImportError);
    const changed = { module: "env", name: "exit", kind: "function", signature: "(i64)->void" };
    expect(() => checkImports([changed])).toThrow(UnknownImportError);
  });
});

describe("hostile arguments", () => {
  const hostile = fc.oneof(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.constantFrom(0, -1, 1, 3, 65_535, 65_536, 2 ** 31 - 1, -(2 ** 31), path, out),
  );
  const offered = syscallTable.filter(
    ({ handler, name }) =>
      handler &&
      ![
        "exit",
        "proc_exit",
        "_abort_js",
        "__assert_fail",
        "__syscall_poll",
        "emscripten_get_now",
        // A void function cannot refuse: foreign/hostile-foreign.test.ts.
        "ffi_call_js",
        // The same holds for what gives an object: tests/host-call.test.ts.
        "_PyEM_TrampolineCall_JS",
      ].includes(name),
  );

  test.each(offered.map((entry) => [entry.name, entry] as const))("%s never throws", (name, entry) => {
    const kinds = /^\((.*)\)/.exec(entry.signature)?.[1]?.split(",").filter(Boolean) ?? [];
    const values = kinds.map((kind) =>
      kind === "i64" ? fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) : hostile,
    );
    put(path, "/tmp/a");
    fc.assert(
      fc.property(fc.tuple(...values), (raw) => {
        const result = call(name, ...(raw as (number | bigint)[]));
        expect(["number", "bigint", "object", "undefined"]).toContain(typeof result);
        expect(world.kernel.stopped).toBe(undefined);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["__syscall_openat", () => call("__syscall_openat", -100, put(path, "/tmp/new"), 0o102, beyond)],
    ["__syscall_pipe", () => call("__syscall_pipe", beyond)],
    ["__syscall_pipe at the edge", () => call("__syscall_pipe", world.memory.length - 4)],
  ])("%s with a wild out-pointer makes nothing", (_name, attempt) => {
    const before = world.kernel.process.fds.size;
    for (let i = 0; i < 1000; i++) expect(attempt()).toBe(-errno.EFAULT);
    expect(world.kernel.process.fds.size).toBe(before);
  });

  test("a wild result pointer moves no position and no byte", () => {
    call("__syscall_openat", -100, put(path, "/tmp/f"), 0o102, put(out, "\xa4\x01"));
    expect(call("fd_seek", 3, 5n, 0, beyond)).toBe(errno.EFAULT);
    expect(call("fd_seek", 3, 0n, 1, out)).toBe(0);
    expect(new DataView(world.memory.buffer).getBigInt64(out, true)).toBe(0n);
    new DataView(world.memory.buffer).setUint32(out, path, true);
    new DataView(world.memory.buffer).setUint32(out + 4, 4, true);
    expect(call("fd_write", 3, out, 1, beyond)).toBe(errno.EFAULT);
    expect(call("fd_seek", 3, 0n, 2, out + 64)).toBe(0);
    expect(new DataView(world.memory.buffer).getBigInt64(out + 64, true)).toBe(0n);
  });

  test("vectors that reach beyond the memory are refused whole, and their count is bounded", () => {
    call("__syscall_openat", -100, put(path, "/tmp/f"), 0o102, put(out, "\xa4\x01"));
    const view = new DataView(world.memory.buffer);
    for (let i = 0; i < 1024; i++) {
      view.setUint32(8192 + i * 8, 16, true);
      view.setUint32(8192 + i * 8 + 4, 0xffff_fff0, true);
    }
    expect(call("fd_write", 3, 8192, 1024, out)).toBe(errno.EFAULT);
    expect(call("fd_write", 3, 8192, 1, out)).toBe(errno.EFAULT);
    expect(call("fd_write", 3, 8192, -1, out)).toBe(errno.EINVAL);
    expect(call("fd_write", 3, 8192, 2 ** 30, out)).toBe(errno.EINVAL);
  });

  test("one transfer moves 16 MiB at most, however often its vectors cover the same memory", () => {
    call("__syscall_openat", -100, put(path, "/tmp/f"), 0o102, put(out, "\xa4\x01"));
    call("__syscall_ftruncate64", 3, 2n ** 30n);
    const view = new DataView(world.memory.buffer);
    for (let i = 0; i < 1024; i++) {
      view.setUint32(8192 + i * 8, 65_536, true);
      view.setUint32(8192 + i * 8 + 4, 131_072, true);
    }
    expect(call("fd_read", 3, 8192, 1024, out)).toBe(0);
    expect(view.getUint32(out, true)).toBe(16 * 2 ** 20);
  });
});

describe("the end", () => {
  const refused = syscallTable.filter((entry) => entry.handler === undefined).map((entry) => entry.name);

  test("every refused import stops the guest, and then every import does", () => {
    expect(refused.length).toBeGreaterThan(143);
    for (const name of refused) {
      world = makeFixture();
      const imports = bindImports(world.kernel) as Record<string, Record<string, Raw>>;
      expect(() => imports.env?.[name]?.()).toThrow(GuestStop);
      expect(world.kernel.stopped?.reason).toEqual({ kind: "refused", detail: name });
      expect(() => imports.env?.__syscall_getuid32_js?.()).toThrow(GuestStop);
    }
  });

  test("a trap in the guest's allocator is the guest's crash", () => {
    world.machine.alignedAllocate = () => {
      throw new WebAssembly.RuntimeError("memory access out of bounds");
    };
    call("__syscall_openat", -100, put(path, "/tmp/f"), 0o102, put(out, "\xa4\x01"));
    expect(() => call("_mmap_js", 4096, 3, 1, 3, 0n, out, out + 8)).toThrow(GuestStop);
    expect(world.kernel.stopped?.reason).toEqual({ kind: "trap", detail: "memory access out of bounds" });
  });

  test("an exception of the host stops the guest and tells it nothing", () => {
    world.machine.alignedAllocate = () => {
      throw new TypeError("a secret of the host");
    };
    call("__syscall_openat", -100, put(path, "/tmp/f"), 0o102, put(out, "\xa4\x01"));
    expect(() => call("_mmap_js", 4096, 3, 1, 3, 0n, out, out + 8)).toThrow(GuestStop);
    expect(world.kernel.stopped?.reason.kind).toBe("fault");
  });
});
