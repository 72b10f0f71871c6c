// The three functions that metering adds to the module: one that asks the host for fuel, and memory.copy and memory.fill with a
// charge for their length. The latter go in steps, so that no single one takes long, however large the memory is.

import { ByteWriter } from "../format/byte-writer.ts";
import { memoryCopy, memoryFill, opcode } from "../format/instruction.ts";
import { finishCharge, type Meter } from "./meter-code.ts";

const emptyBlock = 0x40;
const i32 = 0x7f;
const bytesPerUnitShift = 6;
const stepBytes = 1 << 20;

/** ()->void: asks the host, and passes on the signal that it answers with as if the process had received it. */
export function refuelBody(signalImport: number, setInterrupt: number): Uint8Array {
  const out = new ByteWriter();
  out.bytes([1, 1, i32, opcode.call]);
  out.u32(signalImport);
  out.bytes([opcode.localTee, 0, opcode.if, emptyBlock, opcode.localGet, 0, opcode.call]);
  out.u32(setInterrupt);
  out.bytes([opcode.drop, opcode.end, opcode.end]);
  return out.finish();
}

const target = 0;
/** Of a copy the address of its source, of a fill the byte. */
const source = 1;
const length = 2;
const scratch = 3;

/** (target, source, length)->void. */
export function bulkBody(kind: "copy" | "fill", meter: Meter): Uint8Array {
  const out = new ByteWriter();
  out.bytes([1, 1, i32]);
  const constant = (value: number): void => {
    out.byte(opcode.i32Const);
    out.s32(value);
  };
  const isLong = (): void => {
    out.bytes([opcode.localGet, length]);
    constant(stepBytes);
    out.byte(opcode.i32GtU);
  };
  const move = (local: number, operator: number): void => {
    out.bytes([opcode.localGet, local]);
    constant(stepBytes);
    out.bytes([operator, opcode.localSet, local]);
  };
  const operands = (offsetLocal?: number): void => {
    out.bytes([opcode.localGet, target]);
    if (offsetLocal !== undefined) out.bytes([opcode.localGet, offsetLocal, opcode.i32Add]);
    out.bytes([opcode.localGet, source]);
    if (offsetLocal !== undefined) out.bytes([opcode.localGet, offsetLocal, opcode.i32Add]);
  };
  const bulk = (): void => {
    out.bytes([opcode.prefixMemory, ...(kind === "copy" ? [memoryCopy, 0, 0] : [memoryFill, 0])]);
  };
  const chargeStep = (): void => {
    out.byte(opcode.globalGet);
    out.u32(meter.fuelGlobal);
    constant(stepBytes >> bytesPerUnitShift);
    out.byte(opcode.i32Sub);
    finishCharge(out, meter, scratch);
  };
  const whileLong = (step: () => void): void => {
    out.bytes([opcode.loop, emptyBlock]);
    step();
    isLong();
    out.bytes([opcode.brIf, 0, opcode.end]);
  };

  isLong();
  out.bytes([opcode.if, emptyBlock]);
  if (kind === "copy") {
    // Overlapping ranges are copied from the end that the copy itself does not destroy.
    out.bytes([opcode.localGet, target, opcode.localGet, source, opcode.i32LeU, opcode.if, emptyBlock]);
  }
  whileLong(() => {
    chargeStep();
    operands();
    constant(stepBytes);
    bulk();
    move(target, opcode.i32Add);
    if (kind === "copy") move(source, opcode.i32Add);
    move(length, opcode.i32Sub);
  });
  if (kind === "copy") {
    out.byte(opcode.else);
    whileLong(() => {
      chargeStep();
      move(length, opcode.i32Sub);
      operands(length);
      constant(stepBytes);
      bulk();
    });
    out.byte(opcode.end);
  }
  out.byte(opcode.end);

  out.byte(opcode.globalGet);
  out.u32(meter.fuelGlobal);
  out.bytes([opcode.localGet, length]);
  constant(bytesPerUnitShift);
  out.bytes([opcode.i32ShrU, opcode.i32Sub]);
  finishCharge(out, meter, scratch);
  operands();
  out.bytes([opcode.localGet, length]);
  bulk();
  out.byte(opcode.end);
  return out.finish();
}
