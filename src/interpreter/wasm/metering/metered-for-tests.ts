// A module with all that the metered form looks for, in miniature, and functions of every shape that is charged.

import { assemble, type SmallModule } from "../format/assemble-for-tests.ts";
import { type RewriteOptions, rewriteImage } from "../rewrite.ts";

const voidType = 0x40;
const i32Type = 0x7f;
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const constant = (value: number): number[] => [0x41, value];
const add = 0x6a;
const sub = 0x6b;
const end = 0x0b;
const loop = 0x03;
const block = 0x02;
const brIf = (depth: number): number[] => [0x0d, depth];
const br = (depth: number): number[] => [0x0c, depth];
const call = (index: number): number[] => [0x10, index];
const decrement = (local: number): number[] => [...get(local), ...constant(1), sub, 0x22, local];
/** call_indirect of type 2, (i32)->i32. */
const callTable = [0x11, 2, 0];
const load8 = [0x2d, 0, 0];

/** Function indices: three imports come first. */
const periodicCheck = 4;
const setInterrupt = 5;
const countLoop = 7;
const recurse = 13;

/** Where the stub of PyErr_SetInterruptEx leaves the signal. */
export const signalAddress = 64;

export function meteredLike(): SmallModule {
  const opcodes = 255;
  return {
    types: [
      [["i32", "i32", "i32", "i32"], ["i32"]],
      [[], ["i32"]],
      [["i32"], ["i32"]],
      [[], []],
      [["i32", "i32", "i32"], []],
      [["i32", "i32"], ["i32"]],
    ],
    imports: [
      { module: "env", name: "_PyEM_TrampolineCall_JS", function: 0 },
      { module: "env", name: "_Py_CheckEmscriptenSignals_Helper", function: 1 },
      { module: "env", name: "emscripten_resize_heap", function: 2 },
    ],
    functions: [
      { type: 0, code: [...get(0), ...get(1), ...get(2), ...get(3), ...call(0)] },
      // The periodic check.
      { type: 3, code: [...call(1), 0x1a] },
      { type: 2, code: [...constant(signalAddress - 64), ...get(0), 0x36, 2, signalAddress, ...constant(0)] },
      // An evaluator over bytes: 1 goes on to the next byte, 2 goes back by one, all others end with their address.
      {
        type: 5,
        code: [
          ...[...get(0), ...load8, ...set(1)],
          ...[loop, voidType, block, voidType, block, voidType, block, voidType],
          ...[
            ...get(1),
            ...constant(1),
            sub,
            0x0e,
            0xff,
            0x01,
            0,
            1,
            ...new Array<number>(opcodes - 2).fill(2),
            2,
          ],
          end,
          ...[...call(periodicCheck), ...get(0), ...constant(1), add, 0x22, 0, ...load8, ...set(1), ...br(2)],
          end,
          ...[...get(0), ...constant(1), sub, 0x22, 0, ...load8, ...set(1), ...br(1)],
          ...[end, end],
          ...get(0),
        ],
      },
      // 7: a short loop: n iterations.
      { type: 2, code: [loop, voidType, ...decrement(0), ...brIf(0), end, ...constant(7)] },
      // 8: a loop with a call of it.
      {
        type: 5,
        code: [
          loop,
          voidType,
          ...get(1),
          ...call(countLoop),
          0x1a,
          ...decrement(0),
          ...brIf(0),
          end,
          ...constant(8),
        ],
      },
      // 9: a loop in a loop, which a br_table leads to, left by a branch to a block around both and by its end.
      {
        type: 5,
        code: [
          ...[block, voidType, loop, voidType],
          ...[loop, voidType],
          ...[block, voidType, ...get(1), 0x0e, 1, 2, 0, end],
          ...[...decrement(1), 0x45, ...brIf(2)],
          ...[...get(1), ...constant(3), 0x47, ...brIf(0)],
          end,
          ...[...decrement(0), ...brIf(0)],
          ...[end, end],
          ...[...get(0), ...constant(10), 0x6c, ...get(1), add],
        ],
      },
      // 10, 11: bulk instructions.
      { type: 4, code: [...get(0), ...get(1), ...get(2), 0xfc, 10, 0, 0] },
      { type: 4, code: [...get(0), ...get(1), ...get(2), 0xfc, 11, 0] },
      // 12: recursion through the table, twice per call, 2^n leaves.
      {
        type: 2,
        code: [
          ...[...get(0), 0x04, i32Type],
          ...[...get(0), ...constant(1), sub, ...constant(1), ...callTable],
          ...[...get(0), ...constant(1), sub, ...constant(1), ...callTable, add],
          ...[0x05, ...constant(1), end],
        ],
      },
      // 13: the same by direct calls.
      {
        type: 2,
        code: [
          ...[...get(0), 0x04, i32Type],
          ...[
            ...get(0),
            ...constant(1),
            sub,
            ...call(recurse),
            ...get(0),
            ...constant(1),
            sub,
            ...call(recurse),
            add,
          ],
          ...[0x05, ...constant(1), end],
        ],
      },
      // 14: a loop with a result.
      { type: 2, code: [loop, i32Type, ...decrement(0), ...brIf(0), ...constant(9), end] },
      // 15: asks for signals itself.
      { type: 1, code: [...call(1)] },
      // 16: straight code with a call that cannot recurse.
      { type: 2, code: [...get(0), ...call(setInterrupt)] },
      // 17: a short loop in a loop, left at 5 for the start of the outer one, at 2 for a block around both, and there by a br_table.
      {
        type: 5,
        code: [
          ...[block, voidType, loop, voidType, loop, voidType],
          ...[block, voidType, ...get(1), 0x0e, 1, 3, 0, end],
          ...[...decrement(1), ...constant(5), 0x46, ...brIf(1)],
          ...[...get(1), ...constant(2), 0x46, ...brIf(2), ...get(1), ...brIf(0)],
          ...[end, end, end],
          ...[...get(0), ...constant(10), 0x6c, ...get(1), add],
        ],
      },
      // 18: asks for memory, and could be called back if that were another import.
      { type: 2, code: [...get(0), ...call(2)] },
    ],
    tableMinimum: 4,
    memory: [1, 0, 80],
    globals: [{ type: "i32", mutable: true, init: [0x41, 0] }],
    exports: [
      { name: "memory", kind: "memory", index: 0 },
      { name: "__indirect_function_table", kind: "table", index: 0 },
      { name: "__stack_pointer", kind: "global", index: 0 },
      { name: "PyErr_SetInterruptEx", kind: "function", index: setInterrupt },
      { name: "_PyEval_EvalFrameDefault", kind: "function", index: 6 },
      { name: "countLoop", kind: "function", index: countLoop },
      { name: "callingLoop", kind: "function", index: 8 },
      { name: "nestedLoops", kind: "function", index: 9 },
      { name: "copy", kind: "function", index: 10 },
      { name: "fill", kind: "function", index: 11 },
      { name: "recurseThroughTable", kind: "function", index: 12 },
      { name: "recurse", kind: "function", index: 13 },
      { name: "loopWithResult", kind: "function", index: 14 },
      { name: "askForSignal", kind: "function", index: 15 },
      { name: "straight", kind: "function", index: 16 },
      { name: "shortLoop", kind: "function", index: 17 },
      { name: "grow", kind: "function", index: 18 },
    ],
    elements: [1, 0, 0x41, 1, 0x0b, 2, 12, 18],
    data: [1, 0, 0x41, 16, 0x0b, 2, 0x68, 0x69],
  };
}

