// Constant data of functions that are not there any more: where only what Python needs is exported, they would stand in every snapshot for
// nothing. Which data these may be is told; whether a function names an address in them is looked up.
import { type FunctionBody, firstInstruction, readBodies } from "./format/code-section.ts";
import { instructionEnd, numberAt, numberEnd, opcode } from "./format/instruction.ts";

/** Addresses, the second one excluded. */
export interface DataRange {
  readonly start: number;
  readonly end: number;
}

/** The last opcode of those with an offset in memory; the first is `i32Load`. */
const lastMemoryAccess = opcode.i64Store32;
/** Likewise behind `prefixVector`: v128.load to v128.store, the lanes, and the loads that fill up with zeros. */
const isVectorAccess = (number: number): boolean => number <= 11 || (number >= 84 && number <= 93);

/** Those ranges in which none of the functions names an address. */
export function unusedRanges(
  code: Uint8Array,
  firstIndex: number,
  ranges: readonly DataRange[],
): readonly DataRange[] {
  let unused = ranges;
  for (const body of ranges.length > 0 ? readBodies(code, firstIndex) : []) {
    for (const address of namedIn(body))
      if (unused.some((range) => contains(range, address)))
        unused = unused.filter((range) => !contains(range, address));
  }
  return unused;
}

function contains({ start, end }: DataRange, address: number): boolean {
  return address >= start && address < end;
}

/** Constants and offsets: every number that can be, or begin, an address. */
function* namedIn(body: FunctionBody): Generator<number> {
  const { bytes, end } = body;
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    const code = bytes[at] ?? 0;
    if (code === opcode.i32Const) yield numberAt(bytes, at + 1);
    else if (code >= opcode.i32Load && code <= lastMemoryAccess)
      yield numberAt(bytes, numberEnd(bytes, at + 1));
    else if (code === opcode.prefixVector && isVectorAccess(numberAt(bytes, at + 1)))
      yield numberAt(bytes, numberEnd(bytes, numberEnd(bytes, at + 1)));
  }
}
