// Pipes inside one sandbox, anonymous and named. A guest is one thread, so nobody could ever wake a blocked reader: an
// empty pipe that still has writers answers EAGAIN, where POSIX would block for ever.
import { mode, open, wasiFileType } from "../abi/flags.ts";
import type { Attributes, PipeNode } from "./filesystem.ts";
import type { HostMemory } from "./host-memory.ts";
import { fail } from "./kernel-error.ts";
import { OpenFile, type Readiness } from "./open-file.ts";
import { guestOwner } from "./permissions.ts";

/** Linux's default capacity (pipe(7)). */
export const pipeCapacityBytes = 65_536;
/** Charged while a pipe holds bytes: the ring, its typed array and its buffer. */
export const pipeRingBytes = pipeCapacityBytes + 512;

export class PipeBuffer {
  readonly #memory: HostMemory;
  /** A ring, made when the first byte arrives, let go when the last one is taken. */
  #ring: Uint8Array | undefined;
  #start = 0;
  length = 0;
  readers = 0;
  writers = 0;

  constructor(memory: HostMemory) {
    this.#memory = memory;
  }

  get free(): number {
    return pipeCapacityBytes - this.length;
  }

  /** What nobody can read any more goes (fifo(7)). */
  discard(): void {
    if (this.#ring !== undefined) this.#memory.give(pipeRingBytes);
    this.#ring = undefined;
    this.#start = 0;
    this.length = 0;
  }

  /** `source` is not empty. Throws ENOMEM. */
  put(source: Uint8Array): number {
    this.#ring ??= this.#makeRing();
    const count = Math.min(source.length, this.free);
    const from = (this.#start + this.length) % pipeCapacityBytes;
    const first = Math.min(count, pipeCapacityBytes - from);
    this.#ring.set(source.subarray(0, first), from);
    this.#ring.set(source.subarray(first, count), 0);
    this.length += count;
    return count;
  }

  take(target: Uint8Array): number {
    const ring = this.#ring;
    const count = Math.min(target.length, this.length);
    if (ring === undefined || count === 0) return 0;
    const first = Math.min(count, pipeCapacityBytes - this.#start);
    target.set(ring.subarray(this.#start, this.#start + first), 0);
    target.set(ring.subarray(0, count - first), first);
    this.#start = (this.#start + count) % pipeCapacityBytes;
    this.length -= count;
    if (this.length === 0) this.discard();
    return count;
  }

  #makeRing(): Uint8Array {
    this.#memory.take(pipeRingBytes);
    return new Uint8Array(pipeCapacityBytes);
  }
}

export class PipeEnd extends OpenFile {
  readonly fileType = wasiFileType.UNKNOWN;
  readonly node: PipeNode | undefined;
  readonly #buffer: PipeBuffer;
  readonly #reads: boolean;
  readonly #writes: boolean;
  readonly #ino: number;
  readonly #madeNs: bigint;

  constructor(buffer: PipeBuffer, flags: number, place: { node?: PipeNode; ino: number; madeNs: bigint }) {
    super(flags);
    this.#buffer = buffer;
    this.node = place.node;
    this.#ino = place.ino;
    this.#madeNs = place.madeNs;
    const mode = flags & open.ACCMODE;
    this.#reads = mode !== open.WRONLY;
    this.#writes = mode !== open.RDONLY;
    if (this.#reads) buffer.readers++;
    if (this.#writes) buffer.writers++;
  }

  override read(target: Uint8Array): number {
    if (!this.#reads) fail("EBADF");
    if (target.length === 0) return 0;
    if (this.#buffer.length === 0) return this.#buffer.writers === 0 ? 0 : fail("EAGAIN");
    return this.#buffer.take(target);
  }

  override write(source: Uint8Array): number {
    if (!this.#writes) fail("EBADF");
    if (source.length === 0) return 0;
    if (this.#buffer.readers === 0) fail("EPIPE");
    // Writes of up to PIPE_BUF (4096) bytes are atomic (pipe(7)).
    const room = this.#buffer.free;
    if (room === 0 || (source.length <= 4096 && room < source.length)) fail("EAGAIN");
    return this.#buffer.put(source);
  }

  override available(): number {
    return this.#buffer.length;
  }

  attributes(): Attributes {
    if (this.node) return this.node.attributes();
    const times = { atimeNs: this.#madeNs, mtimeNs: this.#madeNs, ctimeNs: this.#madeNs };
    return {
      ino: this.#ino,
      mode: mode.PIPE | 0o600,
      nlink: 1,
      ...guestOwner,
      rdev: 0,
      size: 0,
      blocks: 0,
      ...times,
    };
  }

  readiness(): Readiness {
    const { length, free, readers, writers } = this.#buffer;
    return {
      readable: this.#reads && length > 0,
      writable: this.#writes && free >= 4096,
      hangUp: this.#reads && !this.#writes && writers === 0,
      error: this.#writes && !this.#reads && readers === 0,
    };
  }

  protected release(): void {
    if (this.#reads) this.#buffer.readers--;
    if (this.#writes) this.#buffer.writers--;
    if (this.#buffer.readers + this.#buffer.writers === 0) this.#buffer.discard();
  }
}
