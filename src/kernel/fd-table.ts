// The guest's descriptors: numbers to open file descriptions, lowest free number first, capped. Each descriptor and each
// description is charged to the guest's host memory; those that the host sets up are not.
import type { HostMemory } from "./host-memory.ts";
import { fail, unheard } from "./kernel-error.ts";
import type { OpenFile } from "./open-file.ts";

// Measured in V8 (Node 20.20): 92 bytes for a descriptor; with its description a socket takes 212, an open file 284, an end of
// an empty pipe 250, a removed directory that is kept open 1093.
/** Charged for each descriptor: its record and its place in the table. */
export const descriptorBytes = 96;
/**
 * Charged for each open file description of whatever kind: our object, the file system's handle, and a removed directory,
 * pipe or link, which only the description keeps alive (without a link's target).
 */
export const descriptionBytes = 1024;

interface Slot {
  readonly file: OpenFile;
  readonly chargedBytes: number;
  closeOnExec: boolean;
}

export class FdTable {
  readonly limit: number;
  readonly #memory: HostMemory;
  readonly #slots: (Slot | undefined)[] = [];
  #open = 0;
  #peak = 0;
  /** No number below this one is free. */
  #searchFrom = 0;

  constructor(limit: number, memory: HostMemory) {
    this.limit = limit;
    this.#memory = memory;
  }

  /** How many descriptors are open. */
  get size(): number {
    return this.#open;
  }
  /** The most that were ever open at once. */
  get peak(): number {
    return this.#peak;
  }

  get(fd: number): OpenFile {
    return this.#slot(fd).file;
  }

  /** Like get, for callers to whom a closed descriptor is no error. */
  find(fd: number): OpenFile | undefined {
    return fd >= 0 ? this.#slots[fd]?.file : undefined;
  }

  /** EMFILE or ENOMEM unless as many new descriptions can be opened at once, before an effect that would have to be undone. */
  reserve(count: number): void {
    if (this.#open + count > this.limit) fail("EMFILE");
    if (count * (descriptorBytes + descriptionBytes) > this.#memory.freeBytes) fail("ENOMEM");
  }

  /** A standard stream: what the host sets up costs the guest nothing. */
  provide(file: OpenFile): number {
    return this.#install(this.#lowestFree(0), file, { chargedBytes: 0, closeOnExec: false });
  }

  /** A descriptor for the description that `make` makes; it is called once there is room, and what it throws has no effect here. */
  open(make: () => OpenFile, closeOnExec: boolean): number {
    this.reserve(1);
    const fd = this.#lowestFree(0);
    this.#memory.take(descriptorBytes + descriptionBytes);
    let file: OpenFile;
    try {
      file = make();
    } catch (error) {
      this.#memory.give(descriptorBytes + descriptionBytes);
      throw error;
    }
    file.chargedBytes = descriptionBytes;
    return this.#install(fd, file, { chargedBytes: descriptorBytes, closeOnExec });
  }

  /** dup(2), F_DUPFD: another descriptor, not below `lowest`, for a description that is open. */
  share(file: OpenFile, closeOnExec: boolean, lowest = 0): number {
    if (lowest < 0 || lowest >= this.limit) fail("EINVAL");
    const fd = this.#lowestFree(lowest);
    this.#memory.take(descriptorBytes);
    return this.#install(fd, file, { chargedBytes: descriptorBytes, closeOnExec });
  }

  /** dup2(2): what was at `fd` is closed. */
  replace(fd: number, file: OpenFile, closeOnExec: boolean): void {
    if (fd < 0 || fd >= this.limit) fail("EBADF");
    const old = this.#slots[fd];
    this.#memory.take(descriptorBytes - (old?.chargedBytes ?? 0));
    // Kept before the other is let go: both may be the same description.
    this.#slots[fd] = { file: file.retain(), chargedBytes: descriptorBytes, closeOnExec };
    if (old === undefined) this.#count();
    else this.#drop(old.file);
  }

  close(fd: number): void {
    const { file, chargedBytes } = this.#slot(fd);
    this.#slots[fd] = undefined;
    while (this.#slots.length > 0 && this.#slots.at(-1) === undefined) this.#slots.pop();
    this.#open--;
    this.#searchFrom = Math.min(this.#searchFrom, fd);
    this.#memory.give(chargedBytes);
    this.#drop(file);
  }

  closeOnExec(fd: number): boolean {
    return this.#slot(fd).closeOnExec;
  }

  setCloseOnExec(fd: number, closeOnExec: boolean): void {
    this.#slot(fd).closeOnExec = closeOnExec;
  }

  /** At the end of a process, where nobody is told what a close has failed with. */
  closeAll(): void {
    for (let fd = 0; fd < this.#slots.length; fd++) {
      if (this.#slots[fd] !== undefined) unheard(() => this.close(fd));
    }
  }

  #slot(fd: number): Slot {
    const slot = fd >= 0 ? this.#slots[fd] : undefined;
    return slot ?? fail("EBADF");
  }

  #lowestFree(lowest: number): number {
    let fd = Math.max(lowest, this.#searchFrom);
    while (this.#slots[fd] !== undefined) fd++;
    if (lowest <= this.#searchFrom) this.#searchFrom = fd;
    return fd < this.limit ? fd : fail("EMFILE");
  }

  #install(fd: number, file: OpenFile, slot: Omit<Slot, "file">): number {
    this.#slots[fd] = { file: file.retain(), ...slot };
    this.#count();
    return fd;
  }

  #count(): void {
    this.#open++;
    this.#peak = Math.max(this.#peak, this.#open);
  }

  #drop(file: OpenFile): void {
    try {
      file.descriptorClosed();
    } finally {
      file.drop(this.#memory);
    }
  }
}
