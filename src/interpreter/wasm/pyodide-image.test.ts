// The rewriter on the file that it was written for. The trampoline is not exported there: the tests add an export for it,
// and give one function of each arity in the table a body that shows its arguments.

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { isRefused } from "../../kernel/bind-imports.ts";
import { syscallTable } from "../../kernel/syscall-table.ts";
import { prepareModule } from "../image.ts";
import { surveyCode } from "./code-survey.ts";
import { mentionsOf, readBodies, rewriteBodies } from "./format/code-section.ts";
import { readTableFunctions } from "./format/element-section.ts";
import { exportKind, readExportSection, writeExportSection } from "./format/export-section.ts";
import { FunctionSpace } from "./format/function-space.ts";
import { FunctionTypes, i32Signature } from "./format/function-types.ts";
import { readImportSection } from "./format/import-section.ts";
import { type ModuleImport, readModuleImports } from "./format/module-imports.ts";
import { joinSections, openSection, readSections, sectionId } from "./format/sections.ts";
import { type RewrittenImage, rewriteImage } from "./rewrite.ts";
import { trampolineImport } from "./trampoline.ts";

const shipped = new Uint8Array(readFileSync(new URL(import.meta.resolve("pyodide/pyodide.asm.wasm"))));
const kept = [
  "memory",
  "__indirect_function_table",
  "__stack_pointer",
  "__wasm_call_ctors",
  "malloc",
  "free",
  "PyInitConfig_Create",
  "PyInitConfig_SetInt",
  "Py_InitializeFromInitConfig",
  "PyObject_CallOneArg",
  "PyBytes_FromStringAndSize",
  "PyBytes_AsStringAndSize",
  "emscripten_builtin_memalign",
  "__dl_seterr",
  "sbrk",
];

let image: RewrittenImage;
beforeAll(() => {
  image = rewriteImage(shipped, { exports: kept, memoryMaximumPages: 2048 });
});

interface ImageExports {
  memory: WebAssembly.Memory;
  __indirect_function_table: WebAssembly.Table;
  getpid(): number;
  trampoline(index: number, self: number, args: number, keywords: number): number;
}

const globalValue = (exports: ImageExports, name: string) =>
  (exports as unknown as Record<string, WebAssembly.Global>)[name]?.value;

function instantiate(wasm: Uint8Array): ImageExports {
  const stubs = new Proxy({}, { get: () => () => 0 });
  const modules = new Proxy({}, { get: () => stubs });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), modules);
  return instance.exports as unknown as ImageExports;
}

function functionsOf(wasm: Uint8Array) {
  const sections = readSections(wasm);
  const imports = readImportSection(openSection(sections, sectionId.import));
  const types = new FunctionTypes(openSection(sections, sectionId.type).bytes);
  const space = new FunctionSpace(types, imports, openSection(sections, sectionId.function));
  const callee = imports
    .filter((entry) => entry.kind === "function")
    .findIndex((entry) => entry.name === trampolineImport.name);
  return {
    sections,
    space,
    callee,
    survey: surveyCode(openSection(sections, sectionId.code).bytes, space.importedCount, callee),
  };
}

test("its imports, as the facts about this build count them", () => {
  const imports = readModuleImports(shipped);
  const ofModule = (module: string) => imports.filter((entry) => entry.module === module);
  expect(ofModule("env").length).toBe(254);
  expect(ofModule("wasi_snapshot_preview1").length).toBe(14);
  expect(ofModule("GOT.func").length).toBe(280);
  expect(imports.length).toBe(548);
  const signature = (name: string) => imports.find((entry) => entry.name === name)?.signature;
  expect(signature("_PyEM_TrampolineCall_JS")).toBe("(i32,i32,i32,i32)->i32");
  expect(signature("_mktime_js")).toBe("(i32)->i64");
  expect(signature("fd_seek")).toBe("(i32,i64,i32,i32)->i32");
  expect(signature("_abort_js")).toBe("()->void");
});

test("both forms are valid, and the lean one lacks the data alone", () => {
  expect(WebAssembly.validate(image.full as BufferSource)).toBe(true);
  expect(WebAssembly.validate(image.lean as BufferSource)).toBe(true);
  expect(image.full.length).toBeLessThan(shipped.length);
  expect(image.full.length - image.lean.length).toBeGreaterThan(3_000_000);
});

