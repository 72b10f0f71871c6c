// An image as bytes: a JSON header, then the snapshot's runs and content, each aligned. Reading makes
// views, not copies, so that threads can share one image.
import { ImageError } from "../errors/image-error.ts";
import type { RehashPlan } from "./rehash/plan.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Image {
  readonly hiddenGlobals: readonly string[];
  readonly snapshot: Snapshot;
  readonly rehash: RehashPlan;
  /** Size of the library file that was made with it. */
  readonly libraryBytes: number;
}

const alignment = 4096;
const lengthBytes = 4;

interface Header {
  readonly hiddenGlobals: readonly string[];
  readonly memoryBytes: number;
  readonly stackPointer: number;
  readonly hiddenValues: readonly number[];
  readonly handler: number;
  /** [offset from the end of the header, length] */
  readonly runs: readonly [number, number];
  readonly content: readonly [number, number];
  readonly rehash: {
    readonly secret: number;
    readonly scratchBytes: number;
    readonly textCount: number;
    readonly texts: readonly [number, number];
    readonly nameTables: readonly [number, number];
    readonly routine: readonly [number, number];
    readonly program: readonly [number, number];
    readonly late: readonly [number, number];
    readonly movedPages: readonly [number, number];
  };
  readonly libraryBytes: number;
}

export function encodeImage(image: Image): Uint8Array {
  const { snapshot, rehash } = image;
  const parts: [number, Uint8Array][] = [];
  let end = 0;
  const place = (bytes: Uint8Array, align: number): [number, number] => {
    const offset = Math.ceil(end / align) * align;
    parts.push([offset, bytes]);
    end = offset + bytes.length;
    return [offset, bytes.length];
  };
  const words = (numbers: Uint32Array): [number, number] =>
    place(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), numbers.BYTES_PER_ELEMENT);
  const header: Header = {
    hiddenGlobals: image.hiddenGlobals,
    memoryBytes: snapshot.memoryBytes,
    stackPointer: snapshot.stackPointer,
    hiddenValues: snapshot.hiddenGlobals,
    handler: snapshot.handler,
    content: place(snapshot.content, alignment),
    runs: words(snapshot.runs),
    rehash: {
      secret: rehash.secret,
      scratchBytes: rehash.scratchBytes,
      textCount: rehash.textCount,
      texts: words(rehash.texts),
      nameTables: words(rehash.nameTables),
      program: words(rehash.program),
      late: words(rehash.late),
      movedPages: words(rehash.movedPages),
      routine: place(rehash.routine, 1),
    },
    libraryBytes: image.libraryBytes,
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = bodyStart(text.length);
  const all = new Uint8Array(start + end);
  new DataView(all.buffer).setUint32(0, text.length, true);
  all.set(text, lengthBytes);
  for (const [offset, bytes] of parts) all.set(bytes, start + offset);
  return all;
}

function bodyStart(headerBytes: number): number {
  return Math.ceil((lengthBytes + headerBytes) / alignment) * alignment;
}

/** The bytes come from our own store, which has verified them; what does not fit is a damaged or foreign file. */
export function decodeImage(all: Uint8Array): Image {
  try {
    const headerBytes = new DataView(all.buffer, all.byteOffset).getUint32(0, true);
    // TextDecoder does not read shared memory.
    const header = JSON.parse(
      new TextDecoder().decode(all.slice(lengthBytes, lengthBytes + headerBytes)),
    ) as Header;
    const start = all.byteOffset + bodyStart(headerBytes);
    const view = ([offset, length]: readonly [number, number]): Uint8Array =>
      new Uint8Array(all.buffer, start + offset, length);
    const words = ([offset, length]: readonly [number, number]): Uint32Array =>
      new Uint32Array(all.buffer, start + offset, length / Uint32Array.BYTES_PER_ELEMENT);
    const { rehash } = header;
    return {
      hiddenGlobals: header.hiddenGlobals,
      snapshot: {
        memoryBytes: header.memoryBytes,
        stackPointer: header.stackPointer,
        hiddenGlobals: header.hiddenValues,
        handler: header.handler,
        runs: words(header.runs),
        content: view(header.content),
      },
      rehash: {
        secret: rehash.secret,
        scratchBytes: rehash.scratchBytes,
        textCount: rehash.textCount,
        texts: words(rehash.texts),
        nameTables: words(rehash.nameTables),
        routine: view(rehash.routine),
        program: words(rehash.program),
        late: words(rehash.late),
        movedPages: words(rehash.movedPages),
      },
      libraryBytes: header.libraryBytes,
    };
  } catch (error) {
    throw new ImageError("IMAGE_BUILD_FAILED", "a cached image cannot be read", { cause: error });
  }
}
