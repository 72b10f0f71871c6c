// Symbolic links and named pipes of a memory file system: inodes without content of their own. A link's target is charged
// with its inode; a pipe's buffer is the kernel's.
import { mode as modeBits } from "../abi/flags.ts";
import type { ByteString, LinkNode, Owner, PipeNode } from "../kernel/filesystem.ts";
import { Inode, type Volume } from "./inode.ts";

export class MemoryLink extends Inode implements LinkNode {
  readonly kind = "link";
  readonly target: ByteString;

  /** The caller has charged the target's bytes. */
  constructor(volume: Volume, target: ByteString, owner: Owner) {
    super(volume, modeBits.LINK | 0o777, owner);
    this.target = target;
  }

  forget(): void {
    this.linkCount = 0;
    this.releaseInode(this.target.length);
  }

  protected sizeBytes(): number {
    return this.target.length;
  }
  protected heldBytes(): number {
    return 0;
  }
}

export class MemoryPipe extends Inode implements PipeNode {
  readonly kind = "pipe";

  constructor(volume: Volume, permissions: number, owner: Owner) {
    super(volume, modeBits.PIPE | (permissions & modeBits.PERMISSIONS), owner);
  }

  forget(): void {
    this.linkCount = 0;
    this.releaseInode();
  }

  protected sizeBytes(): number {
    return 0;
  }
  protected heldBytes(): number {
    return 0;
  }
}
