// Signatures by function index: imported functions first, then defined ones, as the code and element sections count them.

import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { FunctionTypes } from "./function-types.ts";
import { ImageFormatError } from "./image-format-error.ts";
import type { ImportEntry } from "./import-section.ts";

export class FunctionSpace {
  readonly importedCount: number;
  readonly #types: FunctionTypes;
  readonly #typeIndices: number[];
  readonly #defined: Uint8Array;

  /** `defined` is positioned at the start of a function section. */
  constructor(types: FunctionTypes, imports: readonly ImportEntry[], defined: ByteReader) {
    this.#types = types;
    this.#typeIndices = imports.flatMap((entry) => (entry.kind === "function" ? [entry.typeIndex] : []));
    this.importedCount = this.#typeIndices.length;
    const count = defined.u32("number of functions");
    const start = defined.offset;
    for (let i = 0; i < count; i++) this.#typeIndices.push(defined.u32("type of a function"));
    this.#defined = defined.bytes.subarray(start, defined.offset);
  }

  get count(): number {
    return this.#typeIndices.length;
  }

  signature(functionIndex: number): string {
    return this.#types.signature(this.typeIndex(functionIndex));
  }

  parameterCount(functionIndex: number): number {
    return this.#types.parameterCount(this.typeIndex(functionIndex));
  }

  /** The content of a function section with functions of these types at its end. */
  withAdded(typeIndices: readonly number[]): Uint8Array {
    const out = new ByteWriter(this.#defined.length + 64);
    out.u32(this.#typeIndices.length - this.importedCount + typeIndices.length);
    out.bytes(this.#defined);
    for (const typeIndex of typeIndices) out.u32(typeIndex);
    return out.finish();
  }

  typeIndex(functionIndex: number): number {
    const typeIndex = this.#typeIndices[functionIndex];
    if (typeIndex === undefined) {
      throw new ImageFormatError(`function ${functionIndex}, of a module with ${this.#typeIndices.length}`);
    }
    return typeIndex;
  }
}
