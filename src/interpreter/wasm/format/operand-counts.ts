// How many operands an instruction takes and leaves, for a pass that must know which instruction made an operand. Instructions
// whose counts depend on a type, and those after which nothing is reached, are the pass's own to handle.

import { ImageFormatError } from "./image-format-error.ts";
import { numberAt, opcode } from "./instruction.ts";

/** By opcode: 16 * taken + left + 1; 0 where the opcode alone does not tell. */
const counts = new Uint8Array(256);

function declare(taken: number, left: number, first: number, last = first): void {
  counts.fill(16 * taken + left + 1, first, last + 1);
}

declare(0, 0, 0x01); // nop
declare(1, 0, opcode.brIf);
declare(1, 0, opcode.drop);
declare(3, 1, 0x1b, 0x1c); // select
declare(0, 1, opcode.localGet);
declare(1, 0, opcode.localSet);
declare(1, 1, opcode.localTee);
declare(0, 1, opcode.globalGet);
declare(1, 0, opcode.globalSet);
declare(1, 1, 0x25); // table.get
declare(2, 0, opcode.tableSet);
declare(1, 1, 0x28, 0x35); // loads
declare(2, 0, 0x36, 0x3e); // stores
declare(0, 1, 0x3f); // memory.size
declare(1, 1, 0x40); // memory.grow
declare(0, 1, 0x41, 0x44); // constants
declare(1, 1, 0x45); // i32.eqz
declare(2, 1, 0x46, 0x4f);
declare(1, 1, 0x50); // i64.eqz
declare(2, 1, 0x51, 0x66);
declare(1, 1, 0x67, 0x69); // i32.clz, ctz, popcnt
declare(2, 1, 0x6a, 0x78);
declare(1, 1, 0x79, 0x7b); // i64.clz, ctz, popcnt
declare(2, 1, 0x7c, 0x8a);
declare(1, 1, 0x8b, 0x91); // f32.abs to sqrt
declare(2, 1, 0x92, 0x98);
declare(1, 1, 0x99, 0x9f); // f64.abs to sqrt
declare(2, 1, 0xa0, 0xa6);
declare(1, 1, 0xa7, 0xc4); // conversions
declare(0, 1, 0xd0); // ref.null
declare(1, 1, 0xd1); // ref.is_null
declare(0, 1, opcode.refFunc);

/** The same by the number behind `prefixMemory`: conversions, then bulk instructions of memory and of tables. */
const prefixed: readonly number[] = [
  ...new Array<number>(8).fill(0x12),
  ...[0x31, 0x01, 0x31, 0x31, 0x31, 0x01, 0x31, 0x22, 0x02, 0x31],
];

interface OperandCounts {
  readonly taken: number;
  readonly left: number;
}

/** Throws ImageFormatError for an instruction that the opcode alone does not tell of. */
export function operandCounts(bytes: Uint8Array, at: number): OperandCounts {
  const code = bytes[at] ?? 0;
  const count = (code === opcode.prefixMemory ? prefixed[numberAt(bytes, at + 1)] : counts[code]) ?? 0;
  if (count === 0) throw new ImageFormatError(`the operands of opcode 0x${code.toString(16)} are not known`);
  return { taken: count >> 4, left: (count & 15) - 1 };
}
