// The blocks that are open at an instruction of a body, as a pass comes by: what branch depths and loops are counted with.

import { opcode } from "./instruction.ts";

export class BlockStack {
  readonly #starts: number[] = [];
  readonly #isLoop: boolean[] = [];

  get count(): number {
    return this.#starts.length;
  }

  /** Tells that the pass has come to this instruction. Returns the start of the block that it closes, if it closes one. */
  step(bytes: Uint8Array, at: number): number | undefined {
    switch (bytes[at]) {
      case opcode.loop:
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
        this.#isLoop.pop();
        return this.#starts.pop();
      default:
        return undefined;
    }
  }

  /** Start of the block that a branch of this depth names, or undefined if that is the function. */
  target(depth: number): number | undefined {
    return this.#starts[this.#starts.length - 1 - depth];
  }

  isLoop(depth: number): boolean {
    return this.#isLoop[this.#isLoop.length - 1 - depth] === true;
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