export interface MeteredExports {
  readonly memory: WebAssembly.Memory;
  readonly "sandboa.fuel"?: WebAssembly.Global<"i32">;
  _PyEval_EvalFrameDefault(address: number, unused: number): number;
  countLoop(n: number): number;
  callingLoop(n: number, inner: number): number;
  nestedLoops(outer: number, inner: number): number;
  copy(target: number, source: number, length: number): void;
  fill(target: number, byte: number, length: number): void;
  recurseThroughTable(depth: number): number;
  recurse(depth: number): number;
  loopWithResult(n: number): number;
  askForSignal(): number;
  straight(n: number): number;
  grow(bytes: number): number;
  shortLoop(outer: number, inner: number): number;
}

const options: RewriteOptions = {
  exports: meteredLike().exports.map((entry) => entry.name),
  memoryMaximumPages: 200,
};

export function rewriteMetered(change: (small: SmallModule) => void = () => {}, metered = true) {
  const module = meteredLike();
  change(module);
  return rewriteImage(assemble(module), { ...options, metered });
}

/** `ask` is called with the fuel's global whenever the module asks for a signal. */
export function startMetered(
  wasm: Uint8Array,
  ask: (fuel: WebAssembly.Global<"i32"> | undefined) => number = () => 0,
): MeteredExports {
  const module = new WebAssembly.Module(wasm as BufferSource);
  let exports: MeteredExports | undefined;
  const instance = new WebAssembly.Instance(module, {
    env: {
      _PyEM_TrampolineCall_JS: () => 0,
      emscripten_resize_heap: () => 1,
      _Py_CheckEmscriptenSignals_Helper: () => ask(exports?.["sandboa.fuel"]),
    },
  });
  exports = instance.exports as unknown as MeteredExports;
  return exports;
}
