// The form of one function body that notes in the card table which pages it writes. A note stands behind the write, unless one that
// is sure to have been made covers it: same local with the same value, an offset within the slack.
//
// Where such a note may be relied on follows from structure alone: behind a block holds what held before it, but for the locals that
// it assigns, and a loop starts with what will hold at each of its rounds. Notes outlive calls and exceptions, since a table is
// emptied only when no guest code runs.

import type { Cards } from "../../../abi/guest-memory.ts";
import { countLocals, declareLocals } from "../format/added-locals.ts";
import { findAssignedLocals } from "../format/assigned-locals.ts";
import { ByteWriter } from "../format/byte-writer.ts";
import { type FunctionBody, firstInstruction } from "../format/code-section.ts";
import { ImageFormatError } from "../format/image-format-error.ts";
import {
  instructionEnd,
  memoryCopy,
  memoryFill,
  memoryInit,
  numberAt,
  numberEnd,
  opcode,
} from "../format/instruction.ts";
import { operandCounts } from "../format/operand-counts.ts";
import type { Signature, Signatures } from "../format/signatures.ts";
import { cardShift, slackBytes } from "./card-table.ts";

interface Marking {
  readonly table: Cards;
  readonly signatures: Signatures;
  /** Index of the function (address, bytes)->void that notes a range. */
  readonly markRange: number;
}

/** By local, or by `-1 - card` for a constant address: offsets from each of which on the slack is noted. */
type Notes = Map<number, readonly number[]>;

interface Block {
  readonly start: number;
  readonly opener: number;
  readonly height: number;
  readonly signature: Signature;
  /** What holds at its end, however that is reached, and at the start of its other parts. */
  readonly notes: Notes;
}

/** A value on the operand stack, as far as it is known. */
interface Operand {
  /** Behind the instruction that made it, where a `local.tee` can take it; -1 if it came with others above it. */
  readonly at: number;
  readonly local?: number;
  /** Which of the local's values it is. */
  readonly version?: number;
  readonly constant?: number;
}

const bytesOfStore: readonly number[] = [4, 8, 4, 8, 1, 2, 1, 2, 4];

/** The body with its notes, or undefined when it writes nothing. */
export function markBody(body: FunctionBody, parameters: number, marking: Marking): Uint8Array | undefined {
  const { bytes, end } = body;
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    if (bytes[at] === opcode.prefixVector) throw new ImageFormatError("the code has vector instructions");
    if (isStore(bytes[at] ?? 0) || isBulk(bytes, at)) return new MarkPass(body, parameters, marking).run();
  }
  return undefined;
}

const isStore = (code: number): boolean => code >= opcode.i32Store && code <= opcode.i64Store32;

function isBulk(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== opcode.prefixMemory) return false;
  const number = numberAt(bytes, at + 1);
  return number === memoryInit || number === memoryCopy || number === memoryFill;
}

class MarkPass {
  readonly #body: FunctionBody;
  readonly #marking: Marking;
  readonly #firstAdded: number;
  readonly #assigned: ReadonlyMap<number, ReadonlySet<number>>;
  readonly #versions: number[];
  readonly #operands: Operand[] = [];
  readonly #blocks: Block[] = [];
  /** Blocks that were opened where nothing is reached; undefined where something is. */
  #unreached: number | undefined;
  #notes: Notes = new Map();
  readonly #inserted: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  /** Of each added local, up to where it is in use. */
  readonly #usedUntil: number[] = [];

  constructor(body: FunctionBody, parameters: number, marking: Marking) {
    this.#body = body;
    this.#marking = marking;
    this.#firstAdded = countLocals(body, parameters);
    this.#assigned = findAssignedLocals(body);
    this.#versions = new Array<number>(this.#firstAdded).fill(0);
  }

