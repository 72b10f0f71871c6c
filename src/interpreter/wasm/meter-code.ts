// The metered form of one function body: what it takes to charge loops, calls, bytecode and bulk instructions to the fuel
// global. Everything else is copied; no branch depth and no local index changes, since charges stand between instructions, leave
// the operand stack as it was, and use locals that are added behind all others.

import { BlockStack, findPlainLoops } from "./block-stack.ts";
import { ByteWriter } from "./byte-writer.ts";
import { type FunctionBody, firstInstruction } from "./code-section.ts";
import { instructionEnd, memoryCopy, memoryFill, numberAt, opcode } from "./instruction.ts";

/** Where the metered form keeps its parts. All are indices of the module's index spaces. */
export interface Meter {
  readonly fuelGlobal: number;
  /** ()->void: to be called when the fuel is used up. */
  readonly refuel: number;
  /** (i32,i32,i32)->void: memory.copy and memory.fill that charge for their length. */
  readonly copy: number;
  readonly fill: number;
  /** ()->i32: asks the host for a signal. Only `refuel` does so: any other call becomes the answer that there is none. */
  readonly signal: number;
  /** ()->void: does nothing but call `signal` now and then, so calls of it are left out. */
  readonly periodicCheck: number;
}

export interface BodyCharges {
  /** Number of parameters: they are the first locals. */
  readonly parameters: number;
  /** Whether every call of the function is charged. */
  readonly entry: boolean;
  /** Whether a call of that function, or an indirect call of that type, is charged if it stands outside of loops. */
  call(callee: number): boolean;
  indirectCall(typeIndex: number): boolean;
  readonly dispatch?: Dispatch;
}

/** The loop of an interpreter. Its iterations are charged in advance, `batch` at once. All numbers are offsets in the section. */
export interface Dispatch {
  readonly loop: number;
  /** The `br_table` that every iteration comes to, with the same operand if the loop is started again before it. */
  readonly table: number;
  /** The block at whose end the default target of the table is. */
  readonly defaultBlock: number;
  readonly batch: number;
}

const emptyBlock = 0x40;
const i32 = 0x7f;

/** The metered body, or undefined when nothing in it needs a charge. */
export function meterBody(body: FunctionBody, meter: Meter, charges: BodyCharges): Uint8Array | undefined {
  const { bytes, end } = body;
  const first = firstInstruction(body);
  const { dispatch } = charges;
  const out = new ByteWriter(end - body.start + 256);
  const scratch = addLocals(body, charges, out);
  const left = scratch + 1;
  const plain = findPlainLoops(bytes, { first, end }, mayChangeFuel);
  const blocks = new BlockStack();
  let copied = first;
  let changed = false;
  /** What is written next stands in the place of the instructions from `from` to `to`. */
  const replace = (from: number, to: number): void => {
    out.bytes(bytes.subarray(copied, from));
    copied = to;
    changed = true;
  };
  if (charges.entry) {
    replace(first, first);
    charge(out, meter, scratch, 1);
  }
  for (let at = first; at < end; ) {
    const next = instructionEnd(bytes, at);
    const closed = blocks.step(bytes, at);
    switch (bytes[at]) {
      case opcode.loop:
        if (at === dispatch?.loop) break;
        if (plain.outermost.has(at)) {
          replace(at, at);
          loadFuel(out, meter, scratch);
        }
        replace(next, next);
        if (plain.all.has(at)) chargeLoaded(out, meter, scratch);
        else charge(out, meter, scratch, 1);
        break;
      case opcode.brTable:
        if (at !== dispatch?.table) break;
        replace(at, at);
        countDown(out, left);
        break;
      case opcode.end:
        if (dispatch === undefined || closed !== dispatch.defaultBlock) break;
        replace(next, next);
        chargeBatch(out, meter, { scratch, left, batch: dispatch.batch, depth: blocks.depthOf(dispatch.loop) });
        break;
      case opcode.call: {
        const callee = numberAt(bytes, at + 1);
        if (callee === meter.periodicCheck) {
          replace(at, next);
        } else if (callee === meter.signal) {
          replace(at, next);
          out.bytes([opcode.i32Const, 0]);
        } else if (!blocks.inLoop && charges.call(callee)) {
          replace(at, at);
          charge(out, meter, scratch, 1);
        }
        break;
      }
      case opcode.callIndirect:
        if (blocks.inLoop || !charges.indirectCall(numberAt(bytes, at + 1))) break;
        replace(at, at);
        charge(out, meter, scratch, 1);
        break;
      case opcode.prefixMemory: {
        const number = numberAt(bytes, at + 1);
        if (number !== memoryCopy && number !== memoryFill) break;
        replace(at, next);
        out.byte(opcode.call);
        out.u32(number === memoryCopy ? meter.copy : meter.fill);
        break;
      }
    }
    at = next;
  }
  if (!changed) return undefined;
  out.bytes(bytes.subarray(copied, end));
  return out.finish();
}

