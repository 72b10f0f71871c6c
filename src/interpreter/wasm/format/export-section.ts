// The export section: which names the host can reach, and how to cut them to the few it uses
// (8,560 exports cost ten milliseconds per instance).

import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { ImageFormatError } from "./image-format-error.ts";

/** The byte that stands for each kind of export. */
export const exportKind = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

export interface ExportEntry {
  readonly name: string;
  /** A value of `exportKind`. */
  readonly kind: number;
  /** Index in the index space of its kind. */
  readonly index: number;
}

export type Exports = ReadonlyMap<string, ExportEntry>;

/** All exports, by name, in file order. */
export function readExportSection(reader: ByteReader): Exports {
  const exports = new Map<string, ExportEntry>();
  const count = reader.u32("number of exports");
  for (let i = 0; i < count; i++) {
    const name = reader.name("name of an export");
    const kind = reader.byte("kind of an export");
    exports.set(name, { name, kind, index: reader.u32("index of an export") });
  }
  return exports;
}

/** The export of that name and kind; throws ImageFormatError if there is none. */
export function findExport(exports: Exports, name: string, kind: keyof typeof exportKind): ExportEntry {
  const entry = exports.get(name);
  if (entry === undefined) throw new ImageFormatError(`the module does not export ${name}`);
  if (entry.kind !== exportKind[kind]) throw new ImageFormatError(`the export ${name} is not a ${kind}`);
  return entry;
}

/** The exports of these names, in this order; throws ImageFormatError for a name that is missing or asked for twice. */
export function selectExports(exports: Exports, names: readonly string[]): ExportEntry[] {
  const selected = new Map<string, ExportEntry>();
  for (const name of names) {
    const entry = exports.get(name);
    if (entry === undefined) throw new ImageFormatError(`the module does not export ${name}`);
    if (selected.has(name)) throw new ImageFormatError(`the export ${name} is asked for twice`);
    selected.set(name, entry);
  }
  return [...selected.values()];
}

/** The content of an export section with these entries. */
export function writeExportSection(entries: readonly ExportEntry[]): Uint8Array {
  const out = new ByteWriter(32 * entries.length);
  out.u32(entries.length);
  for (const entry of entries) {
    out.name(entry.name);
    out.byte(entry.kind);
    out.u32(entry.index);
  }
  return out.finish();
}