  run(): Uint8Array {
    const { bytes, end } = this.#body;
    const first = firstInstruction(this.#body);
    // The last instruction is the end of the function.
    for (let at = first; at < end - 1; ) {
      const next = instructionEnd(bytes, at);
      if (this.#unreached === undefined) this.#instruction(at, next);
      else this.#skip(at, next, this.#unreached);
      at = next;
    }
    const out = new ByteWriter(end - this.#body.start + 24 * this.#inserted.length + 16);
    declareLocals(this.#body, this.#usedUntil.length, out);
    let copied = first;
    for (const insertion of this.#inserted.sort((a, b) => a.at - b.at)) {
      out.bytes(bytes.subarray(copied, insertion.at));
      out.bytes(insertion.bytes);
      copied = insertion.at;
    }
    out.bytes(bytes.subarray(copied, end));
    return out.finish();
  }

  #skip(at: number, next: number, depth: number): void {
    switch (this.#body.bytes[at]) {
      case opcode.block:
      case opcode.loop:
      case opcode.if:
      case opcode.try:
      case opcode.tryTable:
        this.#unreached = depth + 1;
        return;
      case opcode.end:
      case opcode.delegate:
        if (depth > 0) this.#unreached = depth - 1;
        else this.#close(next, false);
        return;
      case opcode.else:
      case opcode.catch:
      case opcode.catchAll:
        if (depth === 0) this.#part(at, next);
    }
  }

  #instruction(at: number, next: number): void {
    const { bytes } = this.#body;
    const { signatures } = this.#marking;
    const code = bytes[at] ?? 0;
    switch (code) {
      case opcode.block:
      case opcode.loop:
      case opcode.if:
      case opcode.try:
      case opcode.tryTable:
        this.#open(at, next);
        return;
      case opcode.else:
      case opcode.catch:
      case opcode.catchAll:
        this.#part(at, next);
        return;
      case opcode.end:
      case opcode.delegate:
        this.#close(next, true);
        return;
      case opcode.unreachable:
      case opcode.br:
      case opcode.brTable:
      case opcode.return:
      case opcode.returnCall:
      case opcode.returnCallIndirect:
      case opcode.throw:
      case opcode.rethrow:
      case opcode.throwRef:
        this.#unreached = 0;
        return;
      case opcode.call:
        this.#apply(signatures.ofFunction(numberAt(bytes, at + 1)), next);
        return;
      case opcode.callIndirect:
        this.#pop();
        this.#apply(signatures.ofType(numberAt(bytes, at + 1)), next);
        return;
      case opcode.localGet: {
        const local = numberAt(bytes, at + 1);
        this.#operands.push({ at: next, local, version: this.#version(local) });
        return;
      }
      case opcode.localSet:
        this.#pop();
        this.#assign(numberAt(bytes, at + 1));
        return;
      case opcode.localTee: {
        const local = numberAt(bytes, at + 1);
        this.#pop();
        this.#assign(local);
        this.#operands.push({ at: next, local, version: this.#version(local) });
        return;
      }
      case opcode.i32Const:
        this.#operands.push({ at: next, constant: signedNumberAt(bytes, at + 1) >>> 0 });
        return;
    }
    if (isStore(code)) this.#store(at, next);
    else if (isBulk(bytes, at)) this.#bulk(next);
    else {
      const { taken, left } = operandCounts(bytes, at);
      this.#apply({ parameters: taken, results: left }, next);
    }
  }

  #open(at: number, next: number): void {
    const { bytes } = this.#body;
    const code = bytes[at] ?? 0;
    if (code === opcode.if) this.#pop();
    const signature = this.#marking.signatures.ofBlock(bytes[at + 1] ?? 0, numberAt(bytes, at + 1));
    this.#drop(signature.parameters);
    const assigned = this.#assigned.get(at);
    const notes: Notes = new Map();
    for (const [key, offsets] of this.#notes) if (!assigned?.has(key)) notes.set(key, offsets);
    if (code === opcode.loop) this.#notes = new Map(notes);
    this.#blocks.push({ start: at, opener: code, height: this.#operands.length, signature, notes });
    this.#push(signature.parameters, next);
  }

  /** `else`, `catch` and `catch_all`. */
  #part(at: number, next: number): void {
    const { bytes } = this.#body;
    const block = this.#block();
    this.#unreached = undefined;
    this.#notes = new Map(block.notes);
    this.#operands.length = block.height;
    if (bytes[at] === opcode.else) this.#push(block.signature.parameters, next);
    if (bytes[at] === opcode.catch)
      this.#push(this.#marking.signatures.ofTag(numberAt(bytes, at + 1)).parameters, next);
  }

  #close(next: number, reached: boolean): void {
    const block = this.#block();
    this.#blocks.pop();
    this.#unreached = undefined;
    // The end of a loop is reached in one way only.
    if (block.opener !== opcode.loop || !reached) this.#notes = new Map(block.notes);
    this.#operands.length = block.height;
    this.#push(block.signature.results, next);
  }

