// An open file description (POSIX): what descriptors made by dup share. Every operation that a kind of file does not
// support refuses; nothing succeeds by default.
import type { Attributes, HeldLock, LockRequest, Node } from "./filesystem.ts";
import type { HostMemory } from "./host-memory.ts";
import { fail } from "./kernel-error.ts";

export interface Readiness {
  readonly readable: boolean;
  readonly writable: boolean;
  readonly hangUp: boolean;
  readonly error: boolean;
}

export abstract class OpenFile {
  /** Status flags: access mode, O_APPEND, O_NONBLOCK, as F_GETFL shows them. */
  flags: number;
  /** What the descriptor table took for this description; nothing for those that the host set up. */
  chargedBytes = 0;
  #references = 0;

  constructor(flags: number) {
    this.flags = flags;
  }

  /** __wasi_filetype_t. */
  abstract readonly fileType: number;
  /** The node behind the description; undefined for pipes, sockets and standard streams. */
  abstract readonly node: Node | undefined;
  abstract attributes(): Attributes;
  abstract readiness(): Readiness;
  protected abstract release(): void;

  /** F_SETFL. */
  changeFlags(flags: number): void {
    this.flags = flags;
  }
  read(_target: Uint8Array): number {
    return fail("EBADF");
  }
  write(_source: Uint8Array): number {
    return fail("EBADF");
  }
  readAt(_target: Uint8Array, _position: number): number {
    return fail("ESPIPE");
  }
  writeAt(_source: Uint8Array, _position: number): number {
    return fail("ESPIPE");
  }
  /** A writable shared mapping begins. Throws EACCES where writes cannot go where they are told to. */
  prepareMappedWrites(): void {
    fail("EACCES");
  }
  /** As `writeAt`, but where it is told to even with O_APPEND: a mapping knows nothing of that (open(2)). */
  writeMapped(_source: Uint8Array, _position: number): number {
    return fail("EACCES");
  }
  /** Returns the new position, in bytes. */
  seek(_offset: bigint, _whence: number): number {
    return fail("ESPIPE");
  }
  truncate(_size: number): void {
    fail("EINVAL");
  }
  /** Reserves room up to `size` bytes and grows the file to it. */
  allocate(_size: number): void {
    fail("ESPIPE");
  }
  sync(): void {
    fail("EINVAL");
  }
  /** fcntl(2), F_SETLK and F_GETLK: what somebody else holds in the way. What only this process can reach never conflicts. */
  lock(_request: LockRequest): HeldLock | undefined {
    return undefined;
  }
  /** Where the offsets of a lock count from: the position, or the end of the file. */
  lockOrigin(_from: "position" | "end"): number {
    return 0;
  }
  /** One of the process's descriptors is closed: this one, or another one of this description. */
  descriptorClosed(): void {}
  /** Bytes that FIONREAD reports. */
  available(): number {
    return fail("ENOTTY");
  }

  retain(): this {
    this.#references++;
    return this;
  }
  /** With the last reference the description is over, and what it was charged is given back, even if that fails. */
  drop(memory: HostMemory): void {
    if (--this.#references > 0) return;
    try {
      this.release();
    } finally {
      memory.give(this.chargedBytes);
    }
  }
}