test("both metered forms are valid, ask for nothing more and export the fuel", () => {
  const metered = rewriteImage(shipped, { exports: kept, memoryMaximumPages: 2048, metered: true });
  for (const form of ["full", "lean"] as const) {
    expect(WebAssembly.validate(metered[form] as BufferSource)).toBe(true);
    expect(readModuleImports(metered[form])).toEqual(readModuleImports(image[form]));
  }
  expect(metered.hiddenGlobals).toEqual(image.hiddenGlobals);
  expect(Object.keys(instantiate(metered.lean))).toEqual([...kept, ...image.hiddenGlobals, "sandboa.fuel"]);
  // What a snapshot holds or depends on: table, element and data sections, and the plain globals.
  const [plainSections, meteredSections] = [readSections(image.full), readSections(metered.full)];
  for (const id of [sectionId.table, sectionId.data, sectionId.memory]) {
    const [plain, counted] = [plainSections.get(id), meteredSections.get(id)];
    expect([id, plain && counted && Buffer.compare(plain, counted)]).toEqual([id, 0]);
  }
  // The adapters of imports (joined-imports.ts) stand behind what metering adds.
  expect(tableOf(metered.full)).toEqual(tableOf(image.full));
});

/** By index of the function table: the number of a function, or of the import that an adapter calls. */
function tableOf(wasm: Uint8Array): [index: number, functionIndex: number][] {
  const { sections, space } = functionsOf(wasm);
  const shippedCount = functionsOf(shipped).space.count;
  const behind = new Map<number, number>();
  for (const body of readBodies(openSection(sections, sectionId.code).bytes, space.importedCount)) {
    const [mention, ...others] = mentionsOf(body);
    const isAdded = body.functionIndex >= shippedCount;
    if (isAdded && mention && others.length === 0) behind.set(body.functionIndex, mention.index);
  }
  const functions = readTableFunctions(openSection(sections, sectionId.element), 0);
  return [...functions].map(([index, found]) => [index, behind.get(found) ?? found]);
}

test("only functions are imported, in the same order, with fewer signatures", () => {
  const functions = readModuleImports(shipped).filter((entry) => entry.kind === "function");
  const names = (wasm: Uint8Array) => readModuleImports(wasm).map(({ module, name }) => [module, name]);
  expect(names(image.full)).toEqual(functions.map(({ module, name }) => [module, name]));
  expect(readModuleImports(image.lean)).toEqual(readModuleImports(image.full));
  const signatures = (imports: readonly ModuleImport[]) =>
    new Set(imports.map(({ signature }) => signature)).size;
  const { lean } = prepareModule(shipped);
  expect([signatures(functions), signatures(readModuleImports(lean))]).toEqual([59, 16]);
  // What JavaScript is called with, and what it answers, has the table's meaning: only i32 is joined, and what ends the guest or is not called.
  for (const { module, name, signature } of readModuleImports(lean)) {
    const entry = syscallTable.find((each) => each.module === module && each.name === name);
    const joined = /^\((i32(,i32)*)?\)->(i32|void)$/.test(entry?.signature ?? "");
    // What nothing calls takes nothing.
    if (!joined && !isRefused({ module, name })) expect([entry?.signature, "()->void"]).toContain(signature);
  }
});

test("the lean form starts, with the exports that were asked for and three hidden globals", () => {
  const exports = instantiate(image.lean);
  expect(image.hiddenGlobals).toEqual(["sandboa.global.0", "sandboa.global.1", "sandboa.global.2"]);
  expect(Object.keys(exports)).toEqual([...kept, ...image.hiddenGlobals]);
  const values = ["__stack_pointer", ...image.hiddenGlobals].map((name) => globalValue(exports, name));
  expect(values).toEqual([14_539_216, 0, 0, 0]);
  expect(new Uint32Array(exports.memory.buffer).every((word) => word === 0)).toBe(true);
  expect(() => exports.memory.grow(2048)).toThrow(RangeError);
});

