// libffi's imports as an attacker calls them: wild pointers, endless types, places that are not its own, floods.
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { errno } from "../../abi/errno.ts";
import { bindImports } from "../bind-imports.ts";
import { GuestStop } from "../guest-stop.ts";
import { type Fixture, makeFixture } from "../kernel-fixture.ts";
import { maxAdapterModules } from "./foreign-functions.ts";
import { maxSlots } from "./table-slots.ts";

type Raw = (...values: (number | bigint)[]) => unknown;

let world: Fixture;
let view: DataView;
let call: (name: string, ...values: (number | bigint)[]) => unknown;
beforeEach(() => {
  world = makeFixture();
  let next = 65_536;
  world.machine.allocate = () => {
    next += 16;
    return next < 131_072 ? next : 65_536;
  };
  view = new DataView(world.memory.buffer);
  const imports = bindImports(world.kernel) as Record<string, Record<string, Raw>>;
  call = (name, ...values) => imports.env?.[name]?.(...values);
});

const cif = 1024;
const types = 2048;
const out = 4096;
const beyond = 1 << 30;
const ids = { void: 0, f64: 3, i32: 10, i64: 12, struct: 13, complex: 15 } as const;

function putType(address: number, id: number, elements = 0): number {
  view.setUint32(address, 8, true);
  view.setUint16(address + 4, 8, true);
  view.setUint16(address + 6, id, true);
  view.setUint32(address + 8, elements, true);
  return address;
}

/** A cif whose argument types stand one after the other. */
function putCif(result: number, args: readonly number[], fixed = args.length): void {
  view.setUint32(cif + 4, args.length, true);
  view.setUint32(cif + 8, types, true);
  view.setUint32(cif + 12, putType(8192, result), true);
  view.setUint32(cif + 24, fixed, true);
  args.forEach((id, index) => {
    view.setUint32(types + index * 4, putType(8208 + index * 16, id), true);
  });
}

function allocate(): { closure: number; slot: number } {
  const closure = call("ffi_closure_alloc_js", 16, out) as number;
  return { closure, slot: view.getUint32(out, true) };
}

describe("a foreign call", () => {
  const number = fc.oneof(
    fc.integer(),
    fc.constantFrom(0, 1, 3, 16, cif, types, out, 8192, 2 ** 31 - 1, -(2 ** 31)),
  );

  test("with any bytes for a signature ends the guest or does nothing", () => {
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 7, maxLength: 7 }),
        fc.array(number, { maxLength: 8 }),
        (words, raw) => {
          world = makeFixture();
          world.machine.table.set(1, world.machine.table.get(0));
          view = new DataView(world.memory.buffer);
          words.forEach((word, index) => {
            view.setInt32(cif + index * 4, word, true);
          });
          const imports = bindImports(world.kernel) as Record<string, Record<string, Raw>>;
          const [a = 0, b = 0, c = 0, d = 0] = raw;
          try {
            imports.env?.ffi_call_js?.(d & 1 ? cif : a, b, c, d);
          } catch (error) {
            expect(error).toBeInstanceOf(GuestStop);
            expect((error as GuestStop).reason.kind).toBe("trap");
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["an unknown type", () => putCif(99, [])],
    ["a complex number", () => putCif(ids.complex, [])],
    ["more arguments than allowed", () => putCif(ids.void, new Array(481).fill(ids.i32))],
    ["more fixed arguments than arguments", () => putCif(ids.void, [ids.i32], 2)],
    ["argument values out of reach", () => putCif(ids.void, [ids.i64])],
    ["a result out of reach", () => putCif(ids.i64, [])],
    [
      "a struct that contains itself",
      () => {
        putCif(ids.struct, []);
        putType(8192, ids.struct, 9000);
        view.setUint32(9000, 8192, true);
        view.setUint32(9004, 0, true);
      },
    ],
    [
      "a struct as large as the address space",
      () => {
        putCif(ids.struct, []);
        putType(8192, ids.struct, 9000);
        view.setUint32(9000, 8208, true);
        view.setUint32(9004, 8208, true);
        view.setUint32(8192, 2 ** 32 - 1, true);
      },
    ],
  ])("with %s ends the guest before it is made", (_name, prepare) => {
    prepare();
    const { closure, slot } = prepared();
    expect(closure).toBeGreaterThan(0);
    prepare();
    expect(() => call("ffi_call_js", cif, slot, beyond, beyond)).toThrow(GuestStop);
    expect(world.kernel.stopped?.reason).toEqual({
      kind: "trap",
      detail: "a foreign call with bad arguments",
    });
  });

  test("of an empty place, or of one beyond the table, ends the guest", () => {
    putCif(ids.void, []);
    for (const index of [0, 3, 4, -1, 2 ** 31 - 1]) {
      expect(() => call("ffi_call_js", cif, index, out, out)).toThrow(GuestStop);
    }
    expect(world.kernel.stopped?.reason.kind).toBe("trap");
  });

  test("with values of the wrong type ends the guest", () => {
    const { slot } = prepared([ids.i64]);
    putCif(ids.void, [ids.i32]);
    view.setUint32(out, out + 64, true);
    expect(() => call("ffi_call_js", cif, slot, out, out)).toThrow(GuestStop);
    expect(world.kernel.stopped?.reason).toMatchObject({ kind: "trap", detail: /wrong type/ });
  });

  test("leaves the C stack where it was", () => {
    const { table, stackPointer } = world.machine;
    // (func (export "f") (param i32 i32 i32 i32))
    const leaf = "0061736d01000000010801600 47f7f7f7f000302010007050101660000 0a040102000b".replaceAll(
      " ",
      "",
    );
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(leaf, "hex")));
    table.set(3, exports.f);
    const before = stackPointer.value;
    putCif(ids.void, [ids.i32, ids.f64], 1);
    view.setUint32(out, 9000, true);
    view.setUint32(out + 4, 9000, true);
    call("ffi_call_js", cif, 3, 0, out);
    expect(stackPointer.value).toBe(before);
    stackPointer.value = 8;
    expect(() => call("ffi_call_js", cif, 3, 0, out)).toThrow(GuestStop);
  });
});

