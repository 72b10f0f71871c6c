// The guest's library as one file of the cache: the zip of the standard library, a wheel that is installed beside it, and files that
// stand beside the library's own (bytecode, our guest package). A JSON header, then the contents. Reading makes views, not copies, so that threads can share one.
import { ImageError } from "../../errors/image-error.ts";

export interface LibraryFiles {
  /** python_stdlib.zip */
  readonly archive: Uint8Array;
  /** A wheel of pure Python: the time zones. */
  readonly wheel: Uint8Array;
  /** By path below the standard library. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

type Place = readonly [offset: number, length: number];

interface Header {
  readonly archive: Place;
  readonly wheel: Place;
  readonly files: readonly (readonly [string, ...Place])[];
}

const lengthBytes = 4;

export function encodeLibrary({ archive, wheel, files }: LibraryFiles): Uint8Array {
  const parts: Uint8Array[] = [];
  let end = 0;
  const place = (bytes: Uint8Array): Place => {
    parts.push(bytes);
    end += bytes.length;
    return [end - bytes.length, bytes.length];
  };
  const header: Header = {
    archive: place(archive),
    wheel: place(wheel),
    files: [...files].map(([path, bytes]) => [path, ...place(bytes)]),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const all = new Uint8Array(lengthBytes + text.length + end);
  new DataView(all.buffer).setUint32(0, text.length, true);
  all.set(text, lengthBytes);
  let at = lengthBytes + text.length;
  for (const bytes of parts) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}

/** The bytes come from our own store, which has verified them. */
export function decodeLibrary(all: Uint8Array): LibraryFiles {
  try {
    const start = lengthBytes + new DataView(all.buffer, all.byteOffset).getUint32(0, true);
    // TextDecoder does not read shared memory.
    const header = JSON.parse(new TextDecoder().decode(all.slice(lengthBytes, start))) as Header;
    const view = ([offset, length]: Place): Uint8Array =>
      new Uint8Array(all.buffer, all.byteOffset + start + offset, length);
    return {
      archive: view(header.archive),
      wheel: view(header.wheel),
      files: new Map(header.files.map(([path, ...place]) => [path, view(place)])),
    };
  } catch (cause) {
    throw new ImageError("IMAGE_BUILD_FAILED", "a cached library is damaged", { cause });
  }
}
