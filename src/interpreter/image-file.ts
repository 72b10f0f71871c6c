// An image as bytes: a JSON header, then the snapshot's runs and content, each aligned. Reading makes
// views, not copies, so that threads can share one image. What comes before the content tells where it belongs, so that it can be read
// to there at once.
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
  readonly breakAddress: number;
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
    breakAddress: snapshot.breakAddress,
    stackPointer: snapshot.stackPointer,
    hiddenValues: snapshot.hiddenGlobals,
    handler: snapshot.handler,
    runs: words(snapshot.runs),
    content: place(snapshot.content, alignment),
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

/** Where the content of a snapshot stands in the file, and where it belongs. */
interface ContentLayout {
  readonly memoryBytes: number;
  /** See Snapshot. */
  readonly runs: Uint32Array;
  readonly start: number;
  readonly end: number;
}

/** From the beginning of an image that nobody has verified yet. Throws where it tells nothing that makes sense, or is too short. */
export function decodeLayout(beginning: Uint8Array): ContentLayout {
  const { header, start } = readHeader(beginning);
  const { memoryBytes, runs, content } = header;
  return {
    memoryBytes,
    runs: new Uint32Array(beginning.slice(start + runs[0], start + runs[0] + runs[1]).buffer),
    start: start + content[0],
    end: start + content[0] + content[1],
  };
}

function readHeader(all: Uint8Array): { readonly header: Header; readonly start: number } {
  const headerBytes = new DataView(all.buffer, all.byteOffset).getUint32(0, true);
  // TextDecoder does not read shared memory.
  const text = new TextDecoder().decode(all.slice(lengthBytes, lengthBytes + headerBytes));
  return { header: JSON.parse(text) as Header, start: bodyStart(headerBytes) };
}

/**
 * The bytes come from our own store, which has verified them; what does not fit is a damaged or foreign file. `beforeContent` is called
 * whenever the snapshot's content is asked for, which need not be there before.
 */
export function decodeImage(all: Uint8Array, beforeContent?: () => void): Image {
  try {
    const { header, start: bodyStart } = readHeader(all);
    const start = all.byteOffset + bodyStart;
    const view = ([offset, length]: readonly [number, number]): Uint8Array =>
      new Uint8Array(all.buffer, start + offset, length);
    const words = ([offset, length]: readonly [number, number]): Uint32Array =>
      new Uint32Array(all.buffer, start + offset, length / Uint32Array.BYTES_PER_ELEMENT);
    const { rehash } = header;
    const content = view(header.content);
    return {
      hiddenGlobals: header.hiddenGlobals,
      snapshot: {
        memoryBytes: header.memoryBytes,
        breakAddress: header.breakAddress,
        stackPointer: header.stackPointer,
        hiddenGlobals: header.hiddenValues,
        handler: header.handler,
        runs: words(header.runs),
        get content() {
          beforeContent?.();
          return content;
        },
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