/** A closure that is bound and can be called; its C function is whatever the table holds at 0. */
function prepared(args: readonly number[] = []): { closure: number; slot: number } {
  putCif(ids.void, args);
  const made = allocate();
  expect(call("ffi_prep_closure_loc_js", made.closure, cif, 0, 0, made.slot)).toBe(0);
  return made;
}

describe("closures", () => {
  test("a wild out-pointer takes no place", () => {
    const before = world.machine.table.length;
    for (let i = 0; i < 2000; i++) expect(call("ffi_closure_alloc_js", 16, beyond)).toBe(-errno.EFAULT);
    expect(world.machine.table.length).toBe(before);
  });

  test("memory that is refused takes no place", () => {
    world.machine.allocate = () => 0;
    for (let i = 0; i < 2000; i++) expect(call("ffi_closure_alloc_js", -1, out)).toBe(0);
    expect(world.machine.table.length).toBeLessThanOrEqual(4 + 64);
  });

  test("are bounded in number, and a reset brings back an empty table and the same numbers", () => {
    const { table } = world.machine;
    const first = prepared().slot;
    let made = 1;
    while (call("ffi_closure_alloc_js", 16, out) !== 0) made += 1;
    expect(made).toBe(maxSlots);
    const length = table.length;
    expect(length).toBeLessThanOrEqual(4 + maxSlots + 64);
    world.kernel.restart(world.kernel.process);
    for (let index = 4; index < length; index++) expect(table.get(index)).toBe(null);
    expect(allocate().slot).toBe(first);
    expect(table.length).toBe(length);
  });

  test("can be freed once, and only by their own address", () => {
    const freed: number[] = [];
    world.machine.free = (address) => void freed.push(address);
    const { closure, slot } = prepared();
    view.setUint32(9000, slot, true);
    call("ffi_closure_free_js", 9000);
    expect(world.machine.table.get(slot)).not.toBe(null);
    call("ffi_closure_free_js", closure);
    call("ffi_closure_free_js", closure);
    expect(world.machine.table.get(slot)).toBe(null);
    expect(freed).toEqual([closure]);
    expect(allocate().slot).toBe(slot);
    expect(allocate().slot).toBe(slot + 1);
  });

  test("are bound to their own place only, and not when variadic", () => {
    const { closure, slot } = prepared();
    world.machine.table.set(0, world.machine.table.get(slot));
    for (const code of [0, slot - 1, slot + 1, -1, beyond]) {
      expect(call("ffi_prep_closure_loc_js", closure, cif, 0, 0, code)).toBe(1);
    }
    expect(call("ffi_prep_closure_loc_js", closure, beyond, 0, 0, slot)).toBe(1);
    expect(call("ffi_prep_closure_loc_js", beyond, cif, 0, 0, slot)).toBe(1);
    putCif(ids.void, [ids.i32], 0);
    expect(call("ffi_prep_closure_loc_js", closure, cif, 0, 0, slot)).toBe(1);
  });

  test("invented signatures are bounded in number", () => {
    const { closure, slot } = prepared();
    let compiled = 1;
    for (let i = 0; i < 2 * maxAdapterModules; i++) {
      putCif(
        ids.void,
        [...i.toString(2)].map((bit) => (bit === "1" ? ids.i64 : ids.f64)),
      );
      if (call("ffi_prep_closure_loc_js", closure, cif, 0, 0, slot) === 0) compiled += 1;
    }
    expect(compiled).toBe(maxAdapterModules);
  });
});

describe("symbols", () => {
  test("a name that is not exported, too long, or out of reach is not found", () => {
    const texts: string[] = [];
    world.machine.allocate = () => 65_536;
    world.machine.setDlError = (address) => {
      texts.push(world.kernel.memory.readByteString(address, 200) ?? "");
    };
    world.memory.set(new TextEncoder().encode("%s%n\0"), out);
    expect(call("_dlsym_js", 0, out, 0)).toBe(0);
    world.memory.fill(65, out, out + 300);
    expect(call("_dlsym_js", 0, out, 0)).toBe(0);
    expect(call("_dlsym_js", 0, beyond, 0)).toBe(-errno.EFAULT);
    expect(texts).toEqual([
      expect.stringContaining("undefined symbol: ?s?n ("),
      "undefined symbol: the name is too long",
    ]);
  });

  test("the same name has the same place, and a closure cannot be made of it", () => {
    const { slot: other } = prepared();
    const entry = world.machine.table.get(other);
    world.machine.symbol = (name) => (name === "f" ? entry : name === "data" ? 77 : undefined);
    world.memory.set(new TextEncoder().encode("f\0data\0"), out);
    const place = call("_dlsym_js", 0, out, 0) as number;
    expect(call("_dlsym_js", 0, out, 0)).toBe(place);
    expect(call("_dlsym_js", 0, out + 2, 0)).toBe(77);
    view.setUint32(9000, place, true);
    call("ffi_closure_free_js", 9000);
    expect(world.machine.table.get(place)).toBe(entry);
  });
});
