// How the interpreter comes to know of a signal on this platform: where its code asks the host, and how it is told.

import { type FunctionBody, firstInstruction } from "../format/code-section.ts";
import { type Exports, findExport } from "../format/export-section.ts";
import type { FunctionSpace } from "../format/function-space.ts";
import { i32Signature } from "../format/function-types.ts";
import { ImageFormatError } from "../format/image-format-error.ts";
import { instructionEnd, numberAt, opcode } from "../format/instruction.ts";

const signalImport = "_Py_CheckEmscriptenSignals_Helper";
const interruptExport = "PyErr_SetInterruptEx";

/** Function indices. */
export interface Signals {
  /** ()->i32: asks the host for the number of a signal, or 0. */
  readonly signal: number;
  /** (i32)->i32: makes the interpreter handle a signal at its next step. */
  readonly interrupt: number;
  /** ()->void: does nothing but call `signal` now and then. */
  readonly periodicCheck: number;
}

export function findSignals(
  input: {
    readonly functions: FunctionSpace;
    readonly exports: Exports;
    readonly findImport: (name: string) => number;
  },
  bodies: readonly FunctionBody[],
): Signals {
  const { functions, exports } = input;
  const signal = input.findImport(signalImport);
  const interrupt = findExport(exports, interruptExport, "function").index;
  if (functions.signature(interrupt) !== i32Signature(1, true)) {
    throw new ImageFormatError(`${interruptExport} is ${functions.signature(interrupt)}`);
  }
  return { signal, interrupt, periodicCheck: findPeriodicCheck(bodies, functions, signal) };
}

/**
 * _Py_CheckEmscriptenSignalsPeriodically (Python/emscripten_signal.c), which the evaluator calls instead of asking for signals
 * every time: the one function of type ()->void that calls the import. It counts in guest memory, where a guest can stop it.
 */
function findPeriodicCheck(
  bodies: readonly FunctionBody[],
  functions: FunctionSpace,
  signal: number,
): number {
  const found = bodies.filter(
    (body) =>
      functions.signature(body.functionIndex) === i32Signature(0, false) && callsFunction(body, signal),
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
