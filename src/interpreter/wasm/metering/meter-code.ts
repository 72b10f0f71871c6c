// The metered form of one function body: what it takes to charge loops, calls, bytecode and bulk instructions to the fuel
// global. Everything else is copied; no branch depth and no local index changes, since charges stand between instructions, leave
// the operand stack as it was, and use locals that are added behind all others.

import { countLocals, declareLocals } from "../format/added-locals.ts";
import { BlockStack } from "../format/block-stack.ts";
import { ByteWriter } from "../format/byte-writer.ts";
import { type FunctionBody, firstInstruction } from "../format/code-section.ts";
import { instructionEnd, memoryCopy, memoryFill, numberAt, opcode } from "../format/instruction.ts";
import { findPlainLoops, leadsToLoop, type PlainLoops, tableTargets } from "./plain-loops.ts";

/** What is counted down, and what is called when it is used up. Indices of the module's index spaces. */
export interface Counter {
  readonly fuelGlobal: number;
  /** ()->void. */
  readonly refuel: number;
}

/** Where the metered form keeps its parts. */
export interface Meter extends Counter {
  /** (i32,i32,i32)->void: memory.copy and memory.fill that charge for their length. */
  readonly copy: number;
  readonly fill: number;
  /** ()->i32: asks the host for a signal. Only `refuel` does so: any other call becomes the answer that there is none. */
  readonly signal: number;
  /** ()->void: does nothing but call `signal` now and then, so calls of it are left out. */
  readonly periodicCheck: number;
}

interface BodyCharges {
  /** Number of parameters: they are the first locals. */
  readonly parameters: number;
  /** Whether every call of the function is charged. */
  readonly entry: boolean;
  /** Whether a call of that function, or an indirect call of that type, is charged. */
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

/** The metered body, or undefined when nothing in it needs a charge. */
export function meterBody(body: FunctionBody, meter: Meter, charges: BodyCharges): Uint8Array | undefined {
  const pass = new MeterPass(body, meter, charges);
  return pass.run();
}

/** Blocks that are put around a loop: see #open. */
const addedBlocks = 3;

class MeterPass {
  readonly #body: FunctionBody;
  readonly #meter: Meter;
  readonly #charges: BodyCharges;
  readonly #out: ByteWriter;
  readonly #blocks = new BlockStack();
  #plain: PlainLoops | undefined;
  /** Start of the loop with blocks around it that the pass is in. */
  #wrapped: number | undefined;
  /** Of the added locals: one for the fuel, or for what is made of it; and, with a dispatch, instructions left to charge. */
  readonly #fuel: number;
  readonly #left: number;
  #copied: number;
  #changed = false;

