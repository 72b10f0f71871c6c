// Who may call whom: to find functions that can take part in a recursion, since recursion that branches runs as long as a
// loop does without being one. Indirect calls are taken to reach every function of the table that has their type, and
// imports to reach the whole table, so the graph has too many edges and never too few.

import { type FunctionBody, firstInstruction } from "./code-section.ts";
import type { FunctionSpace } from "./function-space.ts";
import type { FunctionTypes } from "./function-types.ts";
import { instructionEnd, numberAt, opcode } from "./instruction.ts";

export interface CallGraphInput {
  readonly bodies: readonly FunctionBody[];
  readonly functions: FunctionSpace;
  readonly types: FunctionTypes;
  /** Functions that stand in the table. */
  readonly tableFunctions: ReadonlySet<number>;
  /** Functions whose new bodies call the table in ways that the old ones do not show. */
  readonly callersOfTable: readonly number[];
}

/** Nodes 0..functions are functions; behind them stands one node for each type of function in the table. */
export class CallGraph {
  readonly #targets: number[][] = [];
  readonly #functionCount: number;

  constructor(input: CallGraphInput) {
    const { bodies, functions, types, tableFunctions } = input;
    this.#functionCount = functions.importedCount + bodies.length;
    const bySignature = new Map<string, number[]>();
    for (const target of tableFunctions) {
      const signature = functions.signature(target);
      const sharing = bySignature.get(signature);
      if (sharing) sharing.push(target);
      else bySignature.set(signature, [target]);
    }
    const nodeOf = new Map<string, number>();
    const wholeTable: number[] = [];
    for (const signature of bySignature.keys()) {
      nodeOf.set(signature, this.#functionCount + wholeTable.length);
      wholeTable.push(this.#functionCount + wholeTable.length);
    }
    for (let i = 0; i < functions.importedCount; i++) this.#targets.push(wholeTable);
    for (const body of bodies) this.#targets.push(callsOf(body, types, nodeOf));
    for (const caller of input.callersOfTable) this.#targets[caller] = wholeTable;
    this.#targets.push(...bySignature.values());
  }

  /**
   * Functions such that every cycle of the graph goes through one of them: the members of the table that lie on a cycle and,
   * for what direct calls still close, the first function of each cycle that a depth-first walk comes upon.
   */
  recursionCut(): ReadonlySet<number> {
    const cut = new Set<number>();
    const cyclic = this.#onCycles();
    for (const target of this.#targets.slice(this.#functionCount).flat()) {
      if (cyclic.has(target)) cut.add(target);
    }
    this.#walk(cut, (target) => cut.add(target));
    return cut;
  }

  /** Nodes of strongly connected components that have a cycle (Tarjan's algorithm, without recursion). */
  #onCycles(): ReadonlySet<number> {
    const order = new Int32Array(this.#targets.length).fill(-1);
    const low = new Int32Array(this.#targets.length);
    const open: number[] = [];
    const isOpen = new Uint8Array(this.#targets.length);
    const cyclic = new Set<number>();
    let next = 0;
    for (let root = 0; root < this.#targets.length; root++) {
      if (at(order, root) >= 0) continue;
      const path: { node: number; edge: number }[] = [];
      const enter = (node: number): void => {
        order[node] = next;
        low[node] = next++;
        open.push(node);
        isOpen[node] = 1;
        path.push({ node, edge: 0 });
      };
      enter(root);
      for (let top = path.at(-1); top; top = path.at(-1)) {
        const { node } = top;
        const target = this.#targets[node]?.[top.edge++];
        if (target === undefined) {
          path.pop();
          const parent = path.at(-1)?.node;
          if (parent !== undefined) low[parent] = Math.min(at(low, parent), at(low, node));
          if (low[node] === order[node]) closeComponent(node, open, isOpen, this.#targets, cyclic);
        } else if (at(order, target) < 0) {
          enter(target);
        } else if (isOpen[target]) {
          low[node] = Math.min(at(low, node), at(order, target));
        }
      }
    }
    return cyclic;
  }

  /** Depth first, not through `without`; `onBack` is told each target of an edge that closes a cycle. */
  #walk(without: ReadonlySet<number>, onBack: (target: number) => void): void {
    const state = new Uint8Array(this.#targets.length);
    const onPath = 1;
    const done = 2;
    for (let root = 0; root < this.#targets.length; root++) {
      if (state[root] || without.has(root)) continue;
      const path = [{ node: root, edge: 0 }];
      state[root] = onPath;
      for (let top = path.at(-1); top; top = path.at(-1)) {
        const target = this.#targets[top.node]?.[top.edge++];
        if (target === undefined) {
          state[top.node] = done;
          path.pop();
        } else if (without.has(target)) {
        } else if (state[target] === onPath) {
          onBack(target);
        } else if (!state[target]) {
          state[target] = onPath;
          path.push({ node: target, edge: 0 });
        }
      }
    }
  }
}

function at(array: Int32Array, index: number): number {
  return array[index] ?? 0;
}

function closeComponent(
  root: number,
  open: number[],
  isOpen: Uint8Array,
  targets: readonly (readonly number[])[],
  cyclic: Set<number>,
): void {
  const start = open.lastIndexOf(root);
  const members = open.splice(start);
  for (const member of members) isOpen[member] = 0;
  if (members.length > 1 || targets[root]?.includes(root)) for (const member of members) cyclic.add(member);
}

function callsOf(body: FunctionBody, types: FunctionTypes, nodeOf: ReadonlyMap<string, number>): number[] {
  const { bytes } = body;
  const targets = new Set<number>();
  const last = body.end - 1;
  for (let at = firstInstruction(body); at < last; at = instructionEnd(bytes, at)) {
    switch (bytes[at]) {
      case opcode.call:
      case opcode.returnCall:
        targets.add(numberAt(bytes, at + 1));
        break;
      case opcode.callIndirect:
      case opcode.returnCallIndirect: {
        const node = nodeOf.get(types.signature(numberAt(bytes, at + 1)));
        if (node !== undefined) targets.add(node);
        break;
      }
    }
  }
  return [...targets];
}
