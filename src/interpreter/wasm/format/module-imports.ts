// What a module asks of its host, with signatures: the kernel compares this list with its own table before it boots anything.

import { FunctionTypes } from "./function-types.ts";
import { readImportSection } from "./import-section.ts";
import { openSection, readSections, sectionId } from "./sections.ts";

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: "function" | "global" | "memory" | "table" | "tag";
  /** Of functions and tags: "(i32,i64)->i32", "()->void"; value types are spelled as in the text format. */
  readonly signature?: string;
}

/** The imports of a module, in file order. Throws ImageFormatError if `wasm` is not a well-formed module. */
export function readModuleImports(wasm: Uint8Array): readonly ModuleImport[] {
  const sections = readSections(wasm);
  if (!sections.has(sectionId.import)) return [];
  const types = new FunctionTypes(sections.get(sectionId.type) ?? Uint8Array.of(0));
  return readImportSection(openSection(sections, sectionId.import)).map((entry) => {
    const { module, name, kind } = entry;
    return "typeIndex" in entry
      ? { module, name, kind, signature: types.signature(entry.typeIndex) }
      : { module, name, kind };
  });
}
