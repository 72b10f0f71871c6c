// What is asked of nearly every file that is opened for reading, told with the opening: its attributes and, if it is small, its content.
// Where the host's thread answers, each question costs a wait, and most files are opened to be read once.
import { now, type Steps } from "./later.ts";
import type { TreeEntry, TreeFile } from "./tree.ts";
import { plainBytes, plainEntry } from "./tree-answers.ts";

/** The largest file whose content is told. */
const mostLookBytes = 1 << 16;
/** Eight pieces of Python's buffer are the largest file; a guest that reads one again and again waits for it to change. */
const mostAnswers = 16;

export const readsAhead = Symbol("readsAhead");

/** A file of our own: nobody counts what it is asked, so it may be asked for more than the guest has. */
export interface ReadAheadFile extends TreeFile {
  readonly [readsAhead]: boolean;
}

export function canReadAhead(file: TreeFile): boolean {
  return (file as Partial<ReadAheadFile>)[readsAhead] === true;
}

/**
 * What the last file was when it was opened, and still is for all that its guest can know: until the guest asks or tells anybody anything,
 * looks at a clock or is stopped softly, or has looked often. Whoever else changes the file meanwhile did so, in any order that the guest
 * could find out, afterwards.
 */
export class FirstLook {
  #file: number | undefined;
  #answersLeft = 0;
  #entry: TreeEntry | undefined;
  #content = new Uint8Array(0);

  /** `content` is all of it. */
  keep(file: number, entry: TreeEntry, content: Uint8Array): void {
    this.#file = file;
    this.#answersLeft = mostAnswers;
    this.#entry = entry;
    this.#content = content as Uint8Array<ArrayBuffer>;
  }

  readonly forget = (): void => {
    this.#file = undefined;
  };

  entry(file: number): TreeEntry | undefined {
    return this.#answers(file) ? this.#entry : undefined;
  }

  /** How many bytes of `target` were filled; undefined where the file must be asked. */
  read(file: number, target: Uint8Array, position: number): number | undefined {
    if (!this.#answers(file)) return undefined;
    const part = this.#content.subarray(position, position + target.length);
    target.set(part);
    return part.length;
  }

  #answers(file: number): boolean {
    return file === this.#file && this.#answersLeft-- > 0;
  }
}

/** Undefined where it is to be asked: what is large, empty by its own account, or refuses. */
export function* firstLook(file: TreeFile): Steps<{ entry: TreeEntry; content: Uint8Array } | undefined> {
  try {
    const entry = plainEntry(yield* now(file.stat()));
    if (!file.read || entry.kind !== "file" || entry.size === 0 || entry.size > mostLookBytes)
      return undefined;
    const content = plainBytes(yield* now(file.read(0, entry.size)), entry.size);
    return content.length === entry.size ? { entry, content } : undefined;
  } catch {
    return undefined;
  }
}
