// New bodies for functions that only report an identity, such as geteuid: one constant.
// The linker merges functions with equal bodies ("return 0" has dozens of names), so a body is replaced only if all of
// its names were asked for; otherwise unrelated functions would change with it.

import { ByteWriter } from "./byte-writer.ts";
import { type Exports, exportKind, findExport } from "./export-section.ts";
import type { FunctionSpace } from "./function-space.ts";
import { ImageFormatError } from "./image-format-error.ts";
import { opcode } from "./instruction.ts";

/** Bodies by function index. `values` holds signed 32-bit integers by export name. */
export function constantBodies(
  values: ReadonlyMap<string, number>,
  exports: Exports,
  functions: FunctionSpace,
): Map<number, Uint8Array> {
  const bodies = new Map<number, Uint8Array>();
  for (const [name, value] of values) {
    const { index } = findExport(exports, name, "function");
    if (index < functions.importedCount) throw new ImageFormatError(`${name} is imported, it has no body`);
    const signature = functions.signature(index);
    if (!signature.endsWith("->i32"))
      throw new ImageFormatError(`${name} is ${signature}; expected one i32 result`);
    checkSoleUse(name, value, values, exports, index);
    bodies.set(index, constantBody(value));
  }
  return bodies;
}

function checkSoleUse(
  name: string,
  value: number,
  values: ReadonlyMap<string, number>,
  exports: Exports,
  index: number,
): void {
  for (const other of exports.values()) {
    const shares = other.kind === exportKind.function && other.index === index;
    if (shares && values.get(other.name) !== value) {
      throw new ImageFormatError(
        `${name} has the same body as ${other.name}, which was not to become ${value}`,
      );
    }
  }
}

function constantBody(value: number): Uint8Array {
  const out = new ByteWriter();
  out.u32(0);
  out.byte(opcode.i32Const);
  out.s32(value);
  out.byte(opcode.end);
  return out.finish();
}
