// A regular file in memory. It lives while it has a name or an open handle; when the last of both goes, its bytes and its
// inode return to the quota, once.
import { mode as modeBits } from "../abi/flags.ts";
import type { FileAccess, FileHandle, FileNode, Owner } from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { ByteStore } from "./byte-store.ts";
import { Inode, type Volume } from "./inode.ts";

export class MemoryFile extends Inode implements FileNode {
  readonly kind = "file";
  readonly store: ByteStore;
  #handles = 0;
  #freed = false;

  constructor(volume: Volume, permissions: number, owner: Owner) {
    super(volume, modeBits.FILE | (permissions & modeBits.PERMISSIONS), owner);
    this.store = new ByteStore(volume.quota);
  }

  open(access: FileAccess): FileHandle {
    if (this.#freed) fail("ENOENT");
    if (access.truncate) this.truncate(0);
    this.#handles += 1;
    return new MemoryFileHandle(this, access);
  }

  truncate(size: number): void {
    if (this.#freed) fail("ENOENT");
    this.store.truncate(size);
    this.markContentChange();
  }

  forget(): void {
    this.linkCount = 0;
    if (this.#handles === 0) this.#free();
    else this.markAttributeChange();
  }

  handleClosed(): void {
    this.#handles -= 1;
    if (this.#handles === 0 && this.linkCount === 0) this.#free();
  }

  #free(): void {
    this.#freed = true;
    this.store.truncate(0);
    this.releaseInode();
  }

  protected sizeBytes(): number {
    return this.store.sizeBytes;
  }
  protected heldBytes(): number {
    return this.store.heldBytes;
  }
}

class MemoryFileHandle implements FileHandle {
  readonly #file: MemoryFile;
  readonly #access: FileAccess;
  #open = true;

  constructor(file: MemoryFile, access: FileAccess) {
    this.#file = file;
    this.#access = access;
  }

  read(target: Uint8Array, position: number): number {
    this.#need(this.#access.read);
    const count = this.#file.store.read(target, position);
    if (target.length > 0) this.#file.markRead();
    return count;
  }

  write(source: Uint8Array, position: number): number {
    this.#need(this.#access.write);
    const count = this.#file.store.write(source, position);
    if (count > 0) this.#file.markContentChange();
    return count;
  }

  size(): number {
    return this.#file.store.sizeBytes;
  }

  truncate(size: number): void {
    this.#need(this.#access.write);
    this.#file.truncate(size);
  }

  allocate(size: number): void {
    this.#need(this.#access.write);
    const before = this.#file.store.sizeBytes;
    this.#file.store.allocate(size);
    if (this.#file.store.sizeBytes === before) this.#file.markAttributeChange();
    else this.#file.markContentChange();
  }

  sync(): void {}

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file.handleClosed();
  }

  #need(allowed: boolean): void {
    if (!this.#open || !allowed) fail("EBADF");
  }
}
