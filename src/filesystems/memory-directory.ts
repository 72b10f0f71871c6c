// A directory in memory. Every change asks the quota first and then cannot fail, so that a refusal leaves nothing behind.
// Entries keep their order of insertion; one entry object serves the map and all listings.
import { mode as modeBits } from "../abi/flags.ts";
import type { ByteString, DirectoryEntry, DirectoryNode, Owner } from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { Inode, type Volume } from "./inode.ts";
import { MemoryFile } from "./memory-file.ts";
import { MemoryLink, MemoryPipe } from "./memory-link.ts";
import { checkNewName, detached, maxTargetBytes } from "./names.ts";
import { entryBytes, inodeBytes } from "./quota.ts";

export type MemoryNode = MemoryFile | MemoryDirectory | MemoryLink | MemoryPipe;

interface MemoryEntry extends DirectoryEntry {
  readonly node: MemoryNode;
}

export class MemoryDirectory extends Inode implements DirectoryNode {
  readonly kind = "directory";
  readonly #entries = new Map<ByteString, MemoryEntry>();
  #parent: MemoryDirectory | undefined;
  #listing: readonly DirectoryEntry[] | undefined;
  #nameBytes = 0;

  /** Without a parent this is a root: its own parent, and nothing is charged for it. */
  constructor(volume: Volume, permissions: number, owner: Owner, parent?: MemoryDirectory) {
    super(volume, modeBits.DIRECTORY | (permissions & modeBits.PERMISSIONS), owner);
    this.#parent = parent ?? this;
    this.linkCount = 2;
  }

  lookup(name: ByteString): MemoryNode | undefined {
    return this.#entries.get(name)?.node;
  }

  list(): readonly DirectoryEntry[] {
    this.markRead();
    this.#listing ??= [...this.#entries.values()];
    return this.#listing;
  }

  parent(): MemoryDirectory | undefined {
    return this.#parent;
  }

  createFile(name: ByteString, mode: number, owner: Owner): MemoryFile {
    this.#admit(name);
    return this.#insert(name, new MemoryFile(this.volume, mode, this.#heir(owner)));
  }

  createDirectory(name: ByteString, mode: number, owner: Owner): MemoryDirectory {
    this.#admit(name);
    const inherited = this.mode & modeBits.SET_GID;
    const child = new MemoryDirectory(this.volume, mode | inherited, this.#heir(owner), this);
    this.linkCount += 1;
    return this.#insert(name, child);
  }

  createLink(name: ByteString, target: ByteString, owner: Owner): MemoryLink {
    if (target === "") fail("ENOENT");
    if (target.length > maxTargetBytes) fail("ENAMETOOLONG");
    this.#admit(name, target.length);
    return this.#insert(name, new MemoryLink(this.volume, detached(target), this.#heir(owner)));
  }

  createPipe(name: ByteString, mode: number, owner: Owner): MemoryPipe {
    this.#admit(name);
    return this.#insert(name, new MemoryPipe(this.volume, mode, this.#heir(owner)));
  }

  unlink(name: ByteString): void {
    const node = this.#existing(name);
    if (node.kind === "directory") fail("EISDIR");
    this.#remove(name);
    node.forget();
  }

  removeDirectory(name: ByteString): void {
    const node = this.#existing(name);
    if (node.kind !== "directory") fail("ENOTDIR");
    if (!node.isEmpty()) fail("ENOTEMPTY");
    this.#remove(name);
    this.linkCount -= 1;
    node.forget();
  }

  rename(name: ByteString, newParent: DirectoryNode, newName: ByteString): void {
    if (!(newParent instanceof MemoryDirectory) || newParent.volume !== this.volume) fail("EXDEV");
    const node = this.#existing(name);
    checkNewName(newName);
    if (newParent.#parent === undefined) fail("ENOENT");
    if (node.kind === "directory" && node.#holds(newParent)) fail("EINVAL");
    const target = newParent.#entries.get(newName);
    const replaced = target?.node;
    if (replaced === node) return;
    if (replaced !== undefined) checkReplacement(node, replaced);

    // A replaced entry is taken over with its charge; otherwise only a longer name costs more than the old entry gave.
    const growthBytes = target === undefined ? newName.length - name.length : -entryBytes - name.length;
    if (growthBytes > 0) this.volume.quota.take(growthBytes);
    else this.volume.quota.give(-growthBytes);

    this.#entries.delete(name);
    this.#nameBytes -= name.length;
    this.#changed();
    const ownName = target?.name ?? detached(newName);
    newParent.#entries.set(ownName, { name: ownName, node });
    if (target === undefined) newParent.#nameBytes += ownName.length;
    newParent.#changed();
    if (replaced?.kind === "directory") newParent.linkCount -= 1;
    if (node.kind === "directory") {
      this.linkCount -= 1;
      newParent.linkCount += 1;
      node.#parent = newParent;
    }
    node.markAttributeChange();
    replaced?.forget();
  }

  isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  forget(): void {
    this.linkCount = 0;
    this.#parent = undefined;
    this.releaseInode();
  }

  /** Whether `directory` is this one or below it. */
  #holds(directory: MemoryDirectory): boolean {
    let at = directory;
    while (at !== this) {
      const above = at.#parent;
      if (above === undefined || above === at) return false;
      at = above;
    }
    return true;
  }

  #existing(name: ByteString): MemoryNode {
    return this.lookup(name) ?? fail("ENOENT");
  }

  /** Checks that `name` may be created and charges its entry and inode. */
  #admit(name: ByteString, extraBytes = 0): void {
    checkNewName(name);
    if (this.#parent === undefined) fail("ENOENT");
    if (this.#entries.has(name)) fail("EEXIST");
    this.volume.quota.take(inodeBytes + entryBytes + name.length + extraBytes, 1);
  }

  #insert<N extends MemoryNode>(name: ByteString, node: N): N {
    const own = detached(name);
    this.#entries.set(own, { name: own, node });
    this.#nameBytes += own.length;
    this.#changed();
    return node;
  }

  #remove(name: ByteString): void {
    this.#entries.delete(name);
    this.#nameBytes -= name.length;
    this.volume.quota.give(entryBytes + name.length);
    this.#changed();
  }

  #changed(): void {
    this.#listing = undefined;
    this.markContentChange();
  }

  /** In a set-group-ID directory, children belong to the directory's group. */
  #heir(owner: Owner): Owner {
    return (this.mode & modeBits.SET_GID) === 0 ? owner : { uid: owner.uid, gid: this.gid };
  }

  protected sizeBytes(): number {
    return this.#entries.size * entryBytes + this.#nameBytes;
  }
  protected heldBytes(): number {
    return this.sizeBytes();
  }
}

function checkReplacement(node: MemoryNode, replaced: MemoryNode): void {
  if (replaced.kind === "directory") {
    if (node.kind !== "directory") fail("EISDIR");
    if (!replaced.isEmpty()) fail("ENOTEMPTY");
  } else if (node.kind === "directory") fail("ENOTDIR");
}
