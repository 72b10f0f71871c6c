// How many values functions, blocks and tags take and give, by their index in a module.

import type { ByteReader } from "./byte-reader.ts";
import { FunctionTypes } from "./function-types.ts";
import { ImageFormatError } from "./image-format-error.ts";
import { readImportSection } from "./import-section.ts";
import { openSection, type Sections, sectionId } from "./sections.ts";

export interface Signature {
  readonly parameters: number;
  readonly results: number;
}

const emptyBlock = 0x40;
const noValues: Signature = { parameters: 0, results: 0 };
const oneResult: Signature = { parameters: 0, results: 1 };

export class Signatures {
  readonly importedFunctions: number;
  readonly #types: readonly Signature[];
  readonly #functions: readonly number[];
  readonly #tags: readonly number[];

  constructor(sections: Sections) {
    const types = new FunctionTypes(openSection(sections, sectionId.type).bytes);
    this.#types = Array.from({ length: types.count }, (_, index) => ({
      parameters: types.parameterCount(index),
      results: types.resultCount(index),
    }));
    const imports = readImportSection(openSection(sections, sectionId.import));
    const imported = (kind: "function" | "tag"): number[] =>
      imports.flatMap((entry) => (entry.kind === kind ? [entry.typeIndex] : []));
    const functions = imported("function");
    this.importedFunctions = functions.length;
    this.#functions = [...functions, ...readList(openSection(sections, sectionId.function), false)];
    const tags = sections.has(sectionId.tag) ? readList(openSection(sections, sectionId.tag), true) : [];
    this.#tags = [...imported("tag"), ...tags];
  }

  get functionCount(): number {
    return this.#functions.length;
  }

  ofType(index: number): Signature {
    return demand(this.#types[index], "type", index);
  }

  ofFunction(index: number): Signature {
    return this.ofType(demand(this.#functions[index], "function", index));
  }

  ofTag(index: number): Signature {
    return this.ofType(demand(this.#tags[index], "tag", index));
  }

  /** `code` is the first byte of a block's type, `number` the whole of it. */
  ofBlock(code: number, number: number): Signature {
    if (code === emptyBlock) return noValues;
    // A value type is a negative number of one byte.
    return code > emptyBlock && code < 0x80 ? oneResult : this.ofType(number);
  }
}

function readList(reader: ByteReader, isTag: boolean): number[] {
  const count = reader.u32("number of entries");
  return Array.from({ length: count }, () => {
    if (isTag) reader.expect(0, "the attribute of a tag");
    return reader.u32("a type");
  });
}

function demand<T>(found: T | undefined, what: string, index: number): T {
  if (found === undefined) throw new ImageFormatError(`there is no ${what} ${index}`);
  return found;
}
