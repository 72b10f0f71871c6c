// Turns the interpreter as shipped into the image that sandboxes run: few exports, no imported globals, no JavaScript on the
// path of a method call, a declared memory maximum. Everything is found by name or structure, never by a fixed index;
// what is not there, or not of the expected shape, is refused.

import { rewriteCode } from "./code-rewrite.ts";
import { trapDeadFunctions } from "./dead-functions.ts";
import { exportHiddenGlobals, readSymbols } from "./exported-globals.ts";
import { ByteReader } from "./format/byte-reader.ts";
import { readReferredFunctions } from "./format/element-section.ts";
import { exportKind, readExportSection, selectExports, writeExportSection } from "./format/export-section.ts";
import { prependZeroGlobals, readGlobalSection } from "./format/global-section.ts";
import { ImageFormatError } from "./format/image-format-error.ts";
import {
  type ImportEntry,
  type ImportName,
  readImportSection,
  writeImportSection,
} from "./format/import-section.ts";
import { withMaximumPages } from "./format/memory-section.ts";
import { joinSections, openSection, readSections, type Sections, sectionId } from "./format/sections.ts";
import { joinImports } from "./joined-imports.ts";
import { deferData, type LateData } from "./late-data.ts";
import { fuelExport } from "./metering/fuel-export.ts";
import { paceExport } from "./metering/pacing.ts";
import { stillTables } from "./still-tables.ts";
import { type DataRange, unusedRanges } from "./unused-data.ts";

export interface RewriteOptions {
  /** Names of exports to keep; a name that the module does not export is an error. */
  readonly exports: readonly string[];
  /** Declared memory maximum, in pages of 64 KiB: at least the module's minimum, at most 65,536. */
  readonly memoryMaximumPages: number;
  /** Whether the guest's work is counted down in the exported global "sandboa.fuel". See metering.ts for the unit. */
  readonly metered?: boolean;
  /** Data that stay out of the memory at first: ascending, with no overlap. None if it is not given. */
  readonly lateData?: readonly LateData[];
  /** Data that are left out if nothing is left that names an address in them: see unused-data.ts. Apart from `lateData`. */
  readonly unusedData?: readonly DataRange[];
  /** Whether looks for signals alone are counted, in "sandboa.pace". See pacing.ts. Not with `metered`. */
  readonly paced?: boolean;
  /** Whether calling that import ends the guest. None does if it is not given. */
  readonly neverReturns?: (entry: ImportName) => boolean;
}

export interface RewrittenImage {
  /** The module with its data, for boot. */
  readonly full: Uint8Array;
  /** The same module with no data but late ones, with a minimum of one page and without a way to change a table: for instances that are restored. */
  readonly lean: Uint8Array;
  /** Names of exports that were added for the mutable globals that no kept export reaches, in index order. */
  readonly hiddenGlobals: readonly string[];
  /** Values of all exported immutable i32 globals of the input, unsigned: the addresses of data symbols. */
  readonly symbols: ReadonlyMap<string, number>;
  /** The index of the function table where the import stands through which Python calls the host. See host-slot.ts. */
  readonly hostSlot: number;
  /** Functions of the input, imported ones too: what was added comes behind them, and keeps nothing from call to call but in globals. */
  readonly functionCount: number;
}

/** Rewrites the module. Throws ImageFormatError if it is damaged or not of the shape that this was written for. */
export function rewriteImage(wasm: Uint8Array, options: RewriteOptions): RewrittenImage {
  const sections = readSections(wasm);
  const imports = readImportSection(openSection(sections, sectionId.import));
  const exports = readExportSection(openSection(sections, sectionId.export));
  const globals = readGlobalSection(openSection(sections, sectionId.global));
  const gotGlobals = countGotGlobals(imports);
  const kept = selectExports(exports, options.exports);
  const hidden = exportHiddenGlobals(globals.entries, gotGlobals, kept);
  const count = options.metered ? "work" : options.paced ? "looks" : "nothing";
  const counter = gotGlobals + globals.entries.length;
  const counterName = { work: fuelExport, looks: paceExport, nothing: undefined }[count];
  const added =
    counterName === undefined ? [] : [{ name: counterName, kind: exportKind.global, index: counter }];

  const output: Sections = new Map(sections);
  const rewritten = rewriteCode(sections, imports, exports, { count, global: counter });
  const { hostSlot } = rewritten;
  const importedFunctions = imports.filter((entry) => entry.kind === "function").length;
  const roots = [
    ...kept.filter(({ kind }) => kind === exportKind.function).map(({ index }) => index),
    ...readReferredFunctions(new ByteReader(rewritten.elements)),
  ];
  const live = trapDeadFunctions(rewritten.code, importedFunctions, roots);
  const { lateData = [], unusedData = [] } = options;
  // Its number must stand before the code.
  openSection(sections, sectionId.dataCount);
  const unused = unusedRanges(live, importedFunctions, unusedData);
  const deferred = deferData(openSection(sections, sectionId.data), lateData, unused);
  const { neverReturns = () => false } = options;
  const joined = joinImports(
    {
      ...rewritten,
      code: deferred.addCopying(live, importedFunctions, exports),
      imports: imports.filter((entry) => entry.kind !== "global"),
      exports: kept,
    },
    neverReturns,
  );
  output.set(sectionId.type, joined.types);
  output.set(sectionId.function, joined.functions);
  output.set(sectionId.table, rewritten.table);
  output.set(sectionId.element, joined.elements);
  output.set(sectionId.import, writeImportSection(joined.imports));
  const memory = (minimumPages?: number): Uint8Array =>
    withMaximumPages(openSection(sections, sectionId.memory), options.memoryMaximumPages, minimumPages);
  output.set(sectionId.memory, memory());
  output.set(sectionId.global, prependZeroGlobals(globals, gotGlobals, added.length > 0));
  output.set(sectionId.export, writeExportSection([...joined.exports, ...hidden, ...added]));
  output.set(sectionId.code, joined.code);
  output.set(sectionId.dataCount, deferred.all.count);
  output.set(sectionId.data, deferred.all.data);

  const full = joinSections(output);
  output.set(sectionId.dataCount, deferred.late.count);
  output.set(sectionId.data, deferred.late.data);
  output.set(sectionId.code, stillTables(joined.code, importedFunctions));
  // A snapshot brings its own size; pages beyond it would only have to be zeroed at every reset.
  output.set(sectionId.memory, memory(1));
  return {
    full,
    lean: joinSections(output),
    hiddenGlobals: hidden.map((entry) => entry.name),
    symbols: readSymbols(exports, globals.entries, gotGlobals),
    hostSlot,
    functionCount: importedFunctions + openSection(sections, sectionId.function).u32("number of functions"),
  };
}

/** Only GOT entries can become zeros: they are filled in by a dynamic linker, which this image does not have. */
function countGotGlobals(imports: readonly ImportEntry[]): number {
  const imported = imports.filter((entry) => entry.kind === "global");
  for (const { module, name, valueType, mutable } of imported) {
    if (module !== "GOT.func" || valueType !== "i32" || !mutable) {
      throw new ImageFormatError(
        `expected imported globals to be mutable i32 of GOT.func, found ${module}.${name}`,
      );
    }
  }
  return imported.length;
}