  constructor(body: FunctionBody, meter: Meter, charges: BodyCharges) {
    this.#body = body;
    this.#meter = meter;
    this.#charges = charges;
    this.#out = new ByteWriter(body.end - body.start + 256);
    this.#fuel = countLocals(body, charges.parameters);
    declareLocals(body, charges.dispatch ? 2 : 1, this.#out);
    this.#left = this.#fuel + 1;
    this.#copied = firstInstruction(body);
  }

  run(): Uint8Array | undefined {
    const { bytes, end } = this.#body;
    const first = this.#copied;
    if (this.#charges.entry) {
      this.#replace(first, first);
      charge(this.#out, this.#meter, this.#fuel, 1);
    }
    for (let at = first; at < end; ) {
      const next = instructionEnd(bytes, at);
      const closed = this.#blocks.step(bytes, at);
      this.#instruction(at, next, closed);
      at = next;
    }
    if (!this.#changed) return undefined;
    this.#out.bytes(bytes.subarray(this.#copied, end));
    return this.#out.finish();
  }

  /** What is written next stands in the place of the instructions from `from` to `to`. */
  #replace(from: number, to: number): void {
    this.#out.bytes(this.#body.bytes.subarray(this.#copied, from));
    this.#copied = to;
    this.#changed = true;
  }

  #instruction(at: number, next: number, closed: number | undefined): void {
    const { bytes } = this.#body;
    const { dispatch } = this.#charges;
    switch (bytes[at]) {
      case opcode.loop:
        this.#open(at);
        return;
      case opcode.end:
        if (closed === undefined) return;
        if (closed === this.#wrapped) this.#close(next);
        if (closed === dispatch?.defaultBlock) this.#chargeBatch(dispatch, next);
        return;
      case opcode.br:
      case opcode.brIf:
        this.#branch(at, next, numberAt(bytes, at + 1));
        return;
      case opcode.brTable:
        this.#branchTable(at, next);
        return;
      case opcode.return:
      case opcode.throw:
      case opcode.throwRef:
      case opcode.unreachable:
        this.#leaveBefore(at);
        return;
      case opcode.call:
      case opcode.returnCall:
        this.#leaveBefore(at);
        this.#call(at, next, numberAt(bytes, at + 1));
        return;
      case opcode.callIndirect:
      case opcode.returnCallIndirect:
        this.#leaveBefore(at);
        if (!this.#charges.indirectCall(numberAt(bytes, at + 1))) return;
        this.#replace(at, at);
        charge(this.#out, this.#meter, this.#fuel, 1);
        return;
      case opcode.prefixMemory: {
        const number = numberAt(bytes, at + 1);
        if (number !== memoryCopy && number !== memoryFill) return;
        this.#replace(at, next);
        this.#out.byte(opcode.call);
        this.#out.u32(number === memoryCopy ? this.#meter.copy : this.#meter.fill);
      }
    }
  }

  /**
   * A call within a short loop costs it its registers even if it is never made. Such a loop is left when the fuel is used up,
   * and started again: block $done, loop $again, block $spent, then the loop itself. While it runs the fuel is counted in a local
   * alone: whatever leaves the loop stores it, but a trap, after which nobody goes on.
   */
  #open(at: number): void {
    this.#plain ??= findPlainLoops(this.#body);
    if (this.#plain.outermost.has(at)) {
      this.#replace(at, at);
      loadFuel(this.#out, this.#meter, this.#fuel);
    }
    if (!this.#plain.simple.has(at)) return;
    this.#replace(at, at);
    this.#out.bytes([opcode.block, emptyBlock, opcode.loop, emptyBlock, opcode.block, emptyBlock]);
    this.#wrapped = at;
  }

  #close(next: number): void {
    this.#replace(next, next);
    storeFuel(this.#out, this.#meter, this.#fuel);
    this.#out.bytes([opcode.br, 2, opcode.end]);
    storeFuel(this.#out, this.#meter, this.#fuel);
    this.#out.byte(opcode.call);
    this.#out.u32(this.#meter.refuel);
    loadFuel(this.#out, this.#meter, this.#fuel);
    this.#out.bytes([opcode.br, 0, opcode.end, opcode.end]);
    this.#wrapped = undefined;
  }

  /** What follows leaves the loop that counts in a local, if the pass is in one. */
  #leaveBefore(at: number): void {
    if (this.#wrapped === undefined) return;
    this.#replace(at, at);
    storeFuel(this.#out, this.#meter, this.#fuel);
  }

  /** A branch out of that loop. Where it takes values along, they would be out of reach within an `if`. */
  #leaveBy(at: number, next: number, depth: number): void {
    const { bytes } = this.#body;
    const target = this.#blocks.target(depth);
    const out = this.#out;
    const isOnlyThen = bytes[at] === opcode.brIf && target !== undefined && bytes[target + 1] === emptyBlock;
    this.#replace(at, next);
    if (isOnlyThen) out.bytes([opcode.if, emptyBlock]);
    storeFuel(out, this.#meter, this.#fuel);
    out.byte(isOnlyThen ? opcode.br : (bytes[at] ?? 0));
    out.u32(depth + addedBlocks + (isOnlyThen ? 1 : 0));
    if (isOnlyThen) out.byte(opcode.end);
  }

  /** Only branches back are charged: most loops that are started do not get to their second iteration. */
  #branch(at: number, next: number, depth: number): void {
    const { bytes } = this.#body;
    const conditional = bytes[at] === opcode.brIf;
    const target = this.#blocks.target(depth);
    const out = this.#out;
    if (!this.#blocks.isLoop(depth) || target === this.#charges.dispatch?.loop) {
      if (this.#wrapped === undefined || depth <= this.#blocks.depthOf(this.#wrapped)) return;
      this.#leaveBy(at, next, depth);
      return;
    }
    this.#replace(at, next);
    if (conditional) out.bytes([opcode.if, emptyBlock]);
    const here = conditional ? depth + 1 : depth;
    if (target === this.#wrapped) {
      takeOne(out, this.#fuel);
      out.bytes([opcode.i32Const, 0, opcode.i32GtS, opcode.brIf]);
      out.u32(here);
      out.byte(opcode.br);
      out.u32(here + 1);
    } else {
      if (this.#plain?.all.has(target ?? -1)) chargeLoaded(out, this.#meter, this.#fuel);
      else {
        if (this.#wrapped !== undefined) storeFuel(out, this.#meter, this.#fuel);
        charge(out, this.#meter, this.#fuel, 1);
      }
      out.byte(opcode.br);
      out.u32(this.#wrapped === undefined ? here : here + addedBlocks);
    }
    if (conditional) out.byte(opcode.end);
  }

  #branchTable(at: number, next: number): void {
    const { bytes } = this.#body;
    const out = this.#out;
    if (at === this.#charges.dispatch?.table) {
      this.#replace(at, at);
      countDown(out, this.#left);
      return;
    }
    if (leadsToLoop(bytes, at, this.#blocks)) {
      this.#replace(at, at);
      charge(out, this.#meter, this.#fuel, 1);
      // It may lead to a loop that expects the fuel in the local.
      loadFuel(out, this.#meter, this.#fuel);
    }
    if (this.#wrapped === undefined) return;
    const wrapped = this.#blocks.depthOf(this.#wrapped);
    const targets = tableTargets(bytes, at);
    this.#leaveBefore(at);
    this.#replace(at, next);
    out.byte(opcode.brTable);
    out.u32(targets.length - 1);
    for (const depth of targets) out.u32(depth > wrapped ? depth + addedBlocks : depth);
  }

  #call(at: number, next: number, callee: number): void {
    if (callee === this.#meter.periodicCheck) {
      this.#replace(at, next);
    } else if (callee === this.#meter.signal) {
      this.#replace(at, next);
      this.#out.bytes([opcode.i32Const, 0]);
    } else if (this.#charges.call(callee)) {
      this.#replace(at, at);
      charge(this.#out, this.#meter, this.#fuel, 1);
    }
  }

  /** At the default target: a charge, and back to the start, if it was the count that led here. */
  #chargeBatch(dispatch: Dispatch, next: number): void {
    this.#replace(next, next);
    const out = this.#out;
    out.byte(opcode.localGet);
    out.u32(this.#left);
    out.bytes([opcode.i32Const, 0, opcode.i32LtS, opcode.if, emptyBlock, opcode.i32Const]);
    out.s32(dispatch.batch);
    out.byte(opcode.localSet);
    out.u32(this.#left);
    charge(out, this.#meter, this.#fuel, dispatch.batch);
    out.byte(opcode.br);
    out.u32(this.#blocks.depthOf(dispatch.loop) + 1);
    out.byte(opcode.end);
  }
}

/** fuel -= units; if (fuel <= 0) refuel(). `scratch` is a local that is free here. */
export function charge(out: ByteWriter, meter: Counter, scratch: number, units: number): void {
  out.byte(opcode.globalGet);
  out.u32(meter.fuelGlobal);
  out.byte(opcode.i32Const);
  out.s32(units);
  out.byte(opcode.i32Sub);
  finishCharge(out, meter, scratch);
}

/** The end of a charge: takes the new value of the fuel from the operand stack. */
export function finishCharge(out: ByteWriter, meter: Counter, scratch: number): void {
  askIfSpent(out, meter, scratch);
  out.byte(opcode.end);
}

function askIfSpent(out: ByteWriter, meter: Counter, local: number): void {
  setFuel(out, meter, local);
  out.bytes([opcode.i32LeS, opcode.if, emptyBlock, opcode.call]);
  out.u32(meter.refuel);
}

/** Takes the new value of the fuel from the operand stack, and leaves it there with a 0 to compare it with. */
function setFuel(out: ByteWriter, meter: Counter, local: number): void {
  out.byte(opcode.localTee);
  out.u32(local);
  out.byte(opcode.globalSet);
  out.u32(meter.fuelGlobal);
  out.byte(opcode.localGet);
  out.u32(local);
  out.bytes([opcode.i32Const, 0]);
}

function loadFuel(out: ByteWriter, meter: Counter, local: number): void {
  out.byte(opcode.globalGet);
  out.u32(meter.fuelGlobal);
  out.byte(opcode.localSet);
  out.u32(local);
}

function storeFuel(out: ByteWriter, meter: Counter, local: number): void {
  out.byte(opcode.localGet);
  out.u32(local);
  out.byte(opcode.globalSet);
  out.u32(meter.fuelGlobal);
}

/** A charge of one unit where `local` holds the fuel: short loops would wait for each other's stores to the global. */
function chargeLoaded(out: ByteWriter, meter: Counter, local: number): void {
  out.byte(opcode.localGet);
  out.u32(local);
  out.bytes([opcode.i32Const, 1, opcode.i32Sub]);
  askIfSpent(out, meter, local);
  loadFuel(out, meter, local);
  out.byte(opcode.end);
}

/** local -= 1; leaves it on the operand stack. */
function takeOne(out: ByteWriter, local: number): void {
  out.byte(opcode.localGet);
  out.u32(local);
  out.bytes([opcode.i32Const, 1, opcode.i32Sub, opcode.localTee]);
  out.u32(local);
}

/** Before the table: left -= 1, and an operand beyond the table once that is negative. Cheaper than a branch by 4 %. */
function countDown(out: ByteWriter, left: number): void {
  takeOne(out, left);
  out.bytes([opcode.i32Const, 31, opcode.i32ShrS, opcode.i32Or]);
}
