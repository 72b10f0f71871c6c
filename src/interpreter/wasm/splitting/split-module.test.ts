// The two parts together are the module: whatever is in which part, every function gives the same, and the rest comes when it is called.
import fc from "fast-check";
import { expect, test } from "vitest";
import { assemble } from "../format/assemble-for-tests.ts";
import { exportKind, readExportSection, writeExportSection } from "../format/export-section.ts";
import { ImageFormatError } from "../format/image-format-error.ts";
import { joinSections, openSection, readSections, type Sections, sectionId } from "../format/sections.ts";
import { importMemory } from "../import-memory.ts";
import { loadImport, restExports, splitModule } from "./split-module.ts";

const [localGet, globalGet, globalSet, i32Const, i32Add, call, callIndirect] = [
  0x20, 0x23, 0x24, 0x41, 0x6a, 0x10, 0x11,
];
const [i32Store, i32Load, if_, end, memoryInit] = [0x36, 0x28, 0x04, 0x0b, [0xfc, 8], 0x1a];
const functions = 8;
/** used, unused (its place is taken), used */
const imports = 3;
const used = [0, 2];

/** The others can be called from the other part by way of the table of passages alone. */
const inTable = (index: number): boolean => index % 3 !== 1;

interface Plan {
  /** For each function: whom it calls, directly or through the table, unless its argument is 0. */
  readonly calls: readonly {
    readonly to: number;
    readonly isIndirect: boolean;
    readonly imported: boolean;
  }[];
  readonly isFirst: readonly boolean[];
}

/** Function k adds to a mutable global, reads a constant one and the memory, and calls another one with one less. Number 2 has a reference. */
function moduleOf({ calls }: Plan): Uint8Array {
  const code = calls.map(({ to, isIndirect, imported }, index) => {
    const callee = imported ? (used[to % used.length] ?? 0) : imports + to;
    const calling =
      isIndirect && !imported && inTable(to) ? [i32Const, to, callIndirect, 0, 0] : [call, callee];
    return [
      ...[globalGet, 1, i32Const, index + 1, i32Add, globalSet, 1],
      ...(index === 2 ? [0xd2, imports + 3, 0x1a] : []),
      ...(index === 0 ? [i32Const, 8, i32Const, 0, i32Const, 4, ...memoryInit, 0, 0] : []),
      ...[i32Const, 4, globalGet, 0, i32Const, 4, i32Load, 2, 0, i32Add, localGet, 0, i32Add, i32Store, 2, 0],
      ...[
        localGet,
        0,
        if_,
        0x7f,
        localGet,
        0,
        i32Const,
        0x7f,
        i32Add,
        ...calling,
        0x05,
        i32Const,
        4,
        i32Load,
        2,
        0,
        end,
      ],
      ...[globalGet, 2, i32Add],
    ];
  });
  const listed = calls.flatMap((_, index) => (inTable(index) ? [index] : []));
  return assemble({
    types: [
      [["i32"], ["i32"]],
      [[], []],
    ],
    imports: [0, 1, 0].map((type, index) => ({ module: "env", name: `f${index}`, function: type })),
    functions: code.map((each) => ({ type: 0, code: each })),
    tableMinimum: functions,
    memory: [1, 0, 1],
    globals: [
      { type: "i32", mutable: false, init: [i32Const, 5] },
      { type: "i32", mutable: true, init: [i32Const, 0] },
      { type: "i32", mutable: false, init: [i32Const, 3] },
    ],
    exports: [
      { name: "table", kind: "table", index: 0 },
      { name: "global", kind: "global", index: 1 },
      ...calls.map((_, index) => ({
        name: `run ${index}`,
        kind: "function" as const,
        index: imports + index,
      })),
    ],
    elements: [listed.length, ...listed.flatMap((index) => [0, i32Const, index, end, 1, imports + index])],
    data: [1, 1, 4, 9, 0, 0, 0],
  });
}

type Exports = Record<string, unknown> & {
  table: WebAssembly.Table;
  global: WebAssembly.Global<"i32">;
};

