// Loops of every shape, left in every way: the metered form computes the same, and charges one unit for each branch back to the start of a
// loop, however the fuel is divided. The same function counts such branches itself in a form that is not metered.
import fc from "fast-check";
import { expect, test } from "vitest";
import { rewriteMetered, startMetered } from "./metered-for-tests.ts";

const op = {
  block: 2,
  loop: 3,
  if: 4,
  end: 11,
  br: 12,
  brIf: 13,
  brTable: 14,
  return: 15,
  call: 16,
  drop: 26,
};
const nothing = 0x40;
const i32 = 0x7f;
/** Of (i32,i32,i32,i32)->i32: two operands, how many branches back there may be, and the result so far. */
const [first, second, left, result] = [0, 1, 2, 3];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const constant = (value: number): number[] => [0x41, value & 63];
const [add, sub, mul, and, equal, greater] = [0x6a, 0x6b, 0x6c, 0x71, 0x46, 0x4a];
/** Of the little module: asks the host, and so is no call that could be left out. */
const setInterrupt = 5;
const countAt = [2, 0xc8, 0x01];
const countOne = [...constant(0), ...constant(0), 0x28, ...countAt, ...constant(1), add, 0x36, ...countAt];

interface Label {
  readonly isLoop: boolean;
  readonly takesValue: boolean;
}

/** A function made of what stands on a tape of numbers; with `counts`, it counts its branches back. */
class Writer {
  readonly code: number[] = [];
  readonly #labels: Label[] = [];
  readonly #counts: boolean;
  readonly #tape: readonly number[];
  #at = 0;

  constructor(tape: readonly number[], counts: boolean) {
    this.#tape = tape;
    this.#counts = counts;
  }

  write(): number[] {
    this.#statements(0);
    return [...this.code, ...get(result)];
  }

  #next(below: number): number {
    return (this.#tape[this.#at++ % this.#tape.length] ?? 0) % below;
  }

  #put(...code: number[]): void {
    this.code.push(...code);
  }

  #mix(): void {
    this.#put(...get(result), ...constant(5), mul, ...get(second), add, ...constant(this.#next(32)), add);
    this.#put(...set(result));
  }

  #condition(): void {
    const mask = this.#next(4);
    this.#put(...get(result), ...constant(mask), and, ...constant(this.#next(mask + 1)), equal);
  }

  #statements(depth: number): void {
    for (let count = 1 + this.#next(3); count > 0 && this.#at < this.#tape.length * 2; count--)
      this.#statement(depth);
  }

  #within(opcode: number, label: Label, depth: number, body: () => void): void {
    this.#put(opcode, label.takesValue ? i32 : nothing);
    this.#labels.push(label);
    if (depth < 5) this.#statements(depth + 1);
    body();
    this.#labels.pop();
    this.#put(op.end);
  }

  #statement(depth: number): void {
    switch (this.#next(9)) {
      case 0:
        this.#within(op.block, { isLoop: false, takesValue: false }, depth, () => this.#mix());
        break;
      case 1:
        this.#within(op.block, { isLoop: false, takesValue: true }, depth, () => this.#put(...get(first)));
        this.#put(...get(result), add, ...set(result));
        break;
      case 2:
      case 3:
        this.#within(op.loop, { isLoop: true, takesValue: false }, depth, () => {
          this.#mix();
          this.#branch(0);
        });
        break;
      case 4:
      case 5:
        if (this.#labels.length > 0) this.#branch(this.#next(this.#labels.length));
        break;
      case 6:
        this.#table();
        break;
      case 7:
        this.#condition();
        this.#put(op.if, nothing, ...get(result), op.return, op.end);
        break;
      default:
        // Loops with calls are charged otherwise.
        if (this.#next(3) === 0) this.#put(...get(result), op.call, setInterrupt, op.drop);
        this.#mix();
    }
  }

  /** To the label of that depth, on a condition, and back only as long as `left` allows. */
  #branch(depth: number): void {
    const { isLoop, takesValue } = this.#labels.at(-1 - depth) as Label;
    const counts = isLoop && this.#counts;
    // Drawn in both forms, which differ in nothing but what counts.
    const byIf = this.#next(2) === 0 || counts;
    if (isLoop) this.#put(...get(left), ...constant(1), sub, ...set(left));
    if (takesValue && !byIf) this.#put(...get(result));
    this.#condition();
    if (isLoop) this.#put(...get(left), ...constant(0), greater, and);
    if (!byIf) this.#put(op.brIf, depth, ...(takesValue ? [op.drop] : []));
    else {
      this.#put(op.if, nothing, ...(counts ? countOne : []), ...(takesValue ? get(result) : []));
      this.#put(op.br, depth + 1, op.end);
    }
  }

  #table(): void {
    const depths = this.#labels
      .map((_, depth) => depth)
      .filter((depth) => {
        const { isLoop, takesValue } = this.#labels.at(-1 - depth) as Label;
        return !isLoop && !takesValue;
      });
    // A block of its own, so that one target is what follows.
    this.#put(op.block, nothing, ...get(result), ...constant(3), and);
    this.#put(op.brTable, depths.length, 0, ...depths.map((depth) => depth + 1), op.end);
  }
}

