// What is charged, unit by unit, that nothing else changes, and what is refused.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assemble, type SmallModule } from "../format/assemble-for-tests.ts";
import { ImageFormatError } from "../format/image-format-error.ts";
import { rewriteImage } from "../rewrite.ts";
import {
  type MeteredExports,
  meteredLike,
  rewriteMetered,
  signalAddress,
  startMetered,
} from "./metered-for-tests.ts";

const plenty = 2 ** 30;
const metered = rewriteMetered().full;
const plain = rewriteMetered(undefined, false).full;

/** Units that `work` uses. Whenever a slice is used up, the next one is given, as a host would. */
function unitsOf(
  work: (exports: MeteredExports) => unknown,
  slice = plenty,
): { units: number; asked: number } {
  let granted = slice;
  let asked = 0;
  const exports = startMetered(metered, (fuel) => {
    if (fuel === undefined) throw new Error("asked before the module had started");
    asked += 1;
    expect(fuel.value).toBeLessThanOrEqual(0);
    while (fuel.value <= 0) {
      fuel.value += slice;
      granted += slice;
    }
    return 0;
  });
  const fuel = exports["sandboa.fuel"];
  if (fuel === undefined) throw new Error("there is no fuel");
  fuel.value = slice;
  work(exports);
  return { units: granted - fuel.value, asked };
}

const program = (exports: MeteredExports, bytes: readonly number[]): number => {
  new Uint8Array(exports.memory.buffer).set(bytes, 1000);
  return exports._PyEval_EvalFrameDefault(1000, 0);
};

const works: readonly [string, number, (exports: MeteredExports) => unknown][] = [
  ["a loop that ends at once", 0, (exports) => exports.countLoop(1)],
  ["a loop of 1,000 iterations", 999, (exports) => exports.countLoop(1000)],
  ["a loop with a result", 999, (exports) => exports.loopWithResult(1000)],
  ["a loop that calls a loop", 9 + 10 * 99, (exports) => exports.callingLoop(10, 100)],
  // Ten times the br_table, eight times back to the inner loop, once to the outer one.
  ["loops that a br_table leads to", 19, (exports) => exports.nestedLoops(5, 10)],
  ["a short loop that is left in several ways", 7, (exports) => exports.shortLoop(5, 10)],
  ["a short loop that is left at once", 0, (exports) => exports.shortLoop(5, 0)],
  ["a recursion through the table", 2 ** 11 - 2, (exports) => exports.recurseThroughTable(10)],
  ["a recursion by direct calls", 2 ** 11 - 1, (exports) => exports.recurse(10)],
  ["straight code", 0, (exports) => exports.straight(5)],
  // Whether memory has to grow depends on how large an earlier guest has left it.
  ["a request for memory", 0, (exports) => exports.grow(5)],
  ["a copy of 6,400 bytes", 100, (exports) => exports.copy(0, 100, 6400)],
  ["a fill of 63 bytes", 0, (exports) => exports.fill(0, 1, 63)],
  ["a copy of 4 MiB and 64 bytes", 65_537, (exports) => exports.copy(0, 100, (4 << 20) + 64)],
  ["a fill of 4 MiB and 64 bytes", 65_537, (exports) => exports.fill(0, 100, (4 << 20) + 64)],
  // And one for the call of the evaluator.
  ["an evaluator that is called for nothing", 33, (exports) => program(exports, [0])],
  ["32 instructions", 33, (exports) => program(exports, new Array<number>(31).fill(1))],
  ["100 instructions", 129, (exports) => program(exports, new Array<number>(99).fill(1))],
  ["an unknown instruction", 33, (exports) => program(exports, [1, 1, 200])],
];

describe("charges", () => {
  test.each(works)("%s", (_, units, work) => {
    expect(unitsOf(work)).toEqual({ units, asked: 0 });
  });

  test.each(works)("are the same whatever the slices: %s", (_, units, work) => {
    for (const slice of [1, 2, 7, 1000]) expect(unitsOf(work, slice).units).toBe(units);
  });

  test("a slice that is used up is asked for at the charge that does so", () => {
    expect(unitsOf((exports) => exports.countLoop(101), 100).asked).toBe(1);
    expect(unitsOf((exports) => exports.countLoop(100), 100).asked).toBe(0);
  });
});

const pattern = Uint8Array.from({ length: 5 << 20 }, (_, at) => at * 7 + (at >> 8));

test.each(works)("the metered form computes the same: %s", (_, _units, work) => {
  const expected = startMetered(plain);
  new Uint8Array(expected.memory.buffer).set(pattern);
  const result = work(expected);
  for (const slice of [1, 3, plenty]) {
    unitsOf((exports) => {
      new Uint8Array(exports.memory.buffer).set(pattern);
      expect(work(exports)).toBe(result);
      const memory = new Uint8Array(exports.memory.buffer);
      expect(Buffer.compare(memory, new Uint8Array(expected.memory.buffer))).toBe(0);
    }, slice);
  }
});