/** An instance, what its imports were called with, and how often the rest was asked for. */
function open(first: Uint8Array, rest?: Uint8Array) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const log: unknown[] = [];
  const doubled = (name: string) => (value: number) => {
    log.push([name, value]);
    return value * 2;
  };
  let loads = 0;
  const load = (): void => {
    loads += 1;
    (exports[restExports.open] as () => void)();
    const things = Object.entries(exports).filter(([, thing]) => typeof thing !== "function");
    const all = { ...env, ...Object.fromEntries(things) } as WebAssembly.ModuleImports;
    new WebAssembly.Instance(new WebAssembly.Module(rest as BufferSource), { env: all });
    (exports[restExports.isLoaded] as WebAssembly.Global<"i32">).value = 1;
  };
  const env = { memory, f0: doubled("f0"), f1: () => {}, f2: doubled("f2"), [loadImport.name]: load };
  const module = new WebAssembly.Module(first as BufferSource);
  const exports = new WebAssembly.Instance(module, { env }).exports as Exports;
  const words = (): number[] => [...new Uint32Array(memory.buffer, 0, 4)];
  return { exports, words, log, loads: () => loads };
}

/** Every function with some arguments, by its export and through the table, and what stands in global and memory then. */
function behaviour({ exports, words, log }: ReturnType<typeof open>): unknown[] {
  const outcome: unknown[] = [];
  for (let index = 0; index < functions; index++)
    for (const argument of [0, 1, 5]) {
      for (const run of [exports[`run ${index}`], exports.table.get(index)])
        if (run) outcome.push((run as (value: number) => number)(argument));
      outcome.push(exports.global.value, words());
    }
  return [...outcome, ...log];
}

const whole = (plan: Plan): Uint8Array => importMemory(moduleOf(plan));
const number = fc.nat(functions - 1);
const planned = fc.record({
  calls: fc.array(fc.record({ to: number, isIndirect: fc.boolean(), imported: fc.boolean() }), {
    minLength: functions,
    maxLength: functions,
  }),
  isFirst: fc.array(fc.boolean(), { minLength: functions, maxLength: functions }),
});

test("both parts together do what the module does, and the rest is asked for once", () => {
  const property = fc.property(planned, fc.nat(2), (plan, shared) => {
    const wasm = whole(plan);
    const isFirst = (index: number) => plan.isFirst[index - imports] ?? false;
    const { first, rest } = splitModule(wasm, isFirst, imports + functions - shared);
    const split = open(first, rest);
    expect(behaviour(split)).toEqual(behaviour(open(wasm)));
    // Function 0 needs the data.
    expect(split.loads()).toBe(1);
  });
  fc.assert(property, { numRuns: 300 });
});

test("nothing is loaded for what the first part has", () => {
  const property = fc.property(planned, (plan) => {
    // The upper half calls only itself and imports, and is in the first part.
    const half = functions / 2;
    const calls = plan.calls.map((each, index) =>
      index < half ? each : { ...each, to: half + (each.to % half) },
    );
    const wasm = whole({ ...plan, calls });
    const { first } = splitModule(wasm, (index) => index >= imports + half, imports + functions);
    const split = open(first);
    const same = open(wasm);
    for (let index = half; index < functions; index++) {
      const run = ({ exports }: typeof split) => (exports[`run ${index}`] as (value: number) => number)(4);
      expect([run(split), split.words(), split.log]).toEqual([run(same), same.words(), same.log]);
    }
    expect(split.loads()).toBe(0);
  });
  fc.assert(property, { numRuns: 100 });
});

test("a module that uses all of its imports cannot be split", () => {
  const everything: Plan = {
    calls: Array.from({ length: functions }, () => ({ to: 0, isIndirect: false, imported: true })),
    isFirst: [],
  };
  const wasm = whole(everything);
  const sections = readSections(wasm);
  const exports = [...readExportSection(openSection(sections, sectionId.export)).values()];
  const used = [
    ...exports,
    { name: "f1", kind: exportKind.function, index: 1 },
    { name: "f2", kind: exportKind.function, index: 2 },
  ];
  const output: Sections = new Map(sections);
  output.set(sectionId.export, writeExportSection(used));
  expect(() => splitModule(joinSections(output), () => true, 99)).toThrow(ImageFormatError);
});
