// Assembles small modules for the tests of this folder. `interpreterLike` has, in miniature, every feature of the real image
// that the rewriter looks at, so that a test can change one of them and see it refused.

import { ByteWriter } from "./byte-writer.ts";
import { exportKind } from "./export-section.ts";
import { joinSections, type SectionId, type Sections, sectionId } from "./sections.ts";

const typeCodes = { i32: 0x7f, i64: 0x7e, f64: 0x7c, externref: 0x6f } as const;
type ValueType = keyof typeof typeCodes;

export interface SmallModule {
  types: [parameters: ValueType[], results: ValueType[]][];
  imports: {
    module: string;
    name: string;
    function?: number;
    global?: { type: ValueType; mutable: boolean };
  }[];
  /** `code` is the instructions without the last `end`; there are no locals but the parameters. */
  functions: { type: number; code: number[] }[];
  tableMinimum: number;
  /** The content of the memory section. */
  memory: number[];
  globals: { type: ValueType; mutable: boolean; init: number[] }[];
  exports: { name: string; kind: keyof typeof exportKind; index: number }[];
  /** The content of the element section. */
  elements: number[];
  /** The content of the data section. */
  data: number[];
}

function list<T>(items: readonly T[], write: (out: ByteWriter, item: T) => void): Uint8Array {
  const out = new ByteWriter();
  out.u32(items.length);
  for (const item of items) write(out, item);
  return out.finish();
}

function valueTypes(out: ByteWriter, types: readonly ValueType[]): void {
  out.sized(Uint8Array.from(types, (type) => typeCodes[type]));
}

export function assemble(module: SmallModule): Uint8Array {
  const sections: Sections = new Map<SectionId, Uint8Array>([
    [
      sectionId.type,
      list(module.types, (out, [parameters, results]) => {
        out.byte(0x60);
        valueTypes(out, parameters);
        valueTypes(out, results);
      }),
    ],
    [
      sectionId.import,
      list(module.imports, (out, entry) => {
        out.name(entry.module);
        out.name(entry.name);
        if (entry.global !== undefined) {
          out.bytes([3, typeCodes[entry.global.type], entry.global.mutable ? 1 : 0]);
        } else {
          out.bytes([0, entry.function ?? 0]);
        }
      }),
    ],
    [sectionId.function, list(module.functions, (out, { type }) => out.u32(type))],
    [sectionId.table, Uint8Array.of(1, 0x70, 0, module.tableMinimum)],
    [sectionId.memory, Uint8Array.from(module.memory)],
    [
      sectionId.global,
      list(module.globals, (out, { type, mutable, init }) => {
        out.bytes([typeCodes[type], mutable ? 1 : 0, ...init, 0x0b]);
      }),
    ],
    [
      sectionId.export,
      list(module.exports, (out, entry) => {
        out.name(entry.name);
        out.bytes([exportKind[entry.kind], entry.index]);
      }),
    ],
    [sectionId.element, Uint8Array.from(module.elements)],
    [sectionId.dataCount, Uint8Array.of(module.data[0] ?? 0)],
    [sectionId.code, list(module.functions, (out, { code }) => out.sized(Uint8Array.of(0, ...code, 0x0b)))],
    [sectionId.data, Uint8Array.from(module.data)],
  ]);
  return joinSections(sections);
}

/** A custom section "name" with nothing in it, to append to a module. */
export const customSection = [0, 5, 4, 0x6e, 0x61, 0x6d, 0x65];

/**
 * One memory of one page, with "hi" at address 16; a table of twelve entries, ten of them filled; the trampoline's import is
 * function 0, the trampoline function 1. Functions 2 to 11, at table indices 1 to 10, add up their i32 parameters with the weights
 * 1, 10, 100, 1000 and return the sum; those that return nothing store it at address 32.
 */
export function interpreterLike(): SmallModule {
  const get = (local: number, weight: number) => [0x20, local, 0x41, ...weightBytes(weight), 0x6c];
  const sum = (count: number) => [
    0x41,
    7,
    ...[1, 10, 100, 1000].slice(0, count).flatMap((weight, local) => [...get(local, weight), 0x6a]),
  ];
  const store = (count: number) => [0x41, 32, ...sum(count), 0x36, 2, 0];
  const forward = [0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x10, 0];
  return {
    types: [
      [["i32", "i32", "i32", "i32"], ["i32"]],
      [["i32", "i32"], ["i32"]],
      [["i32"], ["i32"]],
      [["i32", "i32"], []],
      [["i32"], []],
      [["i32", "i64"], ["i32"]],
      [[], ["i32"]],
      [["i32", "i32", "i32"], ["i32"]],
      [[], []],
      [["i32", "i32", "i32"], []],
    ],
    imports: [
      { module: "GOT.func", name: "glFirst", global: { type: "i32", mutable: true } },
      { module: "env", name: "_PyEM_TrampolineCall_JS", function: 0 },
      { module: "GOT.func", name: "glSecond", global: { type: "i32", mutable: true } },
    ],
    functions: [
      { type: 0, code: forward },
      { type: 6, code: sum(0) },
      { type: 2, code: sum(1) },
      { type: 1, code: sum(2) },
      { type: 7, code: sum(3) },
      { type: 0, code: sum(4) },
      { type: 8, code: store(0) },
      { type: 4, code: store(1) },
      { type: 3, code: store(2) },
      { type: 9, code: store(3) },
      { type: 5, code: [0x41, 1] },
      // Two names of one body, and a reader of the imported globals.
      { type: 6, code: [0x41, 0] },
      { type: 6, code: [0x23, 0, 0x23, 1, 0x6a] },
    ],
    tableMinimum: 12,
    memory: [1, 0, 1],
    globals: [
      { type: "i32", mutable: true, init: [0x41, 0x64] },
      { type: "i32", mutable: false, init: [0x41, 0x7f] },
      { type: "i32", mutable: true, init: [0x41, 5] },
      { type: "i64", mutable: false, init: [0x42, 5] },
      { type: "i32", mutable: true, init: [0x41, 6] },
    ],
    exports: [
      { name: "memory", kind: "memory", index: 0 },
      { name: "__indirect_function_table", kind: "table", index: 0 },
      { name: "__stack_pointer", kind: "global", index: 2 },
      { name: "PyExc_Last", kind: "global", index: 3 },
      { name: "wide", kind: "global", index: 5 },
      { name: "trampoline", kind: "function", index: 1 },
      { name: "sole", kind: "function", index: 2 },
      { name: "geteuid", kind: "function", index: 12 },
      { name: "threadsafe", kind: "function", index: 12 },
      { name: "readGot", kind: "function", index: 13 },
    ],
    elements: [1, 0, 0x41, 1, 0x0b, 10, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    data: [1, 0, 0x41, 16, 0x0b, 2, 0x68, 0x69],
  };
}

function weightBytes(weight: number): Uint8Array {
  const out = new ByteWriter();
  out.s32(weight);
  return out.finish();
}
