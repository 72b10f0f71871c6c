// Signatures by function index: imported functions first, then defined ones, as the code and element sections count them.

import type { ByteReader } from "./byte-reader.ts";
import type { FunctionTypes } from "./function-types.ts";
import { ImageFormatError } from "./image-format-error.ts";
import type { ImportEntry } from "./import-section.ts";

export class FunctionSpace {
  readonly importedCount: number;
  readonly #types: FunctionTypes;
  readonly #typeIndices: number[];

  /** `defined` is positioned at the start of a function section. */
  constructor(types: FunctionTypes, imports: readonly ImportEntry[], defined: ByteReader) {
    this.#types = types;
    this.#typeIndices = imports.flatMap((entry) => (entry.kind === "function" ? [entry.typeIndex] : []));
    this.importedCount = this.#typeIndices.length;
    const count = defined.u32("number of functions");
    for (let i = 0; i < count; i++) this.#typeIndices.push(defined.u32("type of a function"));
  }

  signature(functionIndex: number): string {
    const typeIndex = this.#typeIndices[functionIndex];
    if (typeIndex === undefined) {
      throw new ImageFormatError(`function ${functionIndex}, of a module with ${this.#typeIndices.length}`);
    }
    return this.#types.signature(typeIndex);
  }
}
