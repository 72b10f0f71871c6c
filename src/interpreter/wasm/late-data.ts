// Constant data that only some built-in modules read, such as the names of all characters. It lies in a passive segment, which all
// instances share, and is copied into the memory when one of its modules is initialised: no snapshot has it, and few sandboxes.

import type { ByteReader } from "./format/byte-reader.ts";
import { ByteWriter } from "./format/byte-writer.ts";
import { type BodyPass, firstInstruction, rewriteBodies } from "./format/code-section.ts";
import { type Exports, findExport } from "./format/export-section.ts";
import { ImageFormatError } from "./format/image-format-error.ts";
import { memoryInit, opcode } from "./format/instruction.ts";
import type { DataRange } from "./unused-data.ts";

export interface LateData extends DataRange {
  /** Names of built-in modules. No other code of the image reads these bytes, and nothing writes them. */
  readonly modules: readonly string[];
}

/** Contents of a data section and of a data count section. */
interface DataSections {
  readonly data: Uint8Array;
  readonly count: Uint8Array;
}

interface DeferredData {
  /** All data, the late ones in segments of their own, which come first. */
  readonly all: DataSections;
  /** The late ones alone, under the same numbers. */
  readonly late: DataSections;
  /** The code section, its initialisers with what copies their data before all else. `firstIndex` is the number of imported functions. */
  addCopying(code: Uint8Array, firstIndex: number, exports: Exports): Uint8Array;
}

const active = 0;
const passive = 1;
const emptyBlock = 0x40;

/** Throws ImageFormatError where there is no such data. `unused` is left out. */
export function deferData(
  reader: ByteReader,
  late: readonly LateData[],
  unused: readonly DataRange[] = [],
): DeferredData {
  const contents = late.map(({ start, end }) => new Uint8Array(end - start));
  const cuts: Cut[] = [
    ...late.map((range, index) => ({ range, content: contents[index] })),
    ...unused.map((range) => ({ range })),
  ];
  cuts.sort((a, b) => a.range.start - b.range.start);
  const others: [start: number, bytes: Uint8Array][] = [];
  const segments = reader.u32("number of data segments");
  for (let index = 0; index < segments; index++) {
    reader.expect(active, "a data segment for the first memory");
    reader.expect(opcode.i32Const, "a constant start of a data segment");
    const start = reader.s32("start of a data segment") >>> 0;
    reader.expect(opcode.end, "the end of a data segment's start");
    const bytes = reader.slice(reader.u32("size of a data segment"), "a data segment");
    others.push(...takeOut(cuts, start, bytes));
  }
  const lateSegments = contents.map((bytes) => segment(passive, bytes));
  const allSegments = [...lateSegments, ...others.map(([start, bytes]) => segment(active, bytes, start))];
  return {
    all: sectionsOf(allSegments),
    late: sectionsOf(lateSegments),
    addCopying: (code, firstIndex, exports) => {
      const copyingOf = new Map<number, Uint8Array>();
      late.forEach((data, index) => {
        const copying = copyOnce(data, index, contents[index] ?? new Uint8Array());
        for (const name of data.modules)
          copyingOf.set(findExport(exports, `PyInit_${name}`, "function").index, copying);
      });
      return rewriteBodies(code, firstIndex, before(copyingOf));
    },
  };
}

interface Cut {
  readonly range: DataRange;
  /** Where what is cut out goes. */
  readonly content?: Uint8Array | undefined;
}

/** What is outside of the cuts, which are in order. */
function takeOut(
  cuts: readonly Cut[],
  start: number,
  bytes: Uint8Array,
): [start: number, bytes: Uint8Array][] {
  const rest: [number, Uint8Array][] = [];
  const end = start + bytes.length;
  let at = start;
  const keepUntil = (next: number): void => {
    if (next > at) rest.push([at, bytes.subarray(at - start, next - start)]);
  };
  for (const { range, content } of cuts) {
    const from = Math.max(at, range.start);
    const to = Math.min(end, range.end);
    if (from >= to) continue;
    keepUntil(from);
    content?.set(bytes.subarray(from - start, to - start), from - range.start);
    at = to;
  }
  keepUntil(end);
  return rest;
}

function segment(form: number, bytes: Uint8Array, start?: number): Uint8Array {
  const out = new ByteWriter(bytes.length + 16);
  out.byte(form);
  if (start !== undefined) {
    out.byte(opcode.i32Const);
    out.s32(start | 0);
    out.byte(opcode.end);
  }
  out.sized(bytes);
  return out.finish();
}

function sectionsOf(segments: readonly Uint8Array[]): DataSections {
  const count = new ByteWriter(8);
  count.u32(segments.length);
  const data = new ByteWriter(1 << 20);
  data.u32(segments.length);
  for (const bytes of segments) data.bytes(bytes);
  return { data: data.finish(), count: count.finish() };
}

/** Instructions that copy the data unless they are there: a module can be initialised again and again. */
function copyOnce({ start, end }: LateData, segmentIndex: number, content: Uint8Array): Uint8Array {
  const witness = content.findIndex((byte) => byte !== 0);
  if (witness < 0) throw new ImageFormatError(`the module has no data from ${start} to ${end}`);
  const out = new ByteWriter(64);
  const constant = (value: number): void => {
    out.byte(opcode.i32Const);
    out.s32(value | 0);
  };
  constant(start + witness);
  out.bytes([opcode.i32Load8U, 0, 0, opcode.i32Eqz, opcode.if, emptyBlock]);
  constant(start);
  constant(0);
  constant(end - start);
  out.bytes([opcode.prefixMemory, memoryInit]);
  out.u32(segmentIndex);
  out.bytes([0, opcode.end]);
  return out.finish();
}

function before(instructions: ReadonlyMap<number, Uint8Array>): BodyPass {
  return (body) => {
    const added = instructions.get(body.functionIndex);
    if (added === undefined) return undefined;
    const { bytes, start, end } = body;
    const first = firstInstruction(body);
    return Uint8Array.from([...bytes.subarray(start, first), ...added, ...bytes.subarray(first, end)]);
  };
}
