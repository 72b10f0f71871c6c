// The length of a WebAssembly instruction: opcode and immediates, for the instruction set that LLVM emits
// (MVP, sign extension, saturating conversion, bulk memory, reference types, tail calls, both exception handling proposals, SIMD).
// Shared memory, garbage collection and typed function references are refused: an image that has them is not ours.

import { ImageFormatError } from "./image-format-error.ts";

/** Opcodes that passes look at. Source: WebAssembly core specification, section 5.4, and the legacy exception handling proposal. */
export const opcode = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  delegate: 0x18,
  catchAll: 0x19,
  drop: 0x1a,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  i32Load: 0x28,
  i32Load8U: 0x2d,
  i32Store: 0x36,
  i32Store8: 0x3a,
  i64Store32: 0x3e,
  i32Const: 0x41,
  i32Eqz: 0x45,
  i32LtS: 0x48,
  i32GtS: 0x4a,
  i32GtU: 0x4b,
  i32LeS: 0x4c,
  i32LeU: 0x4d,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Or: 0x72,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  refFunc: 0xd2,
  prefixMemory: 0xfc,
  prefixVector: 0xfd,
} as const;

/** Second numbers of `prefixMemory` that need a data section. */
export const memoryInit = 8;
export const dataDrop = 9;
/** Second numbers of `prefixMemory` whose time depends on an operand. */
export const memoryCopy = 10;
export const memoryFill = 11;

const none = 1;
const index = 2;
const twoIndices = 3;
const memoryArgument = 4;
const number64 = 5;
const fourBytes = 6;
const eightBytes = 7;
const oneByteBlockType = 8;
const special = 9;

/** By opcode; 0 is an unknown one. */
const immediates = new Uint8Array(256);

function declare(kind: number, first: number, last = first): void {
  immediates.fill(kind, first, last + 1);
}

declare(none, 0x00, 0x01); // unreachable, nop
declare(oneByteBlockType, 0x02, 0x04); // block, loop, if
declare(none, 0x05); // else
declare(oneByteBlockType, 0x06); // try
declare(index, 0x07, 0x09); // catch, throw, rethrow
declare(none, 0x0a, 0x0b); // throw_ref, end
declare(index, 0x0c, 0x0d); // br, br_if
declare(special, 0x0e); // br_table
declare(none, 0x0f); // return
declare(index, 0x10); // call
declare(twoIndices, 0x11); // call_indirect
declare(index, 0x12); // return_call
declare(twoIndices, 0x13); // return_call_indirect
declare(index, 0x18); // delegate
declare(none, 0x19, 0x1b); // catch_all, drop, select
declare(special, 0x1c); // select with types
declare(special, 0x1f); // try_table
declare(index, 0x20, 0x26); // local.*, global.*, table.get, table.set
declare(memoryArgument, 0x28, 0x3e); // loads and stores
declare(index, 0x3f, 0x41); // memory.size, memory.grow, i32.const
declare(number64, 0x42); // i64.const
declare(fourBytes, 0x43); // f32.const
declare(eightBytes, 0x44); // f64.const
declare(none, 0x45, 0xc4); // comparison, arithmetic, conversion
declare(index, 0xd0); // ref.null
declare(none, 0xd1); // ref.is_null
declare(index, 0xd2); // ref.func
declare(special, 0xfc, 0xfd); // prefixes

/**
 * Where the instruction that starts at `offset` ends. The result may lie past the end of a truncated body:
 * the caller knows that end and compares. Throws ImageFormatError for an opcode that is not listed above.
 */
export function instructionEnd(bytes: Uint8Array, offset: number): number {
  const code = bytes[offset] ?? opcode.unreachable;
  const next = offset + 1;
  switch (immediates[code]) {
    case none:
      return next;
    case index:
      return skipNumber(bytes, next, 5);
    case memoryArgument:
      return skipMemoryArgument(bytes, next);
    case oneByteBlockType:
      return skipNumber(bytes, next, 5);
    case number64:
      return skipNumber(bytes, next, 10);
    case twoIndices:
      return skipNumber(bytes, skipNumber(bytes, next, 5), 5);
    case fourBytes:
      return next + 4;
    case eightBytes:
      return next + 8;
    case special:
      return specialEnd(bytes, code, next);
    default:
      throw new ImageFormatError(`unknown opcode 0x${code.toString(16)} at byte ${offset}`);
  }
}

