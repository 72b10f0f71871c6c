// What libffi's cif says about a function: how each argument and the result travel between C and WebAssembly. Read from guest
// memory, so every count, pointer, nesting and type number is hostile; what this returns is plain data of bounded size.
// Source of layouts and numbers: libffi, include/ffi.h (ffi_cif, ffi_type) and src/wasm/ffi.c.
import type { GuestMemory } from "../../abi/guest-memory.ts";
import { fail } from "../kernel-error.ts";

/** `pair` is a long double: two i64. `memory` is a struct: the address of a copy. `none` is void, or a struct without members. */
export type Passing =
  | "i8"
  | "u8"
  | "i16"
  | "u16"
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "pair"
  | "memory"
  | "none";

export interface ForeignType {
  readonly passing: Passing;
  readonly bytes: number;
}

export interface ForeignSignature {
  readonly result: ForeignType;
  readonly fixed: readonly ForeignType[];
  /** Arguments after the "..." of a variadic function. */
  readonly variadic: readonly ForeignType[] | undefined;
}

/** Together with a result pointer and a variadic area this stays below the thousand parameters that engines accept. */
const maxArguments = 480;
const maxNesting = 32;
/** All structs that one call passes: less than the C stack on which they are copied. */
const maxStructBytes = 4 << 20;

const structId = 13;
/** By FFI_TYPE number. 15 (complex) is missing: libffi does not know how to pass it either. */
const scalars: readonly (ForeignType | undefined)[] = [
  { passing: "none", bytes: 0 },
  { passing: "i32", bytes: 4 },
  { passing: "f32", bytes: 4 },
  { passing: "f64", bytes: 8 },
  { passing: "pair", bytes: 16 },
  { passing: "u8", bytes: 1 },
  { passing: "i8", bytes: 1 },
  { passing: "u16", bytes: 2 },
  { passing: "i16", bytes: 2 },
  { passing: "i32", bytes: 4 },
  { passing: "i32", bytes: 4 },
  { passing: "i64", bytes: 8 },
  { passing: "i64", bytes: 8 },
  undefined,
  { passing: "i32", bytes: 4 },
];

/** Throws KernelError or GuestRangeFault for what is no signature. */
export function readSignature(memory: GuestMemory, cif: number): ForeignSignature {
  const start = memory.check(cif, 28);
  const count = memory.getU32(start + 4);
  const fixedCount = memory.getU32(start + 24);
  if (count > maxArguments || fixedCount > count) fail("EINVAL");
  const types = memory.getU32(start + 8);
  if (count > 0) memory.check(types, count * 4);
  const all: ForeignType[] = [];
  let structBytes = 0;
  for (let i = 0; i < count; i++) {
    const type = readType(memory, memory.getU32(types + i * 4));
    if (type.passing === "memory") structBytes += type.bytes;
    if (structBytes > maxStructBytes) fail("E2BIG");
    all.push(type);
  }
  const result = readType(memory, memory.getU32(start + 12));
  if (result.bytes > maxStructBytes) fail("E2BIG");
  return {
    result,
    fixed: all.slice(0, fixedCount),
    variadic: fixedCount < count ? all.slice(fixedCount) : undefined,
  };
}

/** A struct with one member travels as that member, an empty one not at all, every other one in memory. */
function readType(memory: GuestMemory, address: number): ForeignType {
  let type = address;
  for (let depth = 0; depth < maxNesting; depth++) {
    const start = memory.check(type, 12);
    const id = memory.getU16(start + 6);
    if (id !== structId) return scalars[id] ?? fail("EINVAL");
    const members = memory.getU32(start + 8);
    const first = memory.getU32(members);
    if (first === 0) return { passing: "none", bytes: 0 };
    if (memory.getU32(members + 4) !== 0) return { passing: "memory", bytes: memory.getU32(start) };
    type = first;
  }
  return fail("EINVAL");
}

/** Whether the caller hands over the address at which the result is to be stored. */
export function returnsInMemory(signature: ForeignSignature): boolean {
  return signature.result.passing === "memory" || signature.result.passing === "pair";
}