  #store(at: number, next: number): void {
    const { bytes } = this.#body;
    const offset = numberAt(bytes, numberEnd(bytes, at + 1));
    const size = bytesOfStore[(bytes[at] ?? 0) - opcode.i32Store] ?? 0;
    this.#pop();
    const address = this.#pop();
    if (address.constant !== undefined) {
      const card = Math.floor((address.constant + offset) / 2 ** cardShift);
      if (!this.#covers(-1 - card, 0, 0)) this.#insert(next, (out) => this.#markCard(out, card));
      return;
    }
    const anchor = offset + size <= slackBytes ? 0 : offset;
    if (address.local !== undefined && address.version === this.#version(address.local)) {
      const { local } = address;
      if (!this.#covers(local, offset, size, anchor))
        this.#insert(next, (out) => this.#mark(out, local, anchor));
      return;
    }
    const local = this.#keep(address, next);
    this.#insert(next, (out) => this.#mark(out, local, anchor));
  }

  /** memory.init, memory.copy and memory.fill: the first operand is an address, the last a length. */
  #bulk(next: number): void {
    const length = this.#keep(this.#pop(), next);
    this.#pop();
    const address = this.#keep(this.#pop(), next);
    this.#insert(next, (out) => {
      out.byte(opcode.localGet);
      out.u32(address);
      out.byte(opcode.localGet);
      out.u32(length);
      out.byte(opcode.call);
      out.u32(this.#marking.markRange);
    });
  }

  /** Whether a note covers that; if not, one is going to from `anchor` on. */
  #covers(key: number, offset: number, size: number, anchor = offset): boolean {
    const offsets = this.#notes.get(key) ?? [];
    if (offsets.some((from) => from <= offset && offset + size <= from + slackBytes)) return true;
    this.#notes.set(key, [...offsets, anchor]);
    return false;
  }

  /** An added local with the value of the operand, from where it is made until `until`. */
  #keep(operand: Operand, until: number): number {
    const { at } = operand;
    if (at < 0) throw new ImageFormatError("an address is one of several results of one instruction");
    const free = this.#usedUntil.findIndex((end) => end <= at);
    const index = free < 0 ? this.#usedUntil.length : free;
    this.#usedUntil[index] = until;
    this.#insert(at, (out) => {
      out.byte(opcode.localTee);
      out.u32(this.#firstAdded + index);
    });
    return this.#firstAdded + index;
  }

  #mark(out: ByteWriter, local: number, offset: number): void {
    out.byte(opcode.localGet);
    out.u32(local);
    if (offset > 0) {
      // Does not wrap: the write itself has not trapped.
      out.byte(opcode.i32Const);
      out.s32(offset | 0);
      out.byte(opcode.i32Add);
    }
    out.bytes([opcode.i32Const, cardShift, opcode.i32ShrU, opcode.i32Const, 1, opcode.i32Store8, 0]);
    out.u32(this.#marking.table.start);
  }

  #markCard(out: ByteWriter, card: number): void {
    out.bytes([opcode.i32Const, 0, opcode.i32Const, 1, opcode.i32Store8, 0]);
    out.u32(this.#marking.table.start + card);
  }

  #insert(at: number, write: (out: ByteWriter) => void): void {
    const out = new ByteWriter(24);
    write(out);
    this.#inserted.push({ at, bytes: out.finish() });
  }

  #version(local: number): number {
    return this.#versions[local] ?? 0;
  }

  #assign(local: number): void {
    this.#versions[local] = this.#version(local) + 1;
    this.#notes.delete(local);
  }

  #apply({ parameters, results }: Signature, next: number): void {
    this.#drop(parameters);
    this.#push(results, next);
  }

  /** Only the last of several values can be taken by an instruction behind the one that makes them. */
  #push(count: number, at: number): void {
    for (let left = count; left > 0; left--) this.#operands.push({ at: left === 1 ? at : -1 });
  }

  #drop(count: number): void {
    for (let left = count; left > 0; left--) this.#pop();
  }

  #pop(): Operand {
    const height = this.#blocks.at(-1)?.height ?? 0;
    const operand = this.#operands.length > height ? this.#operands.pop() : undefined;
    if (operand === undefined) throw new ImageFormatError("an instruction lacks an operand");
    return operand;
  }

  #block(): Block {
    const block = this.#blocks.at(-1);
    if (block === undefined) throw new ImageFormatError("a block is closed that was not opened");
    return block;
  }
}

function signedNumberAt(bytes: Uint8Array, offset: number): number {
  const end = numberEnd(bytes, offset);
  const bits = 7 * (end - offset);
  const value = numberAt(bytes, offset);
  return bits < 32 ? (value << (32 - bits)) >> (32 - bits) : value | 0;
}
