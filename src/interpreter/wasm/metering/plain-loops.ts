// Which loops of a body can be charged in a cheaper way, because no function is called while they run.

import { BlockStack } from "../format/block-stack.ts";
import { type FunctionBody, firstInstruction } from "../format/code-section.ts";
import { instructionEnd, numberAt, opcode } from "../format/instruction.ts";

/** Loops are named by the offset at which they start. */
export interface PlainLoops {
  /** Without calls and bulk instructions. */
  readonly all: ReadonlySet<number>;
  /** Those of `all` that stand in no other of `all`. */
  readonly outermost: ReadonlySet<number>;
  /** Those of `all` that take and return no values and hold nothing that names a block but `br`, `br_if` and `br_table`, of
   * which the last never leads to their start; and no other loop. */
  readonly simple: ReadonlySet<number>;
}

interface OpenLoop {
  readonly start: number;
  isPlain: boolean;
  isSimple: boolean;
  readonly inner: number[];
}

const emptyBlockType = 0x40;

export function findPlainLoops(body: FunctionBody): PlainLoops {
  const { bytes, end } = body;
  const open: OpenLoop[] = [];
  const blocks = new BlockStack();
  const found = { all: new Set<number>(), outermost: new Set<number>(), simple: new Set<number>() };
  for (let at = firstInstruction(body); at < end; ) {
    const next = instructionEnd(bytes, at);
    const closed = blocks.step(bytes, at);
    switch (bytes[at]) {
      case opcode.loop:
        for (const loop of open) loop.isSimple = false;
        open.push({ start: at, isPlain: true, isSimple: bytes[at + 1] === emptyBlockType, inner: [] });
        break;
      case opcode.call:
      case opcode.callIndirect:
      case opcode.prefixMemory:
        for (const loop of open) loop.isPlain = false;
        break;
      case opcode.brTable:
        if (open.length === 0 || !leadsToLoop(bytes, at, blocks)) break;
        for (const loop of open) loop.isSimple = false;
        break;
      case opcode.try:
      case opcode.tryTable:
      case opcode.rethrow:
        for (const loop of open) loop.isSimple = false;
    }
    const last = open.at(-1);
    if (last !== undefined && closed === last.start) {
      open.pop();
      if (last.isPlain) {
        close(last, found);
        open.at(-1)?.inner.push(last.start);
      }
    }
    at = next;
  }
  return found;
}

function close(loop: OpenLoop, found: { [name in keyof PlainLoops]: Set<number> }): void {
  found.all.add(loop.start);
  found.outermost.add(loop.start);
  for (const inner of loop.inner) found.outermost.delete(inner);
  if (loop.isSimple) found.simple.add(loop.start);
}

/** Whether a `br_table` has a target that is the start of a loop. */
export function leadsToLoop(bytes: Uint8Array, at: number, blocks: BlockStack): boolean {
  return tableTargets(bytes, at).some((depth) => blocks.isLoop(depth));
}

/** The depths of a `br_table`, the default last. */
export function tableTargets(bytes: Uint8Array, at: number): readonly number[] {
  const end = instructionEnd(bytes, at);
  const numbers: number[] = [];
  for (let offset = at + 1; offset < end; ) {
    numbers.push(numberAt(bytes, offset));
    while ((bytes[offset] ?? 0) >= 0x80) offset++;
    offset++;
  }
  return numbers.slice(1);
}
