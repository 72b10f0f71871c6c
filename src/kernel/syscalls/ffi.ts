// libffi's four imports: a call with arguments known only at run time, and callbacks. Only _ctypes uses them, but any guest can
// call them. Nothing here gives a guest power: it calls its own functions, and those reach the outside through imports alone.
import { GuestRangeFault } from "../../abi/guest-memory.ts";
import { callGuest, tableEntry } from "../foreign/call-guest.ts";
import {
  type ForeignSignature,
  type ForeignType,
  readSignature,
  returnsInMemory,
} from "../foreign/signature.ts";
import { GuestStop } from "../guest-stop.ts";
import type { Kernel } from "../kernel.ts";
import { KernelError } from "../kernel-error.ts";

type Values = (number | bigint)[];

const badTypedef = 1;
const closureBytes = 16;
const stackAlignment = 16;

/** ffi_call: (cif*, function, result*, arguments**). It cannot report an error, so bad arguments end the guest, as they do in C. */
export function foreignCall(
  kernel: Kernel,
  cif: number,
  target: number,
  result: number,
  values: number,
): void {
  const entry = tableEntry(kernel, target);
  if (entry === undefined) throw kernel.stop({ kind: "trap", detail: "a foreign call of nothing" });
  const { machine, memory } = kernel;
  const stackPointer = machine.stackPointer.value;
  let signature: ForeignSignature;
  let args: Values;
  try {
    signature = readSignature(memory, cif);
    if (signature.result.bytes > 0) memory.check(result, signature.result.bytes);
    args = new ArgumentList(kernel, signature, values >>> 0, result).values;
  } catch (error) {
    if (!(error instanceof KernelError || error instanceof GuestRangeFault)) throw error;
    throw kernel.stop({ kind: "trap", detail: "a foreign call with bad arguments" });
  }
  kernel.foreign.noteCall();
  const answer = callGuest(kernel, entry, args);
  machine.stackPointer.value = stackPointer;
  if (!returnsInMemory(signature)) storeResult(kernel, signature.result, result, answer);
}

/** Reads the arguments, copies structs and the variadic area to the C stack, and moves the stack pointer below them. */
class ArgumentList {
  readonly values: Values = [];
  readonly #kernel: Kernel;
  #stack: number;

