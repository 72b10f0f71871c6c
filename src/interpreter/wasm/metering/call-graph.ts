// Who may call whom: to find where recursion has to be charged, since recursion that branches runs as long as a loop does
// without being one. Indirect calls are taken to reach every function of the table that has their type, and imports to reach
// the whole table, so the graph has too many edges and never too few.

import { type FunctionBody, firstInstruction } from "../format/code-section.ts";
import type { FunctionSpace } from "../format/function-space.ts";
import type { FunctionTypes } from "../format/function-types.ts";
import { instructionEnd, numberAt, opcode } from "../format/instruction.ts";
import { cyclicComponents, targetsOfBackEdges } from "./graph.ts";

interface CallGraphInput {
  readonly bodies: readonly FunctionBody[];
  readonly functions: FunctionSpace;
  readonly types: FunctionTypes;
  /** Functions that stand in the table. */
  readonly tableFunctions: ReadonlySet<number>;
  /** A function that calls into the table with types that its body does not show. */
  readonly trampoline: number;
  /** An import that calls nothing. */
  readonly harmlessImport: number;
  /** A function that takes part in nearly all recursion, and is charged whenever it is called: then its own calls need not be. */
  readonly hub: number;
}

/** Every cycle of calls goes through one of these. */
interface RecursionCut {
  /** Functions to charge whenever they are called. */
  readonly entries: ReadonlySet<number>;
  /** Whether to charge a call of that function, or an indirect call of that type. */
  chargesCall(caller: number, callee: number): boolean;
  chargesIndirectCall(caller: number, typeIndex: number): boolean;
}

export function cutRecursion(input: CallGraphInput): RecursionCut {
  const { bodies, functions, types, tableFunctions, trampoline, harmlessImport, hub } = input;
  // Behind the functions stands one node for each type of function in the table.
  const targets: number[][] = Array.from({ length: functions.count }, () => []);
  const nodeOf = new Map<string, number>();
  for (const target of tableFunctions) {
    const signature = functions.signature(target);
    const node = nodeOf.get(signature) ?? targets.push([]) - 1;
    nodeOf.set(signature, node);
    targets[node]?.push(target);
  }
  const wholeTable = [...nodeOf.values()];
  for (let index = 0; index < functions.importedCount; index++) {
    if (index !== harmlessImport) targets[index] = wholeTable;
  }
  for (const body of bodies) targets[body.functionIndex] = [...callsOf(body, types, nodeOf)];
  targets[trampoline] = wholeTable;
  // No cycle that is left goes through it.
  targets[hub] = [];

  // What leads to the table is charged where it is called; what direct calls close among themselves, at an entry.
  const component = cyclicComponents(targets);
  const leadsToTable = (node: number): boolean =>
    node < functions.importedCount || node >= functions.count || node === trampoline;
  const charged = (caller: number, node: number): boolean =>
    leadsToTable(node) && component[caller] !== undefined && component[caller] === component[node];
  const direct = targets.map((nodes) => nodes.filter((node) => !leadsToTable(node)));
  for (let node = 0; node < targets.length; node++) if (leadsToTable(node)) direct[node] = [];
  return {
    entries: new Set([...targetsOfBackEdges(direct), hub]),
    chargesCall: charged,
    chargesIndirectCall: (caller, typeIndex) => {
      const node = nodeOf.get(types.signature(typeIndex));
      return node !== undefined && charged(caller, node);
    },
  };
}

function callsOf(
  body: FunctionBody,
  types: FunctionTypes,
  nodeOf: ReadonlyMap<string, number>,
): ReadonlySet<number> {
  const { bytes } = body;
  const calls = new Set<number>();
  const last = body.end - 1;
  for (let at = firstInstruction(body); at < last; at = instructionEnd(bytes, at)) {
    const code = bytes[at] ?? 0;
    if (code === opcode.call || code === opcode.returnCall) {
      calls.add(numberAt(bytes, at + 1));
    } else if (code === opcode.callIndirect || code === opcode.returnCallIndirect) {
      const node = nodeOf.get(types.signature(numberAt(bytes, at + 1)));
      if (node !== undefined) calls.add(node);
    }
  }
  return calls;
}
