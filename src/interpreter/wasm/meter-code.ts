// The metered form of one function body: what it takes to charge loops, calls and bulk instructions to the fuel global.
// Everything else is copied; no branch depth and no local index changes, since charges stand between instructions, leave the
// operand stack as it was, and use one local that is added behind all others.

import { ByteWriter } from "./byte-writer.ts";
import type { FunctionBody } from "./code-section.ts";
import { firstInstruction } from "./code-section.ts";
import { instructionEnd, memoryCopy, memoryFill, numberAt, opcode } from "./instruction.ts";

/** Where the metered form keeps its parts. All are indices of the module's index spaces. */
export interface Meter {
  readonly fuelGlobal: number;
  /** ()->void: to be called when the fuel is used up. */
  readonly refuel: number;
  /** (i32,i32,i32)->void: memory.copy and memory.fill that charge for their length. */
  readonly copy: number;
  readonly fill: number;
  /** ()->void: a check that metering makes superfluous; its calls are left out. */
  readonly periodicCheck: number;
}

export interface BodyCharges {
  /** Number of parameters: they are the first locals. */
  readonly parameters: number;
  /** Charge one unit at every call. */
  readonly entry: boolean;
  /** Offset, in the section, of a loop that is charged by a local countdown, this many iterations at a time and in advance. */
  readonly countdown?: { readonly loop: number; readonly batch: number };
}

const emptyBlock = 0x40;
const i32 = 0x7f;

/** The metered body, or undefined when nothing in it needs a charge. */
export function meterBody(body: FunctionBody, meter: Meter, charges: BodyCharges): Uint8Array | undefined {
  const { bytes, end } = body;
  const first = firstInstruction(body);
  const out = new ByteWriter(end - body.start + 256);
  const scratch = addLocals(body, charges, out);
  let copied = first;
  let changed = false;
  const replace = (from: number, to: number): void => {
    out.bytes(bytes.subarray(copied, from));
    copied = to;
    changed = true;
  };
  if (charges.entry) {
    changed = true;
    charge(out, meter, scratch, 1);
  }
  for (let at = first; at < end; ) {
    const next = instructionEnd(bytes, at);
    switch (bytes[at]) {
      case opcode.loop:
        replace(next, next);
        if (at === charges.countdown?.loop) {
          countDown(out, meter, scratch, charges.countdown.batch);
        } else {
          charge(out, meter, scratch, 1);
        }
        break;
      case opcode.call:
        if (numberAt(bytes, at + 1) === meter.periodicCheck) replace(at, next);
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

/** Writes the local declarations with one or two i32 more and returns the index of the first added one. */
function addLocals(body: FunctionBody, charges: BodyCharges, out: ByteWriter): number {
  const { bytes } = body;
  const groups = numberAt(bytes, body.start);
  let at = body.start;
  while ((bytes[at] ?? 0) >= 0x80) at++;
  const declarations = at + 1;
  const first = firstInstruction(body);
  let locals = charges.parameters;
  for (at = declarations; at < first; at++) {
    locals += numberAt(bytes, at);
    while ((bytes[at] ?? 0) >= 0x80) at++;
    at++;
  }
  out.u32(groups + 1);
  out.bytes(bytes.subarray(declarations, first));
  out.bytes([charges.countdown ? 2 : 1, i32]);
  return locals;
}

/** fuel -= units; if (fuel <= 0) refuel(). `scratch` is a local that nothing else uses. */
export function charge(out: ByteWriter, meter: Meter, scratch: number, units: number): void {
  out.byte(opcode.globalGet);
  out.u32(meter.fuelGlobal);
  out.byte(opcode.i32Const);
  out.s32(units);
  out.byte(opcode.i32Sub);
  finishCharge(out, meter, scratch);
}

/** Takes the new value of the fuel from the operand stack. */
export function finishCharge(out: ByteWriter, meter: Meter, scratch: number): void {
  out.byte(opcode.localTee);
  out.u32(scratch);
  out.byte(opcode.globalSet);
  out.u32(meter.fuelGlobal);
  out.byte(opcode.localGet);
  out.u32(scratch);
  out.bytes([opcode.i32Const, 0, opcode.i32LeS, opcode.if, emptyBlock, opcode.call]);
  out.u32(meter.refuel);
  out.byte(opcode.end);
}

/** Once in `batch` iterations, and at the first one of every call: a charge of `batch` units. */
function countDown(out: ByteWriter, meter: Meter, scratch: number, batch: number): void {
  const left = scratch + 1;
  out.byte(opcode.localGet);
  out.u32(left);
  out.bytes([opcode.i32Const, 0x7f, opcode.i32Add, opcode.localTee]);
  out.u32(left);
  out.bytes([opcode.i32Const, 0, opcode.i32LtS, opcode.if, emptyBlock, opcode.i32Const]);
  out.s32(batch - 1);
  out.byte(opcode.localSet);
  out.u32(left);
  charge(out, meter, scratch, batch);
  out.byte(opcode.end);
}