test("overlapping long copies go from the end that keeps their source", () => {
  const length = 3 << 20;
  for (const [target, source] of [
    [0, 777],
    [777, 0],
    [5, 5],
  ] as const) {
    const [copied, expected] = [metered, plain].map((wasm) => {
      const exports = startMetered(wasm);
      const bytes = new Uint8Array(exports.memory.buffer);
      bytes.set(pattern);
      exports.copy(target, source, length);
      return bytes;
    });
    expect(Buffer.compare(copied ?? new Uint8Array(), expected ?? new Uint8Array(1))).toBe(0);
  }
});

test("a copy beyond the end of memory traps", () => {
  expect(() => startMetered(metered).copy(0, 80 * 65_536 - 10, 11)).toThrow(WebAssembly.RuntimeError);
  expect(() => startMetered(metered).copy(0, 79 * 65_536, 4 << 20)).toThrow(WebAssembly.RuntimeError);
});

test("bytecode that only goes back and forth ends when the host says so", () => {
  const stop = new Error("stop");
  let asked = 0;
  const exports = startMetered(metered, (fuel) => {
    if (fuel) fuel.value = 1000;
    if (++asked === 5) throw stop;
    return 0;
  });
  if (exports["sandboa.fuel"]) exports["sandboa.fuel"].value = 1000;
  expect(() => program(exports, [1, 2])).toThrow(stop);
});

test("a signal that the host answers with is passed on", () => {
  const exports = startMetered(metered, (fuel) => {
    if (fuel) fuel.value = plenty;
    return 2;
  });
  if (exports["sandboa.fuel"]) exports["sandboa.fuel"].value = 1;
  exports.countLoop(10);
  expect(new DataView(exports.memory.buffer).getInt32(signalAddress, true)).toBe(2);
});

test("the host is asked by nothing but the charges", () => {
  const exports = startMetered(metered, () => 5);
  expect(exports.askForSignal()).toBe(0);
  expect(startMetered(plain, () => 5).askForSignal()).toBe(5);
});

test("the fuel is exported, full, and no hidden global; the plain form has none", () => {
  const { full, lean, hiddenGlobals } = rewriteMetered();
  for (const wasm of [full, lean]) expect(startMetered(wasm)["sandboa.fuel"]?.value).toBe(2 ** 31 - 1);
  expect(hiddenGlobals).toEqual(rewriteMetered(undefined, false).hiddenGlobals);
  expect(startMetered(plain)["sandboa.fuel"]).toBeUndefined();
});

describe("refused", () => {
  const cases: [string, RegExp, (small: SmallModule) => void][] = [
    [
      "no import to ask with",
      /does not import env._Py_CheckEmscriptenSignals_Helper/,
      (small) => {
        small.imports[1] = { module: "env", name: "other", function: 1 };
      },
    ],
    [
      "no way to pass on a signal",
      /does not export PyErr_SetInterruptEx/,
      (small) => {
        small.exports = small.exports.map((entry) =>
          entry.name === "PyErr_SetInterruptEx" ? { ...entry, name: "other" } : entry,
        );
      },
    ],
    [
      "a signal of another type",
      /PyErr_SetInterruptEx is \(i32,i32\)->i32/,
      (small) => {
        small.exports = small.exports.map((entry) =>
          entry.name === "PyErr_SetInterruptEx" ? { ...entry, index: 9 } : entry,
        );
      },
    ],
    [
      "an evaluator without a switch",
      /expected one loop over opcodes .*found 0/,
      (small) => {
        small.functions[3] = { type: 5, code: [0x41, 0] };
      },
    ],
    [
      "an evaluator that does something before its switch",
      /expected one loop over opcodes .*found 0/,
      (small) => {
        const code = small.functions[3]?.code ?? [];
        const loopAt = code.indexOf(0x03);
        // Once more the store of what the loop computes, this time within the loop.
        code.splice(loopAt + 2, 0, 0x20, 1, 0x21, 1);
      },
    ],
    [
      "no periodic check",
      /expected one periodic caller .*found 0/,
      (small) => {
        small.functions[1] = { type: 3, code: [0x01] };
      },
    ],
    [
      "two periodic checks",
      /expected one periodic caller .*found 2/,
      (small) => {
        small.functions.push({ type: 3, code: [0x10, 1, 0x1a] });
      },
    ],
  ];

  test.each(cases)("%s", (_, message, change) => {
    const attempt = () =>
      rewriteMetered((small) => {
        change(small);
      });
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(ImageFormatError);
  });

  test("damage is an ImageFormatError or goes unnoticed, never another error", () => {
    const wasm = assemble(meteredLike());
    fc.assert(
      fc.property(fc.nat({ max: wasm.length - 1 }), fc.nat({ max: 255 }), (offset, byte) => {
        const damaged = wasm.slice();
        damaged[offset] = byte;
        try {
          rewriteImage(damaged, { exports: ["memory"], memoryMaximumPages: 200, metered: true });
        } catch (error) {
          expect(error).toBeInstanceOf(ImageFormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
