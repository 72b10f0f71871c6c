// A file of the cache that stays open, so that what is read of it later is still what was read first.
import { closeSync } from "node:fs";
import { readAll } from "../read-all.ts";
import { contentBytesOf, fillFrom, readScattered } from "./stored-file.ts";

export class OpenedStored {
  readonly #fd: number;
  /** Negative of what is no such file. */
  readonly contentBytes: number;

  constructor(fd: number) {
    this.#fd = fd;
    this.contentBytes = contentBytesOf(fd);
  }

  /** At once, and nothing is verified; false where the file ends before. */
  readAt(position: number, target: Uint8Array): boolean {
    return readAll(this.#fd, target, position);
  }

  /** See readScattered. */
  readScattered(places: readonly Uint8Array[]): Promise<readonly number[] | undefined> {
    return readScattered(this.#fd, places);
  }

  /** All of it at once; false when it is damaged, or does not belong to what has the checksum `owner`. */
  fill(content: Uint8Array, owner?: number): boolean {
    try {
      return fillFrom(this.#fd, content, owner);
    } catch {
      return false;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
