// Which locals a block assigns anywhere within it: what was known of their values before it is not known behind it.

import { BlockStack } from "./block-stack.ts";
import { type FunctionBody, firstInstruction } from "./code-section.ts";
import { instructionEnd, numberAt, opcode } from "./instruction.ts";

/** By the start of the block. */
export function findAssignedLocals(body: FunctionBody): ReadonlyMap<number, ReadonlySet<number>> {
  const { bytes, end } = body;
  const found = new Map<number, Set<number>>();
  const open: Set<number>[] = [];
  const blocks = new BlockStack();
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    const code = bytes[at];
    const depth = blocks.count;
    blocks.step(bytes, at);
    if (code === opcode.localSet || code === opcode.localTee) open.at(-1)?.add(numberAt(bytes, at + 1));
    if (blocks.count > depth) {
      const locals = new Set<number>();
      found.set(at, locals);
      open.push(locals);
    } else if (blocks.count < depth) {
      const closed = open.pop();
      const around = open.at(-1);
      if (closed && around) for (const local of closed) around.add(local);
    }
  }
  return found;
}
