// The import section, entry by entry, with the bytes of each entry so that entries can be kept or left out.

import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { exportKind } from "./export-section.ts";
import { readValueType } from "./function-types.ts";
import { ImageFormatError } from "./image-format-error.ts";

export interface ImportName {
  readonly module: string;
  readonly name: string;
}

export interface EncodedImport {
  /** The entry as it stands in the section. */
  readonly encoded: Uint8Array;
}

export type ImportEntry = ImportName &
  EncodedImport &
  (
    | { readonly kind: "function" | "tag"; readonly typeIndex: number }
    | { readonly kind: "global"; readonly valueType: string; readonly mutable: boolean }
    | { readonly kind: "memory" | "table" }
  );

/** All imports, in file order. */
export function readImportSection(reader: ByteReader): ImportEntry[] {
  const entries: ImportEntry[] = [];
  const count = reader.u32("number of imports");
  for (let i = 0; i < count; i++) {
    const start = reader.offset;
    const module = reader.name("module of an import");
    const name = reader.name("name of an import");
    const description = readDescription(reader, `${module}.${name}`);
    entries.push({ module, name, ...description, encoded: reader.bytes.subarray(start, reader.offset) });
  }
  return entries;
}

function readDescription(reader: ByteReader, name: string) {
  const kind = reader.byte("kind of an import");
  switch (kind) {
    case 0:
      return { kind: "function", typeIndex: reader.u32("type of an imported function") } as const;
    case 1:
      readValueType(reader);
      skipLimits(reader);
      return { kind: "table" } as const;
    case 2:
      skipLimits(reader);
      return { kind: "memory" } as const;
    case 3: {
      const valueType = readValueType(reader);
      return { kind: "global", valueType, mutable: reader.byte("mutability of a global") === 1 } as const;
    }
    case 4:
      reader.expect(0, "the attribute of a tag");
      return { kind: "tag", typeIndex: reader.u32("type of an imported tag") } as const;
    default:
      throw new ImageFormatError(`import ${name} is of the unknown kind ${kind}`);
  }
}

function skipLimits(reader: ByteReader): void {
  const flags = reader.byte("flags of limits");
  reader.u32("minimum of limits");
  if ((flags & 1) !== 0) reader.u32("maximum of limits");
}

/** The content of an import section with these entries. */
export function writeImportSection(entries: readonly EncodedImport[]): Uint8Array {
  const out = new ByteWriter(32 * entries.length);
  out.u32(entries.length);
  for (const entry of entries) out.bytes(entry.encoded);
  return out.finish();
}

/** An import of a function with that type. */
export function functionImport({ module, name }: ImportName, typeIndex: number): ImportEntry {
  const out = new ByteWriter(64);
  out.name(module);
  out.name(name);
  out.byte(exportKind.function);
  out.u32(typeIndex);
  return { module, name, kind: "function", typeIndex, encoded: out.finish() };
}
