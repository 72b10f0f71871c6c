// What the host must know of the module's globals: the mutable ones, because a reset restores them,
// and the constant ones, because they are the addresses of data symbols.

import { type ExportEntry, type Exports, exportKind } from "./format/export-section.ts";
import type { DefinedGlobal } from "./format/global-section.ts";

/**
 * Exports for the mutable globals that none of `kept` reaches: "sandboa.global.0" and so on, in index order.
 * `importedCount` is the number of global indices that come before the defined ones.
 */
export function exportHiddenGlobals(
  globals: readonly DefinedGlobal[],
  importedCount: number,
  kept: readonly ExportEntry[],
): ExportEntry[] {
  const reached = new Set(
    kept.filter((entry) => entry.kind === exportKind.global).map((entry) => entry.index),
  );
  return globals
    .map((global, position) => ({ ...global, index: importedCount + position }))
    .filter((global) => global.mutable && !reached.has(global.index))
    .map(({ index }, hidden) => ({ name: `sandboa.global.${hidden}`, kind: exportKind.global, index }));
}

/** Values, unsigned, of all exported immutable i32 globals, by export name. */
export function readSymbols(
  exports: Exports,
  globals: readonly DefinedGlobal[],
  importedCount: number,
): ReadonlyMap<string, number> {
  const symbols = new Map<string, number>();
  for (const { name, kind, index } of exports.values()) {
    const global = kind === exportKind.global ? globals[index - importedCount] : undefined;
    if (global?.i32 !== undefined && !global.mutable) symbols.set(name, global.i32 >>> 0);
  }
  return symbols;
}