test("symbols are the values of the exported globals of the shipped module", () => {
  const globals = ["PyExc_ValueError", "PyList_Type", "_PyRuntime", "Py_EMSCRIPTEN_SIGNAL_HANDLING"];
  const { lean } = rewriteImage(shipped, {
    exports: globals,
    memoryMaximumPages: 480,
  });
  const exports = instantiate(lean);
  for (const name of globals) expect(image.symbols.get(name)).toBe(globalValue(exports, name));
  expect(image.symbols.size).toBe(1140);
  expect(image.symbols.has("__stack_pointer")).toBe(false);
});

test("one call of the trampoline's import becomes none", () => {
  expect(functionsOf(shipped).survey.callers.length).toBe(1);
  // The adapter that stands in the table: see host-slot.ts.
  const [adapter, ...others] = functionsOf(image.full).survey.callers;
  expect([adapter?.functionIndex, others]).toEqual([
    readTableFunctions(openSection(readSections(image.full), sectionId.element), 0).get(image.hostSlot),
    [],
  ]);
  expect(functionsOf(image.full).survey.usesDataSegments).toBe(false);
});

describe("the trampoline", () => {
  let call: ImageExports["trampoline"];
  let stored: () => number;
  let entryOf: (signature: string) => number;
  let table: WebAssembly.Table;

  beforeAll(() => {
    const trampoline = functionsOf(shipped).survey.callers[0]?.functionIndex ?? -1;
    const { sections, space } = functionsOf(image.full);
    const entries = new Map<string, { entry: number; target: number }>();
    for (const [entry, target] of readTableFunctions(openSection(sections, sectionId.element), 0)) {
      if (target >= space.importedCount) entries.set(space.signature(target), { entry, target });
    }
    entryOf = (signature) => entries.get(signature)?.entry ?? -1;

    const bodies = new Map<number, Uint8Array>();
    for (let parameters = 0; parameters <= 5; parameters++) {
      for (const returns of [true, false]) {
        const { target } = entries.get(i32Signature(parameters, returns)) ?? { target: -1 };
        bodies.set(target, showArguments(parameters, returns));
      }
    }
    const code = openSection(sections, sectionId.code).bytes;
    sections.set(
      sectionId.code,
      rewriteBodies(code, space.importedCount, (body) => bodies.get(body.functionIndex)),
    );
    const exports = readExportSection(openSection(sections, sectionId.export));
    const added = { name: "trampoline", kind: exportKind.function, index: trampoline };
    sections.set(sectionId.export, writeExportSection([...exports.values(), added]));

    const instance = instantiate(joinSections(sections));
    call = instance.trampoline;
    table = instance.__indirect_function_table;
    stored = () => new DataView(instance.memory.buffer).getInt32(16, true);
  });

  test.each([
    [0, 7],
    [1, 10],
    [2, 50],
    [3, 550],
    [4, 550],
    [5, 550],
  ])("calls functions of %i parameters", (parameters, sum) => {
    expect(call(entryOf(i32Signature(parameters, true)), 3, 4, 5)).toBe(sum);
    expect(call(entryOf(i32Signature(parameters, false)), 3, 4, 5)).toBe(0);
    expect(stored()).toBe(sum);
  });

  test("traps on what is not a method", () => {
    for (const index of [
      0,
      // Beyond the host's own.
      8734,
      -1,
      entryOf("(f64)->f64"),
      entryOf("(i32,i64)->i32"),
      entryOf("(i32)->externref"),
    ]) {
      expect(() => call(index, 3, 4, 5), `entry ${index}`).toThrow(WebAssembly.RuntimeError);
    }
  });

  test("calls entries that are added later if they take three arguments", () => {
    const index = table.grow(1, table.get(entryOf(i32Signature(3, true))));
    expect(call(index, 3, 4, 5)).toBe(550);
  });
});

/** 7 + the parameters with the weights 1, 10, 100, 1000, 10000: returned, or stored at address 16. */
function showArguments(parameters: number, returns: boolean): Uint8Array {
  const weights = [[1], [10], [0xe4, 0x00], [0xe8, 0x07], [0x90, 0xce, 0x00]].slice(0, parameters);
  const sum = [0x41, 7, ...weights.flatMap((weight, local) => [0x20, local, 0x41, ...weight, 0x6c, 0x6a])];
  return Uint8Array.from(returns ? [0, ...sum, 0x0b] : [0, 0x41, 16, ...sum, 0x36, 2, 0, 0x0b]);
}
