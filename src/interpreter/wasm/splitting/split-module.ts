// One module as two: the first has what most programs run, the rest comes when something else is called. V8 copies all of a module in each
// process that loads it, and most of the interpreter never runs there. Both parts declare all functions, under the same numbers;
// what the other part has is a passage in this one, which calls it through a table: that of functions, or, where it stands in none, one of
// passages. (Binaryen's wasm-split is the same idea for downloads.)

import type { ByteReader } from "../format/byte-reader.ts";
import { ByteWriter } from "../format/byte-writer.ts";
import { type FunctionBody, firstInstruction, rewriteBodies, trapBody } from "../format/code-section.ts";
import { readSegments } from "../format/element-section.ts";
import {
  type ExportEntry,
  exportKind,
  readExportSection,
  writeExportSection,
} from "../format/export-section.ts";
import { FunctionSpace } from "../format/function-space.ts";
import { FunctionTypes, valueTypeCode } from "../format/function-types.ts";
import { type GlobalSection, readGlobalSection } from "../format/global-section.ts";
import { ImageFormatError } from "../format/image-format-error.ts";
import {
  type EncodedImport,
  functionImport,
  type ImportEntry,
  type ImportName,
  readImportSection,
  writeImportSection,
} from "../format/import-section.ts";
import { instructionEnd, numberAt, numberEnd, opcode } from "../format/instruction.ts";
import { joinSections, openSection, readSections, type Sections, sectionId } from "../format/sections.ts";
import { functionTable, planSplit, type SplitPlan } from "./split-plan.ts";

/** ()->void: the host loads the rest. */
export const loadImport = { module: "env", name: "sandboa_load_rest" } as const;
/** Exports of the first part for the rest; see Machine.loadRest. */
export const restExports = {
  /** The table through which the parts call what stands in no other. */
  passages: "sandboa.rest.passages",
  /** ()->void: puts those of the first part there. */
  open: "sandboa.rest.open",
  /** i32: whether the rest is there. */
  isLoaded: "sandboa.rest.loaded",
} as const;

const emptyBlock = 0x40;
const functionReference = 0x70;
const i32 = 0x7f;
const { table: tableKind, global: globalKind, tag: tagKind } = exportKind;
/** Forms of an element segment. */
const [passive, activeNamedTable] = [1, 2];
const tableInit = 12;

export interface SplitModule {
  readonly first: Uint8Array;
  readonly rest: Uint8Array;
}

/** The rest of a module that is whole. */
export const emptyModule = joinSections(new Map());

/**
 * `isFirst` chooses functions of the module. Those from the number `shared` on are in both parts. Throws ImageFormatError for a module that
 * imports anything but functions and a memory.
 */
export function splitModule(
  wasm: Uint8Array,
  isFirst: (functionIndex: number) => boolean,
  shared: number,
): SplitModule {
  const split = new Split(wasm, isFirst, shared);
  return { first: split.first(), rest: split.rest() };
}

class Split {
  readonly #sections: Sections;
  readonly #types: FunctionTypes;
  readonly #imports: readonly ImportEntry[];
  readonly #functions: FunctionSpace;
  readonly #globals: GlobalSection;
  readonly #exports: readonly ExportEntry[];
  readonly #plan: SplitPlan;
  readonly #voidType: number;

  constructor(wasm: Uint8Array, isFirst: (functionIndex: number) => boolean, shared: number) {
    this.#sections = readSections(wasm);
    this.#types = new FunctionTypes(this.#open("type").bytes);
    this.#imports = readImportSection(this.#open("import"));
    this.#functions = new FunctionSpace(this.#types, this.#imports, this.#open("function"));
    this.#globals = readGlobalSection(this.#open("global"));
    this.#exports = [...readExportSection(this.#open("export")).values()];
    if (this.#imports.some(({ kind }) => kind !== "function" && kind !== "memory"))
      throw new ImageFormatError("a module to split imports something else than functions and a memory");
    this.#plan = planSplit(
      {
        code: this.#code,
        importedCount: this.#functions.importedCount,
        elements: this.#open("element").bytes,
        exported: this.#exports.flatMap(({ kind, index }) => (kind === exportKind.function ? [index] : [])),
      },
      isFirst,
      shared,
    );
    this.#voidType = this.#types.i32TypeIndex(0, false);
  }

