// An open regular file: a handle of a file system plus the position and access mode of this description.
import { open, wasiFileType, whence } from "../abi/flags.ts";
import type { Attributes, FileHandle, FileNode, HeldLock, LockRequest } from "./filesystem.ts";
import type { HostMemory } from "./host-memory.ts";
import { fail } from "./kernel-error.ts";
import { OpenFile, type Readiness } from "./open-file.ts";

export class RegularFile extends OpenFile {
  readonly fileType = wasiFileType.REGULAR_FILE;
  readonly node: FileNode;
  readonly #handle: FileHandle;
  readonly #memory: HostMemory;
  readonly #heldBytes: number;
  #position = 0;

  /** Throws ENOMEM; the handle is the caller's until this returns. */
  constructor(node: FileNode, handle: FileHandle, flags: number, memory: HostMemory) {
    super(flags);
    this.node = node;
    this.#handle = handle;
    this.#memory = memory;
    this.#heldBytes = handle.heldBytes ?? 0;
    memory.take(this.#heldBytes);
  }

  get readable(): boolean {
    return (this.flags & open.ACCMODE) !== open.WRONLY;
  }
  get writable(): boolean {
    return (this.flags & open.ACCMODE) !== open.RDONLY;
  }

  override read(target: Uint8Array): number {
    const count = this.readAt(target, this.#position);
    this.#position += count;
    return count;
  }

  override write(source: Uint8Array): number {
    if (!this.writable) fail("EBADF");
    if (source.length === 0) return 0;
    const start = this.#startOf(this.#position);
    const count = this.#handle.write(source, start);
    this.#position = start + count;
    return count;
  }

  override readAt(target: Uint8Array, position: number): number {
    if (!this.readable) fail("EBADF");
    return target.length === 0 ? 0 : this.#handle.read(target, position);
  }

  override writeAt(source: Uint8Array, position: number): number {
    if (!this.writable) fail("EBADF");
    return source.length === 0 ? 0 : this.#handle.write(source, this.#startOf(position));
  }

  override prepareMappedWrites(): void {
    this.#handle.prepareMappedWrites?.();
  }

  override writeMapped(source: Uint8Array, position: number): number {
    if (!this.writable) fail("EBADF");
    if (source.length === 0) return 0;
    return this.#handle.writeMapped?.(source, position) ?? this.#handle.write(source, position);
  }

  /** With O_APPEND Linux writes at the end, whatever position is asked for (pwrite(2), BUGS). */
  #startOf(position: number): number {
    return this.flags & open.APPEND ? this.#handle.size() : position;
  }

  override changeFlags(flags: number): void {
    if ((flags ^ this.flags) & open.APPEND) this.#handle.setAppend?.((flags & open.APPEND) !== 0);
    super.changeFlags(flags);
  }

  override seek(offset: bigint, from: number): number {
    const origin =
      from === whence.SET
        ? 0
        : from === whence.CUR
          ? this.#position
          : from === whence.END
            ? this.#handle.size()
            : fail("EINVAL");
    const position = BigInt(origin) + offset;
    if (position < 0n) fail("EINVAL");
    if (position > BigInt(Number.MAX_SAFE_INTEGER)) fail("EOVERFLOW");
    this.#position = Number(position);
    return this.#position;
  }

  override truncate(size: number): void {
    if (!this.writable) fail("EINVAL");
    this.#handle.truncate(size);
  }

  override allocate(size: number): void {
    if (!this.writable) fail("EBADF");
    this.#handle.allocate(size);
  }

  override sync(): void {
    this.#handle.sync();
  }

  override lock(request: LockRequest): HeldLock | undefined {
    return this.#handle.lock?.(request);
  }

  override lockOrigin(from: "position" | "end"): number {
    return from === "position" ? this.#position : this.#handle.size();
  }

  /** All locks of the process on the file end with any of its descriptors for it (fcntl(2)). */
  override descriptorClosed(): void {
    this.#handle.unlock?.();
  }

  override available(): number {
    return Math.max(0, this.#handle.size() - this.#position);
  }

  attributes(): Attributes {
    return this.node.attributes();
  }

  readiness(): Readiness {
    return { readable: true, writable: true, hangUp: false, error: false };
  }

  protected release(): void {
    try {
      this.#handle.close();
    } finally {
      this.#memory.give(this.#heldBytes);
    }
  }
}
