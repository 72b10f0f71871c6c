// A WebAssembly file as its known sections, in file order and without the custom ones (names, producers, link data).
// Invariant: each section occurs at most once; its bytes are views of the input, never copies.

import { ByteReader } from "./byte-reader.ts";
import { ByteWriter, u32Bytes } from "./byte-writer.ts";
import { ImageFormatError } from "./image-format-error.ts";

/** Section numbers. Source: WebAssembly core specification, section 5.5. */
export const sectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

export type SectionId = (typeof sectionId)[keyof typeof sectionId];
export type Sections = Map<SectionId, Uint8Array>;

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const nameOf = new Map<number, string>(Object.entries(sectionId).map(([name, id]) => [id, name]));

/** Splits a module; throws ImageFormatError if it is not one, is truncated, or holds an unknown section. */
export function readSections(wasm: Uint8Array): Sections {
  const reader = new ByteReader(wasm);
  for (const byte of header) reader.expect(byte, "the header of a WebAssembly module, version 1");
  const sections: Sections = new Map();
  while (!reader.done) {
    const id = reader.byte("a section number");
    const name = nameOf.get(id);
    if (name === undefined) throw new ImageFormatError(`unknown section ${id} at byte ${reader.offset - 1}`);
    const content = reader.slice(reader.u32(`size of the ${name} section`), `the ${name} section`);
    if (id === sectionId.custom) continue;
    if (sections.has(id as SectionId)) throw new ImageFormatError(`the ${name} section occurs twice`);
    sections.set(id as SectionId, content);
  }
  return sections;
}

/** A reader over one section's content; throws ImageFormatError if the module has no such section. */
export function openSection(sections: Sections, id: SectionId): ByteReader {
  const content = sections.get(id);
  if (content === undefined) throw new ImageFormatError(`the module has no ${nameOf.get(id)} section`);
  return new ByteReader(content);
}

/** Joins sections, in the order of the map, to a module. */
export function joinSections(sections: Sections): Uint8Array {
  let sizeBytes = header.length;
  for (const content of sections.values()) sizeBytes += 1 + u32Bytes(content.length) + content.length;
  const out = new ByteWriter(sizeBytes);
  out.bytes(header);
  for (const [id, content] of sections) {
    out.byte(id);
    out.sized(content);
  }
  return out.finish();
}
