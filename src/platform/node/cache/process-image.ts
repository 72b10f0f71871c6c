// Where the process behind a process wall has its image from: the files of the cache, whose descriptors it starts with, or a message of
// the host, where there are no such files or they are damaged. Sent through a pipe it costs both sides 40 ms.
import { closeSync } from "node:fs";
import { readUnverified, type Stored, verified } from "./stored-file.ts";

/** The descriptors that the process starts with, in the order in which they are given to it. */
const imageDescriptors = { lean: 3, code: 4, image: 5, library: 6, rest: 7 } as const;

export interface SentImage {
  /** The module. */
  readonly lean: Uint8Array;
  /** The engine's code of it, where there is such. */
  readonly code: Uint8Array | undefined;
  /** For decodeImage. */
  readonly image: Uint8Array;
  /** For LibraryFileSystem. */
  readonly library: Uint8Array;
  /** What the module lacks. */
  readonly rest: Uint8Array;
}

export interface ProcessImage extends Omit<SentImage, "library" | "rest"> {
  /** These are read when the guest first needs something in them. */
  readonly library: () => Uint8Array;
  readonly rest: () => Uint8Array;
}

/** `send`: asks the host for all of it. */
export function readProcessImage(hasCode: boolean, send: () => SentImage): ProcessImage {
  const lean = readOnce(imageDescriptors.lean);
  const code = readOnce(imageDescriptors.code, lean);
  const image = readOnce(imageDescriptors.image);
  if (lean && image && (code || !hasCode)) {
    const library = (): Uint8Array => readOnce(imageDescriptors.library)?.content ?? send().library;
    const rest = (): Uint8Array => readOnce(imageDescriptors.rest, lean)?.content ?? send().rest;
    return { lean: lean.content, code: code?.content, image: image.content, library, rest };
  }
  close(imageDescriptors.library);
  close(imageDescriptors.rest);
  return sentImage(send());
}

export function sentImage({ lean, code, image, library, rest }: SentImage): ProcessImage {
  // A copy, since what came out of a message may begin at any address, and the image is read in words.
  return { lean, code, image: image.slice(), library: () => library, rest: () => rest };
}

/** Undefined where there is no such file, or it is damaged. */
function readOnce(fd: number, owner?: Stored): Stored | undefined {
  try {
    return verified(readUnverified(fd), owner);
  } catch {
    return undefined;
  } finally {
    close(fd);
  }
}

function close(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It was not given.
  }
}
