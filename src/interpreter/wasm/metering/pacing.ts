// The plain form's looks for signals: each counts down in a global of the module, and the host is asked when that is used up. As
// shipped, the interpreter counts in guest memory on some paths, and on others (each row of a multiplication of big integers)
// asks JavaScript every time.

import { countLocals, declareLocals } from "../format/added-locals.ts";
import { ByteWriter } from "../format/byte-writer.ts";
import { type FunctionBody, firstInstruction, readBodies } from "../format/code-section.ts";
import { instructionEnd, numberAt, opcode } from "../format/instruction.ts";
import { type Counter, charge } from "./meter-code.ts";
import { refuelBody } from "./meter-functions.ts";
import type { Metering, MeteringInput } from "./metering.ts";
import { findSignals, type Signals } from "./signals.ts";

export const paceExport = "sandboa.pace";

export function planPacing(input: MeteringInput): Metering {
  const { code, types, functions, fuelGlobal } = input;
  const signals = findSignals(input, [...readBodies(code, functions.importedCount)]);
  const counter: Counter = { fuelGlobal, refuel: functions.count };
  return {
    pass: (body) => paceBody(body, counter, functions.parameterCount(body.functionIndex), signals),
    added: [{ typeIndex: types.i32TypeIndex(0, false), body: refuelBody(signals.signal, signals.interrupt) }],
  };
}

/** The body with a charge in the place of each look, or undefined when it has none. */
function paceBody(
  body: FunctionBody,
  counter: Counter,
  parameters: number,
  { signal, periodicCheck }: Signals,
): Uint8Array | undefined {
  const { bytes, end } = body;
  const out = new ByteWriter(end - body.start + 64);
  let copied = firstInstruction(body);
  let scratch: number | undefined;
  for (let at = copied; at < end; ) {
    const next = instructionEnd(bytes, at);
    const callee = bytes[at] === opcode.call ? numberAt(bytes, at + 1) : undefined;
    if (callee === signal || callee === periodicCheck) {
      if (scratch === undefined) declareLocals(body, 1, out);
      scratch ??= countLocals(body, parameters);
      out.bytes(bytes.subarray(copied, at));
      charge(out, counter, scratch, 1);
      // A signal that has come is handled at the next step: here there is none.
      if (callee === signal) out.bytes([opcode.i32Const, 0]);
      copied = next;
    }
    at = next;
  }
  if (scratch === undefined) return undefined;
  out.bytes(bytes.subarray(copied, end));
  return out.finish();
}
