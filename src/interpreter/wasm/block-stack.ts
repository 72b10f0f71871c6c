// The blocks that are open at an instruction of a body, as a pass comes by: what branch depths and loops are counted with.

import { instructionEnd, opcode } from "./instruction.ts";

export class BlockStack {
  readonly #starts: number[] = [];
  readonly #isLoop: boolean[] = [];
  #loops = 0;

  get inLoop(): boolean {
    return this.#loops > 0;
  }

  /** Tells that the pass has come to this instruction. Returns the start of the block that it closes, if it closes one. */
  step(bytes: Uint8Array, at: number): number | undefined {
    switch (bytes[at]) {
      case opcode.loop:
        this.#loops += 1;
        this.#open(at, true);
        return undefined;
      case opcode.block:
      case opcode.if:
      case opcode.try:
      case opcode.tryTable:
        this.#open(at, false);
        return undefined;
      case opcode.end:
      case opcode.delegate:
        if (this.#isLoop.pop()) this.#loops -= 1;
        return this.#starts.pop();
      default:
        return undefined;
    }
  }

  /** Start of the block that a branch of this depth names, or undefined if that is the function. */
  target(depth: number): number | undefined {
    return this.#starts[this.#starts.length - 1 - depth];
  }

  /** The depth with which a branch from here names the open block that starts there; -1 if none does. */
  depthOf(start: number): number {
    const index = this.#starts.lastIndexOf(start);
    return index < 0 ? -1 : this.#starts.length - 1 - index;
  }

  innermostLoop(): number | undefined {
    return this.#starts[this.#isLoop.lastIndexOf(true)];
  }

  #open(start: number, isLoop: boolean): void {
    this.#starts.push(start);
    this.#isLoop.push(isLoop);
  }
}

/** Starts of the loops in a stretch of code in which `isOther` finds nothing, and of those the ones that no other such loop holds. */
export interface PlainLoops {
  readonly all: ReadonlySet<number>;
  readonly outermost: ReadonlySet<number>;
}

export function findPlainLoops(
  bytes: Uint8Array,
  range: { readonly first: number; readonly end: number },
  isOther: (code: number, at: number) => boolean,
): PlainLoops {
  const open: { readonly start: number; isPlain: boolean; readonly inner: number[] }[] = [];
  const blocks = new BlockStack();
  const all = new Set<number>();
  const outermost = new Set<number>();
  for (let at = range.first; at < range.end; at = instructionEnd(bytes, at)) {
    const code = bytes[at] ?? 0;
    const closed = blocks.step(bytes, at);
    if (code === opcode.loop) open.push({ start: at, isPlain: true, inner: [] });
    else if (isOther(code, at)) for (const loop of open) loop.isPlain = false;
    const loop = open.at(-1);
    if (loop === undefined || closed !== loop.start) continue;
    open.pop();
    if (!loop.isPlain) continue;
    all.add(loop.start);
    outermost.add(loop.start);
    for (const inner of loop.inner) outermost.delete(inner);
    open.at(-1)?.inner.push(loop.start);
  }
  return { all, outermost };
}
