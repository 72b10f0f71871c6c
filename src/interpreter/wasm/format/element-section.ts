// The element section: which function stands at which index of a table when an instance starts.

import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { ImageFormatError } from "./image-format-error.ts";
import { opcode } from "./instruction.ts";

const activeTableZero = 0;
const activeNamedTable = 2;
const declarative = 3;

/**
 * Function indices by index of the table `tableIndex`; indices that no segment fills are absent.
 * Only segments that list functions and start at a constant are read; others are refused, since they would
 * make the result a guess.
 */
export function readTableFunctions(reader: ByteReader, tableIndex: number): ReadonlyMap<number, number> {
  const functions = new Map<number, number>();
  for (const { table, first, elements } of readSegments(reader)) {
    if (table !== tableIndex) continue;
    elements.forEach((functionIndex, at) => {
      functions.set(first + at, functionIndex);
    });
  }
  return functions;
}

/** All functions that the section names: only these can stand in a table, or be put there by code. */
export function readReferredFunctions(reader: ByteReader): ReadonlySet<number> {
  return new Set([...readSegments(reader)].flatMap(({ elements }) => elements));
}

/** The content of the section with other functions in the place of those that it names. */
export function withFunctions(reader: ByteReader, other: (functionIndex: number) => number): Uint8Array {
  const out = new ByteWriter(reader.end + 64);
  const start = reader.offset;
  out.u32(reader.u32("number of element segments"));
  reader.offset = start;
  for (const { head, elements } of readSegments(reader)) {
    out.bytes(head);
    out.u32(elements.length);
    for (const element of elements) out.u32(other(element));
  }
  return out.finish();
}

interface ElementSegment {
  /** Undefined of one that only declares what code may refer to. */
  readonly table: number | undefined;
  readonly first: number;
  /** What stands before the number of elements. */
  readonly head: Uint8Array;
  readonly elements: readonly number[];
}

/** In file order. */
export function* readSegments(reader: ByteReader): Generator<ElementSegment> {
  const segments = reader.u32("number of element segments");
  for (let i = 0; i < segments; i++) {
    const start = reader.offset;
    const form = reader.u32("form of an element segment");
    if (form !== activeTableZero && form !== activeNamedTable && form !== declarative) {
      throw new ImageFormatError(`element segment ${i} has the form ${form}; expected 0, 2 or 3`);
    }
    const named = form === activeNamedTable ? reader.u32("table of an element segment") : 0;
    const table = form === declarative ? undefined : named;
    const first = form === declarative ? 0 : readOffset(reader);
    if (form !== activeTableZero) reader.expect(0, "elements that are function indices");
    const head = reader.bytes.subarray(start, reader.offset);
    const count = reader.u32("number of elements");
    const elements = Array.from({ length: count }, () => reader.u32("function index of an element"));
    yield { table, first, head, elements };
  }
}

function readOffset(reader: ByteReader): number {
  reader.expect(opcode.i32Const, "a constant start of an element segment");
  const offset = reader.s32("start of an element segment");
  reader.expect(opcode.end, "the end of an element segment's start");
  return offset >>> 0;
}
