// The way from Python to the host: one more index of the function table, at which stands the import that the trampoline needs no more.
// A C function of Python's that points there takes (self, argument, ...) and gives an object.

import type { ByteReader } from "./format/byte-reader.ts";
import { ByteWriter } from "./format/byte-writer.ts";
import { ImageFormatError } from "./format/image-format-error.ts";
import { opcode } from "./format/instruction.ts";

const hasMaximum = 1;
const functionReference = 0x70;
const activeNamedTable = 2;

interface GrownTable {
  /** The content of the table section. */
  readonly section: Uint8Array;
  /** The new index: the table's last one. */
  readonly slot: number;
}

/** All tables as they were, but for the one of function references at `tableIndex`, which gets one entry more. */
export function growTable(reader: ByteReader, tableIndex: number): GrownTable {
  const count = reader.u32("number of tables");
  const out = new ByteWriter();
  out.u32(count);
  let slot: number | undefined;
  for (let index = 0; index < count; index++) {
    const type = reader.byte("type of a table");
    const flags = reader.byte("flags of a table");
    if ((flags & ~hasMaximum) !== 0)
      throw new ImageFormatError(`table ${index} has limits with flags ${flags}`);
    const minimum = reader.u32("minimum of a table");
    const grows = index === tableIndex;
    if (grows && type !== functionReference)
      throw new ImageFormatError(`table ${index} holds the type ${type}; expected function references`);
    if (grows) slot = minimum;
    out.bytes([type, flags]);
    out.u32(minimum + (grows ? 1 : 0));
    if ((flags & hasMaximum) === 0) continue;
    const maximum = reader.u32("maximum of a table");
    out.u32(grows ? Math.max(maximum, minimum + 1) : maximum);
  }
  if (slot === undefined) throw new ImageFormatError(`the module has no table ${tableIndex} of its own`);
  return { section: out.finish(), slot };
}

/** The content of an element section with one segment more, which puts a function at an index of a table. */
export function withElement(
  reader: ByteReader,
  tableIndex: number,
  index: number,
  functionIndex: number,
): Uint8Array {
  const segments = reader.u32("number of element segments");
  const out = new ByteWriter(reader.bytes.length + 32);
  out.u32(segments + 1);
  out.bytes(reader.bytes.subarray(reader.offset, reader.end));
  out.u32(activeNamedTable);
  out.u32(tableIndex);
  out.byte(opcode.i32Const);
  out.s32(index);
  out.byte(opcode.end);
  out.byte(0);
  out.u32(1);
  out.u32(functionIndex);
  return out.finish();
}