function specialEnd(bytes: Uint8Array, code: number, start: number): number {
  switch (code) {
    case 0xfc:
      return prefixedMemoryEnd(bytes, start);
    case 0xfd:
      return prefixedVectorEnd(bytes, start);
    case 0x0e:
      return skipNumbers(bytes, start, 1);
    case 0x1c:
      return skipNumbers(bytes, start, 0);
    default:
      return tryTableEnd(bytes, start);
  }
}

function tryTableEnd(bytes: Uint8Array, start: number): number {
  let offset = skipNumber(bytes, start, 5);
  const count = numberAt(bytes, offset);
  offset = skipNumber(bytes, offset, 5);
  for (let clause = 0; clause < count && offset <= bytes.length; clause++) {
    const hasTag = (bytes[offset] ?? 0) < 2;
    offset = skipNumber(bytes, offset + 1, 5);
    if (hasTag) offset = skipNumber(bytes, offset, 5);
  }
  return offset;
}

function prefixedMemoryEnd(bytes: Uint8Array, start: number): number {
  const number = numberAt(bytes, start);
  const next = skipNumber(bytes, start, 5);
  if (number <= 7) return next; // saturating conversions
  switch (number) {
    case 9: // data.drop
    case 11: // memory.fill
    case 13: // elem.drop
    case 15: // table.grow
    case 16: // table.size
    case 17: // table.fill
      return skipNumber(bytes, next, 5);
    case 8: // memory.init
    case 10: // memory.copy
    case 12: // table.init
    case 14: // table.copy
      return skipNumber(bytes, skipNumber(bytes, next, 5), 5);
    default:
      throw new ImageFormatError(`unknown opcode 0xfc ${number} at byte ${start - 1}`);
  }
}

function prefixedVectorEnd(bytes: Uint8Array, start: number): number {
  const number = numberAt(bytes, start);
  const next = skipNumber(bytes, start, 5);
  if (number <= 11 || number === 92 || number === 93) return skipMemoryArgument(bytes, next);
  if (number === 12 || number === 13) return next + 16; // v128.const, i8x16.shuffle
  if (number >= 21 && number <= 34) return next + 1; // lanes
  if (number >= 84 && number <= 91) return skipMemoryArgument(bytes, next) + 1;
  if (number <= 275) return next;
  throw new ImageFormatError(`unknown opcode 0xfd ${number} at byte ${start - 1}`);
}

/** The unsigned LEB128 number at `offset`, for immediates whose bytes `instructionEnd` has accepted. */
export function numberAt(bytes: Uint8Array, offset: number): number {
  let value = 0;
  let shift = 0;
  let at = offset;
  for (;;) {
    const byte = bytes[at++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80 || shift === 28) return value >>> 0;
    shift += 7;
  }
}

/** Where the number at `offset` ends. */
export function numberEnd(bytes: Uint8Array, offset: number): number {
  let at = offset;
  while ((bytes[at] ?? 0) >= 0x80) at++;
  return at + 1;
}

function skipNumber(bytes: Uint8Array, offset: number, maximumBytes: number): number {
  const at = numberEnd(bytes, offset);
  if (at - offset > maximumBytes)
    throw new ImageFormatError(`number of ${at - offset} bytes at byte ${offset}`);
  return at;
}

function skipNumbers(bytes: Uint8Array, offset: number, moreThanCount: number): number {
  const count = numberAt(bytes, offset) + moreThanCount;
  let at = skipNumber(bytes, offset, 5);
  for (let i = 0; i < count && at <= bytes.length; i++) at = skipNumber(bytes, at, 5);
  return at;
}

function skipMemoryArgument(bytes: Uint8Array, offset: number): number {
  const namesMemory = ((bytes[offset] ?? 0) & 0x40) !== 0;
  let at = skipNumber(bytes, offset, 5);
  if (namesMemory) at = skipNumber(bytes, at, 5);
  return skipNumber(bytes, at, 10);
}
