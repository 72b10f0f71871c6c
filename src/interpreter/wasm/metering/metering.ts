// The metered form of the code: which functions, loops and instructions are charged, and the three functions that it adds.
//
// Fuel is counted in a global of the module that no instruction of the guest can name. One unit stands for one branch back to
// the start of a loop, one call through which functions may recurse or of the evaluator, one bytecode instruction (paid in advance, by 32), or 64
// bytes of a bulk copy or fill: whatever runs for long has to do one of these often, and between two of them lies only straight
// code. Every charge depends on what the guest does and on nothing else, so the units that a program has used at any point are
// the same on every machine, however the host divides them into slices.

import { BlockStack } from "../format/block-stack.ts";
import { type FunctionBody, firstInstruction, readBodies } from "../format/code-section.ts";
import { type Exports, findExport } from "../format/export-section.ts";
import type { FunctionSpace } from "../format/function-space.ts";
import type { FunctionTypes } from "../format/function-types.ts";
import { ImageFormatError } from "../format/image-format-error.ts";
import { instructionEnd, numberAt, opcode } from "../format/instruction.ts";
import { cutRecursion } from "./call-graph.ts";
import { type Dispatch, type Meter, meterBody } from "./meter-code.ts";
import { bulkBody, refuelBody } from "./meter-functions.ts";
import { findSignals } from "./signals.ts";

/** Not charged: whether it is called depends on how large an earlier guest has left the memory. It does not call back. */
const growthImport = "emscripten_resize_heap";
const evaluatorExport = "_PyEval_EvalFrameDefault";
/** The evaluator switches over a byte, without 0 or with it. Its other tables are small. */
const smallestSwitch = 255;
/** Bytecode instructions that are charged at once, in advance: a call of the evaluator costs at least as many units. */
const dispatchBatch = 32;

export interface MeteringInput {
  readonly code: Uint8Array;
  readonly types: FunctionTypes;
  readonly functions: FunctionSpace;
  readonly exports: Exports;
  /** Index of an imported function, by name; throws ImageFormatError if there is none. */
  readonly findImport: (name: string) => number;
  readonly tableFunctions: ReadonlySet<number>;
  /** The function whose body the rewriter replaces by one that calls the table. */
  readonly trampoline: number;
  readonly fuelGlobal: number;
}

export interface Metering {
  /** A pass over the bodies. */
  readonly pass: (body: FunctionBody) => Uint8Array | undefined;
  /** Functions to add behind all others. */
  readonly added: readonly { readonly typeIndex: number; readonly body: Uint8Array }[];
}

export function planMetering(input: MeteringInput): Metering {
  const { code, types, functions, exports, fuelGlobal } = input;
  const bodies = [...readBodies(code, functions.importedCount)];
  const { signal, interrupt, periodicCheck } = findSignals(input, bodies);
  const evaluator = findExport(exports, evaluatorExport, "function").index;
  const meter: Meter = {
    fuelGlobal,
    refuel: functions.count,
    copy: functions.count + 1,
    fill: functions.count + 2,
    signal,
    periodicCheck,
  };
  const cut = cutRecursion({
    ...input,
    bodies,
    harmlessImport: input.findImport(growthImport),
    hub: evaluator,
  });
  const pass = (body: FunctionBody): Uint8Array | undefined => {
    const caller = body.functionIndex;
    return meterBody(body, meter, {
      parameters: functions.parameterCount(caller),
      entry: cut.entries.has(caller),
      call: (callee) => cut.chargesCall(caller, callee),
      indirectCall: (typeIndex) => cut.chargesIndirectCall(caller, typeIndex),
      ...(caller === evaluator && { dispatch: findDispatch(body) }),
    });
  };
  const bulkType = types.i32TypeIndex(3, false);
  return {
    pass,
    added: [
      { typeIndex: types.i32TypeIndex(0, false), body: refuelBody(signal, interrupt) },
      { typeIndex: bulkType, body: bulkBody("copy", meter) },
      { typeIndex: bulkType, body: bulkBody("fill", meter) },
    ],
  };
}

/**
 * The innermost loop around the switch over opcodes. Between its start and the switch there may be nothing but blocks and the
 * computation of the operand, so that every bytecode instruction passes the switch and can be sent there again.
 */
function findDispatch(body: FunctionBody): Dispatch {
  const { bytes, end } = body;
  const blocks = new BlockStack();
  const found: Dispatch[] = [];
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    blocks.step(bytes, at);
    if (bytes[at] !== opcode.brTable || numberAt(bytes, at + 1) < smallestSwitch) continue;
    const loop = blocks.innermostLoop();
    const defaultBlock = blocks.target(lastNumber(bytes, instructionEnd(bytes, at)));
    if (loop !== undefined && defaultBlock !== undefined && isSimple(bytes, loop, at, defaultBlock)) {
      found.push({ loop, table: at, defaultBlock, batch: dispatchBatch });
    }
  }
  const [dispatch] = found;
  if (dispatch === undefined || found.length > 1) {
    throw new ImageFormatError(`expected one loop over opcodes in ${evaluatorExport}, found ${found.length}`);
  }
  return dispatch;
}

const operandInstructions: readonly number[] = [
  opcode.localGet,
  opcode.i32Const,
  opcode.i32And,
  opcode.i32Sub,
];
const emptyBlockType = 0x40;

function isSimple(bytes: Uint8Array, loop: number, table: number, defaultBlock: number): boolean {
  if (bytes[defaultBlock] !== opcode.block || defaultBlock < loop) return false;
  for (let at = loop; at < table; at = instructionEnd(bytes, at)) {
    const code = bytes[at] ?? 0;
    const isBlock = (at === loop || code === opcode.block) && bytes[at + 1] === emptyBlockType;
    if (!isBlock && !operandInstructions.includes(code)) return false;
  }
  return true;
}

/** The number whose last byte stands before `end`; the bytes before it are numbers, too. */
function lastNumber(bytes: Uint8Array, end: number): number {
  let start = end - 1;
  while ((bytes[start - 1] ?? 0) >= 0x80) start--;
  return numberAt(bytes, start);
}