  first(): Uint8Array {
    const { passages, ofFirst } = this.#plan;
    const load = this.#unusedImport();
    const isLoaded = this.#globals.entries.length;
    const passageTable = this.#count("table");
    const segment = this.#count("element");
    const demandRest = new ByteWriter(16);
    demandRest.byte(opcode.globalGet);
    demandRest.u32(isLoaded);
    demandRest.bytes([opcode.i32Eqz, opcode.if, emptyBlock, opcode.call]);
    demandRest.u32(load);
    demandRest.byte(opcode.end);
    const output: Sections = new Map(this.#sections);
    output.set(sectionId.type, this.#types.finish());
    const imports = this.#imports.map((entry, index) =>
      index === load ? functionImport(loadImport, this.#voidType) : entry,
    );
    output.set(sectionId.import, writeImportSection(imports));
    output.set(sectionId.function, this.#functions.withAdded([this.#voidType]));
    output.set(sectionId.table, appended(this.#open("table"), tableOf(passages.length)));
    output.set(sectionId.global, appended(this.#open("global"), [i32, 1, opcode.i32Const, 0, opcode.end]));
    const pass = ({ functionIndex }: FunctionBody): Uint8Array | undefined =>
      this.#plan.isIn("first", functionIndex)
        ? undefined
        : this.#passage(functionIndex, passageTable, demandRest.finish());
    const opening = openingBody(ofFirst, segment, passageTable);
    output.set(sectionId.code, rewriteBodies(this.#code, this.#functions.importedCount, pass, [opening]));
    const ofPassages = listed([passive, 0], passages.slice(0, ofFirst));
    output.set(sectionId.element, appended(this.#open("element"), ofPassages));
    const added: ExportEntry[] = [
      ...this.#sharedThings().filter(({ name }) => !this.#exports.some((entry) => entry.name === name)),
      { name: restExports.passages, kind: exportKind.table, index: passageTable },
      { name: restExports.isLoaded, kind: exportKind.global, index: isLoaded },
      { name: restExports.open, kind: exportKind.function, index: this.#functions.count },
    ];
    output.set(sectionId.export, writeExportSection([...this.#exports, ...added]));
    output.delete(sectionId.dataCount);
    output.delete(sectionId.data);
    return joinSections(output);
  }

  rest(): Uint8Array {
    const passageTable = functionTable + 1;
    const [globals, numbers] = this.#restGlobals();
    const output: Sections = new Map();
    output.set(sectionId.type, this.#types.finish());
    output.set(sectionId.import, writeImportSection([...this.#imports, ...this.#restImports()]));
    output.set(sectionId.function, this.#functions.withAdded([]));
    output.set(sectionId.global, globals);
    output.set(sectionId.element, this.#restElements(passageTable));
    const dataCount = this.#sections.get(sectionId.dataCount);
    if (dataCount) output.set(sectionId.dataCount, dataCount);
    const pass = (body: FunctionBody): Uint8Array | undefined =>
      this.#plan.isIn("rest", body.functionIndex)
        ? withGlobals(body, numbers)
        : this.#passage(body.functionIndex, passageTable, []);
    output.set(sectionId.code, rewriteBodies(this.#code, this.#functions.importedCount, pass));
    const data = this.#sections.get(sectionId.data);
    if (data) output.set(sectionId.data, data);
    return joinSections(output);
  }

  #open(section: keyof typeof sectionId): ByteReader {
    return openSection(this.#sections, sectionId[section]);
  }

  /** Of the entries in a section. */
  #count(section: keyof typeof sectionId): number {
    return this.#open(section).u32("number of entries");
  }

  get #code(): Uint8Array {
    return this.#open("code").bytes;
  }

  /** The body that a function of the other part has in this one; a trap if nothing calls it from here. */
  #passage(functionIndex: number, passageTable: number, before: Uint8Array | readonly number[]): Uint8Array {
    const place = this.#plan.placeOf.get(functionIndex);
    if (place === undefined) return trapBody;
    const out = new ByteWriter(64);
    out.byte(0);
    out.bytes(before);
    for (let index = 0; index < this.#functions.parameterCount(functionIndex); index++) {
      out.byte(opcode.localGet);
      out.u32(index);
    }
    out.byte(opcode.i32Const);
    out.s32(place.index);
    out.byte(opcode.callIndirect);
    out.u32(this.#functions.typeIndex(functionIndex));
    out.u32(place.table === "passages" ? passageTable : functionTable);
    out.byte(opcode.end);
    return out.finish();
  }

  /** A function that is imported and that nothing calls: its number is free. */
  #unusedImport(): number {
    const { importedCount } = this.#functions;
    for (let index = 0; index < importedCount; index++) if (!this.#plan.mentioned.has(index)) return index;
    throw new ImageFormatError("every imported function is in use: none can load the rest");
  }

  /** Mutable globals and tags, by the names under which the first part exports them to the rest. */
  #sharedThings(): ExportEntry[] {
    const exported = (kind: number, index: number): ExportEntry =>
      this.#exports.find((entry) => entry.kind === kind && entry.index === index) ?? {
        name: `sandboa.${kind === tagKind ? "tag" : "shared"}.${index}`,
        kind,
        index,
      };
    const globals = this.#globals.entries.flatMap(({ mutable }, index) => (mutable ? [index] : []));
    const tags = this.#sections.has(sectionId.tag) ? this.#count("tag") : 0;
    return [
      ...globals.map((index) => exported(exportKind.global, index)),
      ...Array.from({ length: tags }, (_, index) => exported(tagKind, index)),
    ];
  }

  /** What the rest imports of the first part, all under the name of its export. */
  #restImports(): EncodedImport[] {
    const { module } = loadImport;
    const shared = this.#sharedThings().map(({ name, kind, index }) => {
      const global = this.#globals.entries[index];
      return kind === tagKind
        ? imported({ module, name }, tagKind, [0, ...leb(this.#tagType(index))])
        : imported({ module, name }, globalKind, [valueTypeCode(global?.valueType ?? ""), 1]);
    });
    const table = this.#exports.find(
      ({ kind, index }) => kind === exportKind.table && index === functionTable,
    );
    if (table === undefined)
      throw new ImageFormatError("a module to split does not export its table of functions");
    const any = [functionReference, 0, 0];
    return [
      imported({ module, name: table.name }, tableKind, any),
      imported({ module, name: restExports.passages }, tableKind, any),
      ...shared,
    ];
  }

  #tagType(index: number): number {
    const reader = this.#open("tag");
    const count = reader.u32("number of tags");
    const types = Array.from({ length: count }, () => {
      reader.expect(0, "the attribute of a tag");
      return reader.u32("type of a tag");
    });
    return types[index] ?? 0;
  }

  /** The content of the global section, without mutable ones, and the new number of each old one: imported globals come first. */
  #restGlobals(): [Uint8Array, readonly number[]] {
    const { entries } = this.#globals;
    const importedCount = entries.filter(({ mutable }) => mutable).length;
    const constants = entries.filter(({ mutable }) => !mutable);
    const out = new ByteWriter(this.#globals.encoded.length + 8);
    out.u32(constants.length);
    let [nextImported, nextOwn] = [0, importedCount];
    const numbers = entries.map(({ mutable }) => (mutable ? nextImported++ : nextOwn++));
    for (const { encoded } of constants) out.bytes(encoded);
    return [out.finish(), numbers];
  }

  /** Puts the functions of the rest in their places, in the table of functions and in that of passages. */
  #restElements(passageTable: number): Uint8Array {
    const { passages, ofFirst } = this.#plan;
    const segments: Uint8Array[] = [];
    const place = (table: number, start: number, functions: readonly number[]): void => {
      if (functions.length === 0) return;
      const head = [activeNamedTable, ...leb(table), opcode.i32Const, ...signedLeb(start), opcode.end, 0];
      segments.push(listed(head, functions));
    };
    for (const { table, first, elements } of readSegments(this.#open("element"))) {
      if (table !== functionTable) continue;
      const runs: { readonly start: number; readonly functions: number[] }[] = [];
      elements.forEach((index, at) => {
        if (!this.#plan.isOnlyIn("rest", index)) return;
        const last = runs.at(-1);
        if (last && last.start + last.functions.length === first + at) last.functions.push(index);
        else runs.push({ start: first + at, functions: [index] });
      });
      for (const { start, functions } of runs) place(functionTable, start, functions);
    }
    place(passageTable, ofFirst, passages.slice(ofFirst));
    const out = new ByteWriter(1 << 16);
    out.u32(segments.length);
    for (const segment of segments) out.bytes(segment);
    return out.finish();
  }
}

function written(bytes: number, write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(bytes);
  write(out);
  return out.finish();
}

const leb = (value: number): Uint8Array => written(5, (out) => out.u32(value));
const signedLeb = (value: number): Uint8Array => written(5, (out) => out.s32(value));

/** A section of that content with one entry more. */
function appended(reader: ByteReader, entry: Uint8Array | readonly number[]): Uint8Array {
  const count = reader.u32("number of entries");
  return written(reader.bytes.length + entry.length + 5, (out) => {
    out.u32(count + 1);
    out.bytes(reader.bytes.subarray(reader.offset, reader.end));
    out.bytes(entry);
  });
}

function listed(head: readonly number[], functions: readonly number[]): Uint8Array {
  return written(functions.length * 3 + 32, (out) => {
    out.bytes(head);
    out.u32(functions.length);
    for (const index of functions) out.u32(index);
  });
}

const tableOf = (length: number): number[] => [functionReference, 1, ...leb(length), ...leb(length)];

/** Fills the first places of the table of passages. */
function openingBody(count: number, segment: number, passageTable: number): Uint8Array {
  return written(32, (out) => {
    out.bytes([0, opcode.i32Const, 0, opcode.i32Const, 0, opcode.i32Const]);
    out.s32(count);
    out.bytes([opcode.prefixMemory, tableInit]);
    out.u32(segment);
    out.u32(passageTable);
    out.byte(opcode.end);
  });
}

function imported(name: ImportName, kind: number, description: readonly number[]): EncodedImport {
  const encoded = written(64, (out) => {
    out.name(name.module);
    out.name(name.name);
    out.byte(kind);
    out.bytes(description);
  });
  return { encoded };
}

/** The body with other numbers for its globals. */
function withGlobals(body: FunctionBody, numbers: readonly number[]): Uint8Array | undefined {
  const { bytes, start, end } = body;
  const out = new ByteWriter(end - start + 16);
  let copied = start;
  for (let at = firstInstruction(body); at < end; at = instructionEnd(bytes, at)) {
    if (bytes[at] !== opcode.globalGet && bytes[at] !== opcode.globalSet) continue;
    const number = numberAt(bytes, at + 1);
    if (numbers[number] === number) continue;
    out.bytes(bytes.subarray(copied, at + 1));
    out.u32(numbers[number] ?? number);
    copied = numberEnd(bytes, at + 1);
  }
  if (copied === start) return undefined;
  out.bytes(bytes.subarray(copied, end));
  return out.finish();
}
