// The guest's descriptors: numbers to open file descriptions, lowest free number first, capped.
import { fail } from "./kernel-error.ts";
import type { OpenFile } from "./open-file.ts";

interface Slot {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

export class FdTable {
  readonly #slots: (Slot | undefined)[] = [];
  readonly limit: number;
  #open = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** How many descriptors are open. */
  get size(): number {
    return this.#open;
  }

  get(fd: number): OpenFile {
    return this.#slot(fd).file;
  }

  /** EMFILE when no descriptor is left; call it before an effect that a failed `add` would have to undo. */
  reserve(count: number): void {
    if (this.#open + count > this.limit) fail("EMFILE");
  }

  add(file: OpenFile, closeOnExec: boolean, lowest = 0): number {
    if (lowest < 0 || lowest >= this.limit) fail("EINVAL");
    let fd = lowest;
    while (this.#slots[fd] !== undefined) fd++;
    if (fd >= this.limit) fail("EMFILE");
    this.#slots[fd] = { file: file.retain(), closeOnExec };
    this.#open++;
    return fd;
  }

  /** dup2(2): what was at `fd` is closed. */
  replace(fd: number, file: OpenFile, closeOnExec: boolean): void {
    if (fd < 0 || fd >= this.limit) fail("EBADF");
    file.retain();
    if (this.#slots[fd] !== undefined) this.close(fd);
    this.#slots[fd] = { file, closeOnExec };
    this.#open++;
  }

  close(fd: number): void {
    const { file } = this.#slot(fd);
    this.#slots[fd] = undefined;
    this.#open--;
    file.drop();
  }

  closeOnExec(fd: number): boolean {
    return this.#slot(fd).closeOnExec;
  }

  setCloseOnExec(fd: number, closeOnExec: boolean): void {
    this.#slot(fd).closeOnExec = closeOnExec;
  }

  closeAll(): void {
    for (let fd = 0; fd < this.#slots.length; fd++) if (this.#slots[fd] !== undefined) this.close(fd);
  }

  #slot(fd: number): Slot {
    const slot = fd >= 0 ? this.#slots[fd] : undefined;
    return slot ?? fail("EBADF");
  }
}
