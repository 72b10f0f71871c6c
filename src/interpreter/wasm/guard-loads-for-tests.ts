// The form of a module that traps where it reads certain bytes: to show that nothing does.

import { ByteReader } from "./format/byte-reader.ts";
import { ByteWriter } from "./format/byte-writer.ts";
import { type FunctionBody, firstInstruction, rewriteBodies } from "./format/code-section.ts";
import { FunctionSpace } from "./format/function-space.ts";
import { FunctionTypes } from "./format/function-types.ts";
import { readImportSection } from "./format/import-section.ts";
import { instructionEnd, numberAt, numberEnd, opcode } from "./format/instruction.ts";
import { joinSections, openSection, readSections, type Sections, sectionId } from "./format/sections.ts";
import type { DataRange } from "./unused-data.ts";

/** The last opcode of those that read memory; the first is `i32Load`. */
const i64Load32Unsigned = 0x35;

/** `memory.copy` and the host are not watched. */
export function guardLoads(wasm: Uint8Array, ranges: readonly DataRange[]): Uint8Array<ArrayBuffer> {
  const sections = readSections(wasm);
  const types = new ByteReader(openSection(sections, sectionId.type).bytes);
  const guardType = types.u32("number of types");
  const typesOut = new ByteWriter();
  typesOut.u32(guardType + 1);
  typesOut.bytes(types.bytes.subarray(types.offset));
  // (i32, i32) -> i32
  typesOut.bytes([0x60, 2, 0x7f, 0x7f, 1, 0x7f]);
  const imports = readImportSection(openSection(sections, sectionId.import));
  const functions = new FunctionSpace(
    new FunctionTypes(openSection(sections, sectionId.type).bytes),
    imports,
    openSection(sections, sectionId.function),
  );
  const output: Sections = new Map(sections);
  output.set(sectionId.type, typesOut.finish());
  output.set(sectionId.function, functions.withAdded([guardType]));
  const code = openSection(sections, sectionId.code).bytes;
  const pass = (body: FunctionBody): Uint8Array | undefined => guardBody(body, functions.count);
  output.set(sectionId.code, rewriteBodies(code, functions.importedCount, pass, [guard(ranges)]));
  return joinSections(output) as Uint8Array<ArrayBuffer>;
}

function guardBody(
  { bytes, start, end, ...body }: FunctionBody,
  guardFunction: number,
): Uint8Array | undefined {
  const out = new ByteWriter(end - start + 64);
  let copied = start;
  for (let at = firstInstruction({ bytes, start, end, ...body }); at < end; at = instructionEnd(bytes, at)) {
    const code = bytes[at] ?? 0;
    if (code < opcode.i32Load || code > i64Load32Unsigned) continue;
    out.bytes(bytes.subarray(copied, at));
    out.byte(opcode.i32Const);
    out.s32(numberAt(bytes, numberEnd(bytes, at + 1)) | 0);
    out.byte(opcode.call);
    out.u32(guardFunction);
    copied = at;
  }
  if (copied === start) return undefined;
  out.bytes(bytes.subarray(copied, end));
  return out.finish();
}

/** (address, offset) -> address */
function guard(ranges: readonly DataRange[]): Uint8Array {
  const out = new ByteWriter();
  const [address, offset] = [0, 1];
  const [i32LessUnsigned, emptyBlock] = [0x49, 0x40];
  const constant = (value: number): void => {
    out.byte(opcode.i32Const);
    out.s32(value | 0);
  };
  out.byte(0);
  for (const { start, end } of ranges) {
    out.bytes([opcode.localGet, address, opcode.localGet, offset, opcode.i32Add]);
    constant(start);
    out.byte(opcode.i32Sub);
    constant(end - start);
    out.bytes([i32LessUnsigned, opcode.if, emptyBlock, opcode.unreachable, opcode.end]);
  }
  out.bytes([opcode.localGet, address, opcode.end]);
  return out.finish();
}
