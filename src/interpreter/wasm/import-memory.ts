// The form of a module that is given its memory. An instance that has trapped is never run on, but its memory is as good as ever, and
// the system has already found pages for it.

import { ByteWriter } from "./format/byte-writer.ts";
import { exportKind } from "./format/export-section.ts";
import { readImportSection, writeImportSection } from "./format/import-section.ts";
import { joinSections, openSection, readSections, type Sections, sectionId } from "./format/sections.ts";

/** Of the memory that the module imports. */
export const memoryImport = { module: "env", name: "memory" } as const;

/** The module with its own memory, of the same limits, imported instead of made. Throws ImageFormatError. */
export function importMemory(wasm: Uint8Array): Uint8Array {
  const sections = readSections(wasm);
  const memory = openSection(sections, sectionId.memory);
  memory.expect(1, "the number of memories");
  const encoded = new ByteWriter(32);
  encoded.name(memoryImport.module);
  encoded.name(memoryImport.name);
  encoded.byte(exportKind.memory);
  encoded.bytes(memory.bytes.subarray(memory.offset));
  const imports = readImportSection(openSection(sections, sectionId.import));
  const output: Sections = new Map(sections);
  output.delete(sectionId.memory);
  const entry = { ...memoryImport, kind: "memory", encoded: encoded.finish() } as const;
  output.set(sectionId.import, writeImportSection([...imports, entry]));
  return joinSections(output);
}