/** Bulk instructions become calls. */
function mayChangeFuel(code: number): boolean {
  return code === opcode.call || code === opcode.callIndirect || code === opcode.prefixMemory;
}

/** Writes the local declarations with those of the charges added and returns the index of the first added one. */
function addLocals(body: FunctionBody, charges: BodyCharges, out: ByteWriter): number {
  const { bytes } = body;
  const groups = numberAt(bytes, body.start);
  const first = firstInstruction(body);
  const declarations = numberEnd(bytes, body.start);
  let locals = charges.parameters;
  for (let at = declarations; at < first; at = numberEnd(bytes, at) + 1) locals += numberAt(bytes, at);
  out.u32(groups + 1);
  out.bytes(bytes.subarray(declarations, first));
  out.bytes([charges.dispatch ? 2 : 1, i32]);
  return locals;
}

function numberEnd(bytes: Uint8Array, offset: number): number {
  let at = offset;
  while ((bytes[at] ?? 0) >= 0x80) at++;
  return at + 1;
}

/** fuel -= units; if (fuel <= 0) refuel(). `scratch` is a local that is free here. */
function charge(out: ByteWriter, meter: Meter, scratch: number, units: number): void {
  out.byte(opcode.globalGet);
  out.u32(meter.fuelGlobal);
  out.byte(opcode.i32Const);
  out.s32(units);
  out.byte(opcode.i32Sub);
  finishCharge(out, meter, scratch);
}

/** The end of a charge: takes the new value of the fuel from the operand stack. */
export function finishCharge(out: ByteWriter, meter: Meter, scratch: number): void {
  askIfSpent(out, meter, scratch);
  out.byte(opcode.end);
}

function askIfSpent(out: ByteWriter, meter: Meter, local: number): void {
  out.byte(opcode.localTee);
  out.u32(local);
  out.byte(opcode.globalSet);
  out.u32(meter.fuelGlobal);
  out.byte(opcode.localGet);
  out.u32(local);
  out.bytes([opcode.i32Const, 0, opcode.i32LeS, opcode.if, emptyBlock, opcode.call]);
  out.u32(meter.refuel);
}

function loadFuel(out: ByteWriter, meter: Meter, local: number): void {
  out.byte(opcode.globalGet);
  out.u32(meter.fuelGlobal);
  out.byte(opcode.localSet);
  out.u32(local);
}

/** A charge of one unit where `local` holds the fuel: short loops would wait for each other's stores to the global. */
function chargeLoaded(out: ByteWriter, meter: Meter, local: number): void {
  out.byte(opcode.localGet);
  out.u32(local);
  out.bytes([opcode.i32Const, 1, opcode.i32Sub]);
  askIfSpent(out, meter, local);
  loadFuel(out, meter, local);
  out.byte(opcode.end);
}

/** Before the table: left -= 1, and an operand beyond the table once that is negative. Cheaper than a branch by 4 %. */
function countDown(out: ByteWriter, left: number): void {
  out.byte(opcode.localGet);
  out.u32(left);
  out.bytes([opcode.i32Const, 1, opcode.i32Sub, opcode.localTee]);
  out.u32(left);
  out.bytes([opcode.i32Const, 31, opcode.i32ShrS, opcode.i32Or]);
}

/** At the default target: a charge, and back to the start, if it was the count that led here. */
function chargeBatch(
  out: ByteWriter,
  meter: Meter,
  { scratch, left, batch, depth }: { scratch: number; left: number; batch: number; depth: number },
): void {
  out.byte(opcode.localGet);
  out.u32(left);
  out.bytes([opcode.i32Const, 0, opcode.i32LtS, opcode.if, emptyBlock, opcode.i32Const]);
  out.s32(batch);
  out.byte(opcode.localSet);
  out.u32(left);
  charge(out, meter, scratch, batch);
  out.byte(opcode.br);
  out.u32(depth + 1);
  out.byte(opcode.end);
}
