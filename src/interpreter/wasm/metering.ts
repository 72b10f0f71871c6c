// The metered form of the code: which functions, loops and instructions are charged, and the three functions that it adds.
//
// Fuel is counted in a global of the module that no instruction of the guest can name. One unit stands for one iteration of a
// loop, one call of a function that may recurse, one bytecode instruction, or 64 bytes of a bulk copy or fill: whatever runs
// for long has to do one of these for long, and between two of them lies only straight code. Every charge depends on what the
// guest does and on nothing else, so the units that a program has used at any point are the same on every machine, however
// the host divides them into slices.

import type { FunctionBody } from "./code-section.ts";
import { firstInstruction, readBodies } from "./code-section.ts";
import { CallGraph } from "./call-graph.ts";
import { type Exports, findExport } from "./export-section.ts";
import type { FunctionSpace } from "./function-space.ts";
import { type FunctionTypes, i32Signature } from "./function-types.ts";
import { ImageFormatError } from "./image-format-error.ts";
import { instructionEnd, numberAt, opcode } from "./instruction.ts";
import { type Meter, meterBody } from "./meter-code.ts";
import { bulkBody, refuelBody } from "./meter-functions.ts";

export const fuelExport = "sandboa.fuel";

const signalImport = "_Py_CheckEmscriptenSignals_Helper";
const interruptExport = "PyErr_SetInterruptEx";
const evaluatorExport = "_PyEval_EvalFrameDefault";
/** The evaluator switches over a byte; other tables in it are small. */
const opcodeCount = 256;
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
  /** Functions whose bodies the rewriter replaces by ones that call the table. */
  readonly callersOfTable: readonly number[];
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
  const signal = input.findImport(signalImport);
  const interrupt = findExport(exports, interruptExport, "function").index;
  if (functions.signature(interrupt) !== i32Signature(1, true)) {
    throw new ImageFormatError(`${interruptExport} is ${functions.signature(interrupt)}`);
  }
  const evaluator = findExport(exports, evaluatorExport, "function").index;
  const periodicCheck = findPeriodicCheck(bodies, functions, signal);
  const meter: Meter = {
    fuelGlobal,
    refuel: functions.count,
    copy: functions.count + 1,
    fill: functions.count + 2,
    periodicCheck,
  };
  const cut = new CallGraph({ ...input, bodies }).recursionCut();
  const pass = (body: FunctionBody): Uint8Array | undefined => {
    const index = body.functionIndex;
    if (index === evaluator) {
      const loop = findDispatchLoop(body);
      return meterBody(body, meter, {
        parameters: functions.parameterCount(index),
        entry: false,
        countdown: { loop, batch: dispatchBatch },
      });
    }
    return meterBody(body, meter, { parameters: functions.parameterCount(index), entry: cut.has(index) });
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
 * _Py_CheckEmscriptenSignalsPeriodically (Python/emscripten_signal.c), which the evaluator calls instead of asking for signals
 * every time: the one function of type ()->void that calls the import. It counts in guest memory, where a guest can stop it.
 */
function findPeriodicCheck(bodies: readonly FunctionBody[], functions: FunctionSpace, signal: number): number {
  const found = bodies.filter(
    (body) => functions.signature(body.functionIndex) === i32Signature(0, false) && callsFunction(body, signal),
  );
  const [check] = found;
  if (check === undefined || found.length > 1) {
    throw new ImageFormatError(`expected one periodic caller of ${signalImport}, found ${found.length}`);
  }
  return check.functionIndex;
}

function callsFunction(body: FunctionBody, callee: number): boolean {
  const { bytes, end } = body;
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    if (bytes[at] === opcode.call && numberAt(bytes, at + 1) === callee) return true;
  }
  return false;
}

/** Offset of the innermost loop around the switch over opcodes. Every bytecode instruction goes through its start. */
function findDispatchLoop(body: FunctionBody): number {
  const { bytes, end } = body;
  const open: number[] = [];
  const found: (number | undefined)[] = [];
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    switch (bytes[at]) {
      case opcode.block:
      case opcode.loop:
      case opcode.if:
      case opcode.try:
        open.push(at);
        break;
      case opcode.end:
      case opcode.delegate:
        open.pop();
        break;
      case opcode.brTable:
        // One more target than the number says: the default.
        if (numberAt(bytes, at + 1) + 1 >= opcodeCount) {
          found.push(open.findLast((start) => bytes[start] === opcode.loop));
        }
    }
  }
  const [loop] = found;
  if (loop === undefined || found.length > 1) {
    throw new ImageFormatError(`expected one loop around one switch over opcodes in ${evaluatorExport}`);
  }
  return loop;
}
