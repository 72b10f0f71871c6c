// An image whose snapshot is read into the memory of the first interpreter that starts with it, and nowhere else: most processes with one
// inline sandbox need no more of it. To read it to where all can share it, and copy it from there, touches 1,600 pages twice.
import { ImageError } from "../../errors/image-error.ts";
import { decodeLayout } from "../../interpreter/image-file.ts";
import type { UsedMemory } from "../../interpreter/interpreter.ts";
import { eachRun, newMemory } from "../../interpreter/snapshot.ts";
import type { ImageStore } from "../../platform/node/cache/image-store.ts";
import type { OpenedStored } from "../../platform/node/cache/opened-stored.ts";
import { checksum } from "../../platform/node/powers.ts";

/** Holds what stands before the content of a snapshot. */
const beginningBytes = 1 << 14;

interface Content {
  readonly start: number;
  readonly end: number;
  /** CRC-32 of all that stands before its start, and before its end. */
  readonly checksums: readonly [number, number];
}

export class PrefilledImage {
  /** The encoded image, in shared memory; without the snapshot's content before `complete` was called. */
  readonly bytes: Uint8Array;
  readonly #content: Content;
  #memory: WebAssembly.Memory | undefined;
  #file: OpenedStored | undefined;

  private constructor(bytes: Uint8Array, content: Content, memory: WebAssembly.Memory, file: OpenedStored) {
    this.bytes = bytes;
    this.#content = content;
    this.#memory = memory;
    this.#file = file;
  }

  /** Verified; undefined when there is none in the cache, or it is damaged. */
  static async read(store: ImageStore, name: string): Promise<PrefilledImage | undefined> {
    const file = store.open(name);
    const image = file && (await PrefilledImage.#read(file).catch(() => undefined));
    if (image === undefined) file?.close();
    return image;
  }

  static async #read(file: OpenedStored): Promise<PrefilledImage | undefined> {
    const bytes = new Uint8Array(new SharedArrayBuffer(file.contentBytes));
    if (!file.readAt(0, bytes.subarray(0, beginningBytes))) return undefined;
    // Of a damaged file it says anything: then the places do not fit, or the checksum does not.
    const { memoryBytes, runs, start, end } = decodeLayout(bytes.subarray(0, beginningBytes));
    const memory = newMemory({ memoryBytes });
    const inMemory = new Uint8Array(memory.buffer);
    const places: Uint8Array[] = [bytes.subarray(0, start)];
    eachRun(runs, (from, length) => places.push(inMemory.subarray(from, from + length)));
    const checksums = await file.readScattered([...places, bytes.subarray(end)]);
    if (checksums === undefined) return undefined;
    const content: Content = { start, end, checksums: [checksums[0] ?? 0, checksums.at(-2) ?? 0] };
    return new PrefilledImage(bytes, content, memory, file);
  }

  /** For the first one who asks. */
  takeMemory(): UsedMemory | undefined {
    const memory = this.#memory;
    this.#memory = undefined;
    return memory && { memory, holdsSnapshot: true };
  }

  /** Reads what is missing, once. Throws ImageError when the file has been damaged in the meantime. */
  complete(): void {
    if (this.#file === undefined) return;
    const { start, end, checksums } = this.#content;
    const target = this.bytes.subarray(start, end);
    if (!this.#file.readAt(start, target) || checksum(target, checksums[0]) !== checksums[1])
      throw new ImageError("IMAGE_BUILD_FAILED", "the cached image was damaged while it was in use");
    this.close();
  }

  /** Nothing more can be read then. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
