// In an instance whose memory is restored no code may change a table. The module has tables of host references besides the one of
// functions (Pyodide's hiwire), which are neither memory nor globals: what a guest put in there would outlive a reset.

import { type FunctionBody, firstInstruction, rewriteBodies, trapBody } from "./format/code-section.ts";
import { instructionEnd, numberAt, opcode } from "./format/instruction.ts";

/** table.init, table.copy, table.grow, table.fill, by the number behind the prefix. */
const changingNumbers: readonly number[] = [12, 14, 15, 17];

/** The code section with every function that changes a table replaced by a trap. `firstIndex` is the number of imported functions. */
export function stillTables(code: Uint8Array, firstIndex: number): Uint8Array {
  return rewriteBodies(code, firstIndex, (body) => (changesTable(body) ? trapBody : undefined));
}

function changesTable(body: FunctionBody): boolean {
  const { bytes, end } = body;
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    if (bytes[at] === opcode.tableSet) return true;
    if (bytes[at] === opcode.prefixMemory && changingNumbers.includes(numberAt(bytes, at + 1))) return true;
  }
  return false;
}