  constructor(kernel: Kernel, signature: ForeignSignature, pointers: number, result: number) {
    const { memory, machine } = kernel;
    this.#kernel = kernel;
    this.#stack = machine.stackPointer.value >>> 0;
    const { fixed, variadic } = signature;
    const count = fixed.length + (variadic?.length ?? 0);
    if (count > 0) memory.check(pointers, count * 4);
    const address = (index: number): number => memory.getU32(pointers + index * 4);
    if (returnsInMemory(signature)) this.values.push(result);
    fixed.forEach((type, index) => {
      this.values.push(...this.#read(type, address(index)));
    });
    if (variadic) this.values.push(this.#variadicArea(variadic, (index) => address(fixed.length + index)));
    machine.stackPointer.value = this.#stack | 0;
  }

  /** None, one or two values. */
  #read(type: ForeignType, at: number): Values {
    const { memory } = this.#kernel;
    if (type.bytes > 0) memory.check(at, type.bytes);
    const { view } = memory;
    switch (type.passing) {
      case "none":
        return [];
      case "memory":
        return [this.#copy(at, type.bytes)];
      case "pair":
        return [view.getBigInt64(at, true), view.getBigInt64(at + 8, true)];
      case "i64":
        return [view.getBigInt64(at, true)];
      case "f64":
        return [view.getFloat64(at, true)];
      case "f32":
        return [view.getFloat32(at, true)];
      case "i32":
        return [view.getInt32(at, true)];
      case "i16":
        return [view.getInt16(at, true)];
      case "u16":
        return [view.getUint16(at, true)];
      case "i8":
        return [view.getInt8(at)];
      case "u8":
        return [view.getUint8(at)];
    }
  }

  /** Each value at its own alignment, structs by address: how clang reads va_arg on wasm32. */
  #variadicArea(types: readonly ForeignType[], address: (index: number) => number): number {
    const { memory } = this.#kernel;
    const places: number[] = [];
    let size = 0;
    for (const { passing, bytes } of types) {
      const held = passing === "memory" ? 4 : Math.max(4, bytes);
      const alignment = Math.min(8, held);
      size = Math.ceil(size / alignment) * alignment;
      places.push(size);
      size += passing === "none" ? 0 : held;
    }
    const area = this.#reserve(size);
    types.forEach((type, index) => {
      const from = address(index);
      const to = area + (places[index] ?? 0);
      if (type.passing === "memory" || type.bytes < 4) {
        for (const value of this.#read(type, from)) memory.setI32(to, Number(value));
      } else memory.slice(to, type.bytes).set(memory.slice(from, type.bytes));
    });
    return area;
  }

  #copy(from: number, bytes: number): number {
    const { memory } = this.#kernel;
    if (bytes > 0) memory.check(from, bytes);
    const to = this.#reserve(bytes);
    memory.bytes.copyWithin(to, from, from + bytes);
    return to;
  }

  #reserve(bytes: number): number {
    this.#stack -= Math.ceil(bytes / stackAlignment) * stackAlignment;
    this.#stack -= ((this.#stack % stackAlignment) + stackAlignment) % stackAlignment;
    if (this.#stack <= 0) throw new GuestRangeFault(this.#stack, bytes);
    return this.#kernel.memory.check(this.#stack, Math.max(1, bytes));
  }
}

/** The callee may have returned anything: what does not fit is converted as a C cast would, and nothing becomes 0. */
function storeResult(kernel: Kernel, type: ForeignType, target: number, answer: unknown): void {
  if (type.bytes === 0) return;
  const { memory } = kernel;
  const at = memory.check(target, type.bytes);
  const { view } = memory;
  const number = typeof answer === "number" ? answer : typeof answer === "bigint" ? Number(answer) : 0;
  switch (type.passing) {
    case "f32":
      view.setFloat32(at, number, true);
      return;
    case "f64":
      view.setFloat64(at, number, true);
      return;
    case "i64":
      view.setBigInt64(at, typeof answer === "bigint" ? BigInt.asIntN(64, answer) : wholeOf(number), true);
      return;
  }
  const integer = typeof answer === "bigint" ? Number(BigInt.asIntN(32, answer)) : number | 0;
  if (type.bytes === 1) view.setInt8(at, integer);
  else if (type.bytes === 2) view.setInt16(at, integer, true);
  else view.setInt32(at, integer, true);
}

function wholeOf(number: number): bigint {
  return Number.isFinite(number) ? BigInt.asIntN(64, BigInt(Math.trunc(number))) : 0n;
}

/** ffi_closure_alloc: (bytes, code**) -> closure*. The table index of the future callback goes to *code and into the closure. */
export function allocateClosure(kernel: Kernel, bytes: number, code: number): number {
  const { machine, memory } = kernel;
  memory.check(code, 4);
  const { foreign } = kernel;
  const slot = foreign.takeSlot();
  if (slot === undefined) return 0;
  const address = machine.allocate(Math.max(bytes >>> 0, closureBytes)) >>> 0;
  if (address === 0) {
    foreign.giveBackSlot(slot);
    return 0;
  }
  foreign.openClosure(slot, memory.check(address, closureBytes));
  memory.setU32(address, slot);
  memory.setU32(code, slot);
  return address;
}

/** ffi_closure_free: a closure that is none, or was freed already, is left alone. */
export function freeClosure(kernel: Kernel, closure: number): void {
  const slot = kernel.memory.getU32(closure);
  if (kernel.foreign.closeClosure(slot, closure >>> 0)) kernel.machine.free(closure);
}

/** ffi_prep_closure_loc: (closure*, cif*, function, user data, code) -> 0, or FFI_BAD_TYPEDEF. */
export function prepareClosure(
  kernel: Kernel,
  closure: number,
  cif: number,
  target: number,
  userData: number,
  code: number,
): number {
  const { memory } = kernel;
  try {
    memory.check(closure, closureBytes);
    const signature = readSignature(memory, cif);
    // No C compiler makes a variadic function out of a callback; Python's ctypes has no way to ask for one.
    if (signature.variadic) return badTypedef;
    if (!kernel.foreign.bindClosure(code >>> 0, closure >>> 0, signature)) return badTypedef;
  } catch (error) {
    if (error instanceof GuestStop || !(error instanceof KernelError || error instanceof GuestRangeFault))
      throw error;
    return badTypedef;
  }
  memory.setU32(closure + 4, cif);
  memory.setU32(closure + 8, target);
  memory.setU32(closure + 12, userData);
  return 0;
}
