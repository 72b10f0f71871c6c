// Which open file stands behind which shared mapping. libc remembers a descriptor's number alone, and by the time that a mapping is
// written back that may be another file's: a mapping outlives the descriptor that it was made with (mmap(2)).
import type { HostMemory } from "./host-memory.ts";
import { fail, unheard } from "./kernel-error.ts";
import type { OpenFile } from "./open-file.ts";

/** Charged for each mapping, besides its open file. */
export const mappingBytes = 128;

export class Mappings {
  readonly #limit: number;
  readonly #memory: HostMemory;
  readonly #files = new Map<number, OpenFile>();

  constructor(limit: number, memory: HostMemory) {
    this.#limit = limit;
    this.#memory = memory;
  }

  /** `allocate` gives the address; it is called once there is room, and what it throws has no effect here. Throws ENOMEM. */
  add(file: OpenFile, allocate: () => number): number {
    if (this.#files.size >= this.#limit) fail("ENOMEM");
    this.#memory.take(mappingBytes);
    let address: number;
    try {
      address = allocate();
    } catch (error) {
      this.#memory.give(mappingBytes);
      throw error;
    }
    // The guest may have freed the memory of another mapping without a word.
    this.remove(address);
    this.#files.set(address, file.retain());
    return address;
  }

  find(address: number): OpenFile | undefined {
    return this.#files.get(address);
  }

  remove(address: number): void {
    const file = this.#files.get(address);
    if (file === undefined) return;
    this.#files.delete(address);
    this.#memory.give(mappingBytes);
    file.drop(this.#memory);
  }

  removeAll(): void {
    for (const address of [...this.#files.keys()]) unheard(() => this.remove(address));
  }
}
