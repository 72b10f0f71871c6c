// The global section: what each defined global is, and how imported globals become defined ones
// without a change of any global's index.

import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readValueType } from "./function-types.ts";
import { instructionEnd, opcode } from "./instruction.ts";

export interface DefinedGlobal {
  readonly valueType: string;
  readonly mutable: boolean;
  /** First value of an i32 global, signed; absent for globals of other types. */
  readonly i32?: number;
  /** The entry as it stands in the section. */
  readonly encoded: Uint8Array;
}

export interface GlobalSection {
  readonly entries: readonly DefinedGlobal[];
  /** The entries as they stand, without their number. */
  readonly encoded: Uint8Array;
}

/** All defined globals. First values of more than one instruction are refused: LLVM emits none. */
export function readGlobalSection(reader: ByteReader): GlobalSection {
  const count = reader.u32("number of globals");
  const start = reader.offset;
  const entries: DefinedGlobal[] = [];
  for (let i = 0; i < count; i++) {
    const from = reader.offset;
    const valueType = readValueType(reader);
    const mutable = reader.byte("mutability of a global") === 1;
    const value: Pick<DefinedGlobal, "i32"> = {};
    if (reader.byte("the first value of a global") === opcode.i32Const)
      Object.assign(value, { i32: reader.s32("an i32 constant") });
    else reader.offset = instructionEnd(reader.bytes, reader.offset - 1);
    reader.expect(opcode.end, "the end of a global's first value");
    entries.push({ valueType, mutable, ...value, encoded: reader.bytes.subarray(from, reader.offset) });
  }
  return { entries, encoded: reader.bytes.subarray(start, reader.offset) };
}

const i32Zero = [0x7f, 0x00, opcode.i32Const, 0x00, opcode.end];

/** A mutable i32 global that starts at the largest value: a machine whose host does not refill it runs on it for long. */
const counterGlobal = [0x7f, 0x01, opcode.i32Const, 0xff, 0xff, 0xff, 0xff, 0x07, opcode.end];

/**
 * The content of a global section that has `zeros` immutable i32 globals of value 0 in front of the given ones.
 * Immutable, so that V8 itself proves that no code writes them and a reset has nothing to restore.
 * With `counter` a global to count down in stands behind all others.
 */
export function prependZeroGlobals(section: GlobalSection, zeros: number, counter = false): Uint8Array {
  const out = new ByteWriter(section.encoded.length + zeros * i32Zero.length + 20);
  out.u32(zeros + section.entries.length + (counter ? 1 : 0));
  for (let i = 0; i < zeros; i++) out.bytes(i32Zero);
  out.bytes(section.encoded);
  if (counter) out.bytes(counterGlobal);
  return out.finish();
}

/** The content of the section with an immutable i32 global of that value, below 2^31, behind all others. */
export function appendConstant(section: GlobalSection, value: number): Uint8Array {
  const out = new ByteWriter(section.encoded.length + 20);
  out.u32(section.entries.length + 1);
  out.bytes(section.encoded);
  out.bytes([0x7f, 0x00, opcode.i32Const]);
  out.s32(value);
  out.byte(opcode.end);
  return out.finish();
}