type Work = (first: number, second: number, left: number, result: number) => number;

/** The module's function `straight` becomes this one. */
function rewritten(code: number[], metered: boolean): Uint8Array {
  return rewriteMetered((small) => {
    small.functions.push({ type: 0, code });
    const straight = small.exports.find(({ name }) => name === "straight");
    if (straight) straight.index = small.imports.length + small.functions.length - 1;
  }, metered).full;
}

function count(wasm: Uint8Array, operands: Parameters<Work>): [number, number] {
  const exports = startMetered(wasm);
  const value = (exports.straight as unknown as Work)(...operands);
  return [value, new DataView(exports.memory.buffer).getInt32(200, true)];
}

function spend(wasm: Uint8Array, operands: Parameters<Work>, slice: number): [number, number] {
  let granted = slice;
  const exports = startMetered(wasm, (fuel) => {
    while (fuel !== undefined && fuel.value <= 0) {
      fuel.value += slice;
      granted += slice;
    }
    return 0;
  });
  const fuel = exports["sandboa.fuel"] as WebAssembly.Global<"i32">;
  fuel.value = slice;
  const value = (exports.straight as unknown as Work)(...operands);
  return [value, granted - fuel.value];
}

test("what leaves a loop takes its charges along", () => {
  let back = 0;
  fc.assert(
    fc.property(
      fc.array(fc.nat(1000), { minLength: 8, maxLength: 80 }),
      fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(60), fc.nat(1000)),
      (tape, operands) => {
        const expected = count(rewritten(new Writer(tape, true).write(), false), operands);
        const wasm = rewritten(new Writer(tape, false).write(), true);
        for (const slice of [1, 2, 7, 2 ** 30]) expect(spend(wasm, operands, slice)).toEqual(expected);
        back += expected[1];
      },
    ),
    { numRuns: 800, seed: 20261130 },
  );
  // The programs are not all without loops.
  expect(back).toBeGreaterThan(2000);
}, 120_000);

test("from a short loop to the start of one that calls", () => {
  const code = (counts: boolean): number[] => {
    const back = (depth: number): number[] =>
      counts ? [op.if, nothing, ...countOne, op.br, depth + 1, op.end] : [op.brIf, depth];
    const isLeft = [...get(left), ...constant(0), greater];
    return [
      ...[op.loop, nothing, ...get(result), op.call, setInterrupt, op.drop, op.loop, nothing],
      ...[...get(left), ...constant(1), sub, ...set(left)],
      ...[...get(result), ...constant(5), mul, ...constant(1), add, ...set(result)],
      ...[...get(result), ...constant(3), and, ...constant(2), equal, ...isLeft, and, ...back(1)],
      ...[...isLeft, ...back(0), op.end, op.end, ...get(result)],
    ];
  };
  const [counted, wasm] = [rewritten(code(true), false), rewritten(code(false), true)];
  for (const start of [0, 1, 2, 3]) {
    const expected = count(counted, [0, 0, 40, start]);
    expect(expected[1]).toBe(39);
    for (const slice of [1, 2, 7, 2 ** 30]) expect(spend(wasm, [0, 0, 40, start], slice)).toEqual(expected);
  }
});
