// However an import is reached, JavaScript sees what it saw before and its answer arrives; there are only fewer kinds of imports.
import fc from "fast-check";
import { expect, test } from "vitest";
import { assemble, type SmallModule } from "./format/assemble-for-tests.ts";
import { type ExportEntry, readExportSection, writeExportSection } from "./format/export-section.ts";
import { readImportSection, writeImportSection } from "./format/import-section.ts";
import { readModuleImports } from "./format/module-imports.ts";
import { joinSections, openSection, readSections, type Sections, sectionId } from "./format/sections.ts";
import { joinImports } from "./joined-imports.ts";

type ValueType = SmallModule["types"][number][0][number];

interface Imported {
  readonly parameters: ValueType[];
  readonly results: ValueType[];
  readonly ends: boolean;
  readonly isUsed: boolean;
}

const samples = { i32: -7, i64: 1n << 40n, f64: 0.5, externref: "anything" } as const;
const [localGet, call, returnCall, callIndirect, refFunc, drop] = [0x20, 0x10, 0x12, 0x11, 0xd2, 0x1a];

/** Exports, for each import that is used: a call of it, a tail call, one through the table, and itself. */
function moduleWith(imported: readonly Imported[]): Uint8Array {
  const passing = ({ parameters }: Imported) => parameters.flatMap((_, index) => [localGet, index]);
  const used = imported.flatMap((entry, index) => (entry.isUsed ? [{ entry, index }] : []));
  const ways = (entry: Imported, index: number): [string, number[]][] => [
    ["called", [...passing(entry), call, index]],
    ["tail", [refFunc, index, drop, ...passing(entry), returnCall, index]],
    ["indirect", [...passing(entry), 0x41, index, callIndirect, index, 0]],
  ];
  const functions = used.flatMap(({ entry, index }) =>
    ways(entry, index).map(([name, code]) => ({ name: `${name} ${index}`, type: index, code })),
  );
  const elements = used.flatMap(({ index }) => [0, 0x41, index, 0x0b, 1, index]);
  return assemble({
    types: imported.map(({ parameters, results }) => [parameters, results]),
    imports: imported.map((_, index) => ({ module: "env", name: `f${index}`, function: index })),
    functions,
    tableMinimum: imported.length,
    memory: [1, 0, 1],
    globals: [],
    exports: [
      ...functions.map(({ name }, at) => ({
        name,
        kind: "function" as const,
        index: imported.length + at,
      })),
      ...used.map(({ index }) => ({ name: `itself ${index}`, kind: "function" as const, index })),
    ],
    elements: [used.length, ...elements],
    data: [0],
  });
}

function joined(wasm: Uint8Array, ending: ReadonlySet<string>): Uint8Array {
  const sections = readSections(wasm);
  const content = (id: keyof typeof sectionId) => openSection(sections, sectionId[id]).bytes;
  const parts = joinImports(
    {
      types: content("type"),
      functions: content("function"),
      elements: content("element"),
      code: content("code"),
      imports: readImportSection(openSection(sections, sectionId.import)),
      exports: [...readExportSection(openSection(sections, sectionId.export)).values()] as ExportEntry[],
    },
    ({ name }) => ending.has(name),
  );
  const output: Sections = new Map(sections);
  output.set(sectionId.type, parts.types);
  output.set(sectionId.function, parts.functions);
  output.set(sectionId.element, parts.elements);
  output.set(sectionId.code, parts.code);
  output.set(sectionId.import, writeImportSection(parts.imports));
  output.set(sectionId.export, writeExportSection(parts.exports));
  return joinSections(output);
}

/**
 * What every way gives, and what JavaScript was called with, unless that ends the guest: the arguments that the import has, and of those
 * behind them which are not 0.
 */
function behaviour(wasm: Uint8Array, imported: readonly Imported[]): unknown[] {
  const calls: unknown[] = [];
  const functions = imported.map(({ parameters, results, ends }, index) => [
    `f${index}`,
    (...values: unknown[]) => {
      if (ends) throw new Error(`the end of ${index}`);
      const more = values.slice(parameters.length).filter((value) => value !== 0);
      calls.push([index, values.slice(0, parameters.length), more]);
      const [result] = results;
      return result && samples[result];
    },
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), {
    env: Object.fromEntries(functions),
  });
  const outcomes = Object.entries(exports).flatMap(([name, run]) => {
    if (typeof run !== "function") return [];
    const { parameters = [] } = imported[Number(name.split(" ")[1])] ?? {};
    try {
      return [[name, run(...parameters.map((type) => samples[type]))]];
    } catch (error) {
      return [[name, String(error)]];
    }
  });
  return [...outcomes, ...calls];
}

const endingNames = (imported: readonly Imported[]) =>
  new Set(imported.flatMap(({ ends }, index) => (ends ? [`f${index}`] : [])));

test("every way to an import gives the same, with joined imports", () => {
  const type = fc.constantFrom<ValueType>("i32", "i32", "i32", "i64", "f64", "externref");
  const onlyNumbers = fc.array(fc.constant<ValueType>("i32"), { maxLength: 9 });
  const entry = fc.record({
    parameters: fc.oneof(onlyNumbers, fc.array(type, { maxLength: 4 })),
    results: fc.array(type, { maxLength: 1 }),
    ends: fc.boolean(),
    isUsed: fc.boolean(),
  });
  const property = fc.property(fc.array(entry, { minLength: 1, maxLength: 12 }), (imported) => {
    const wasm = moduleWith(imported);
    const smaller = joined(wasm, endingNames(imported));
    expect(behaviour(smaller, imported)).toEqual(behaviour(wasm, imported));
    const names = (module: Uint8Array) => readModuleImports(module).map(({ name }) => name);
    expect(names(smaller)).toEqual(names(wasm));
  });
  fc.assert(property, { numRuns: 300 });
});

test("i32 alone is one kind, what ends or is not used another, and the rest stays", () => {
  const entry = (parameters: ValueType[], results: ValueType[], ends = false, isUsed = true): Imported => ({
    parameters,
    results,
    ends,
    isUsed,
  });
  const imported = [
    entry([], []),
    entry(["i32", "i32"], ["i32"]),
    entry(new Array<ValueType>(7).fill("i32"), ["i32"]),
    entry(new Array<ValueType>(8).fill("i32"), []),
    entry(["i32", "i64"], ["i32"]),
    entry(["externref"], ["externref"], true),
    entry(["f64"], ["i32"], false, false),
  ];
  const wide = "(i32,i32,i32,i32,i32,i32,i32)->i32";
  const module = joined(moduleWith(imported), endingNames(imported));
  expect(readModuleImports(module).map(({ signature }) => signature)).toEqual([
    ...[
      wide,
      wide,
      wide,
      "(i32,i32,i32,i32,i32,i32,i32,i32)->void",
      "(i32,i64)->i32",
      "()->void",
      "()->void",
    ],
  ]);
});
