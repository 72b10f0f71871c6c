// The form of a module whose code notes which pages of its memory it writes, so that a reset need not look at the others.

import type { Cards } from "../../../abi/guest-memory.ts";
import { ByteWriter } from "../format/byte-writer.ts";
import { rewriteBodies } from "../format/code-section.ts";
import { exportKind, readExportSection, writeExportSection } from "../format/export-section.ts";
import { FunctionSpace } from "../format/function-space.ts";
import { FunctionTypes } from "../format/function-types.ts";
import { appendConstant, readGlobalSection } from "../format/global-section.ts";
import { readImportSection } from "../format/import-section.ts";
import { memoryFill, opcode } from "../format/instruction.ts";
import { joinSections, openSection, readSections, type Sections, sectionId } from "../format/sections.ts";
import { Signatures } from "../format/signatures.ts";
import { markBody } from "./body-marks.ts";
import { cardShift, cardsExport } from "./card-table.ts";

const emptyBlock = 0x40;

/** `wasm` is a lean module for a snapshot whose memory holds that table. Throws ImageFormatError. */
export function markWrites(wasm: Uint8Array, table: Cards): Uint8Array {
  const sections = readSections(wasm);
  const types = new FunctionTypes(openSection(sections, sectionId.type).bytes);
  const imports = readImportSection(openSection(sections, sectionId.import));
  const functions = new FunctionSpace(types, imports, openSection(sections, sectionId.function));
  const globals = readGlobalSection(openSection(sections, sectionId.global));
  const exports = readExportSection(openSection(sections, sectionId.export));
  const signatures = new Signatures(sections);
  const markRange = functions.count;
  const code = rewriteBodies(
    openSection(sections, sectionId.code).bytes,
    functions.importedCount,
    (body) =>
      markBody(body, signatures.ofFunction(body.functionIndex).parameters, { table, signatures, markRange }),
    [rangeBody(table)],
  );
  const output: Sections = new Map(sections);
  const typeIndex = types.i32TypeIndex(2, false);
  output.set(sectionId.type, types.finish());
  output.set(sectionId.function, functions.withAdded([typeIndex]));
  output.set(sectionId.global, appendConstant(globals, table.start));
  const added = { name: cardsExport, kind: exportKind.global, index: globals.entries.length };
  output.set(sectionId.export, writeExportSection([...exports.values(), added]));
  output.set(sectionId.code, code);
  return joinSections(output);
}

/** (address, bytes)->void: notes a range that has just been written, so that it lies within the memory. */
function rangeBody({ start }: Cards): Uint8Array {
  const out = new ByteWriter();
  const [address, bytes] = [0, 1];
  const constant = (value: number): void => {
    out.byte(opcode.i32Const);
    out.s32(value);
  };
  const toCard = (): void => {
    constant(cardShift);
    out.byte(opcode.i32ShrU);
  };
  out.bytes([0, opcode.localGet, bytes, opcode.if, emptyBlock, opcode.localGet, address]);
  toCard();
  constant(start);
  out.byte(opcode.i32Add);
  constant(1);
  out.bytes([opcode.localGet, address, opcode.localGet, bytes, opcode.i32Add]);
  constant(1);
  out.byte(opcode.i32Sub);
  toCard();
  out.bytes([opcode.localGet, address]);
  toCard();
  out.byte(opcode.i32Sub);
  constant(1);
  out.bytes([opcode.i32Add, opcode.prefixMemory, memoryFill, 0, opcode.end, opcode.end]);
  return out.finish();
}
