// A directory in memory. Every change asks the quota first and then cannot fail, so that a refusal leaves nothing behind.
import { mode as modeBits } from "../abi/flags.ts";
import { maxPathBytes } from "../abi/limits.ts";
import type {
  ByteString,
  DirectoryEntry,
  DirectoryNode,
  DirectoryReader,
  Owner,
} from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { type Entry, EntryTable } from "./entry-table.ts";
import { Inode, type Volume } from "./inode.ts";
import { MemoryFile } from "./memory-file.ts";
import { MemoryLink, MemoryPipe } from "./memory-link.ts";
import { checkNewName, detached } from "./names.ts";
import { entryBytes, inodeBytes } from "./quota.ts";

type MemoryNode = MemoryFile | MemoryDirectory | MemoryLink | MemoryPipe;

export class MemoryDirectory extends Inode implements DirectoryNode {
  readonly kind = "directory";
  readonly #entries = new EntryTable<MemoryNode>();
  #parent: MemoryDirectory | undefined;
  /** In the parent; undefined for a root. */
  #name: ByteString | undefined;
  /** How deep directories are nested below this one, or more: exact again as soon as there are none. */
  #height = 0;

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
    return this.#entries.all();
  }

  reader(): DirectoryReader {
    this.markRead();
    const end = this.#entries.lastPosition;
    return {
      after: (position) => {
        const entry = this.#entries.after(position);
        if (entry === undefined || entry.position > end) return undefined;
        const { name, node } = entry;
        return { name, kind: node.kind, ino: node.ino, position: entry.position };
      },
    };
  }

  nameOf(child: DirectoryNode): ByteString | undefined {
    return child instanceof MemoryDirectory && child.#parent === this ? child.#name : undefined;
  }

  parent(): MemoryDirectory | undefined {
    return this.#parent;
  }

  createFile(name: ByteString, mode: number, owner: Owner): MemoryFile {
    this.#admit(name);
    return this.#insert(name, new MemoryFile(this.volume, mode, this.#heir(owner)));
  }

  createDirectory(name: ByteString, mode: number, owner: Owner): MemoryDirectory {
    this.#admitDepth(1);
    this.#admit(name);
    const inherited = this.mode & modeBits.SET_GID;
    const child = new MemoryDirectory(this.volume, mode | inherited, this.#heir(owner), this);
    this.linkCount += 1;
    this.#raise(1);
    this.#insert(name, child);
    child.#name = this.#entries.get(name)?.name;
    return child;
  }

  createLink(name: ByteString, target: ByteString, owner: Owner): MemoryLink {
    if (target === "") fail("ENOENT");
    if (target.length > maxPathBytes) fail("ENAMETOOLONG");
    this.#admit(name, target.length);
    return this.#insert(name, new MemoryLink(this.volume, detached(target), this.#heir(owner)));
  }

  createPipe(name: ByteString, mode: number, owner: Owner): MemoryPipe {
    this.#admit(name);
    return this.#insert(name, new MemoryPipe(this.volume, mode, this.#heir(owner)));
  }

  unlink(name: ByteString): void {
    const entry = this.#existing(name);
    if (entry.node.kind === "directory") fail("EISDIR");
    this.#remove(entry);
    entry.node.forget();
  }

  removeDirectory(name: ByteString): void {
    const entry = this.#existing(name);
    if (entry.node.kind !== "directory") fail("ENOTDIR");
    if (!entry.node.isEmpty()) fail("ENOTEMPTY");
    this.#remove(entry);
    this.#directoryLeft();
    entry.node.forget();
  }

  rename(name: ByteString, newParent: DirectoryNode, newName: ByteString): void {
    if (!(newParent instanceof MemoryDirectory) || newParent.volume !== this.volume) fail("EXDEV");
    const entry = this.#existing(name);
    const { node } = entry;
    checkNewName(newName, this.volume.maxNameBytes);
    if (newParent.#parent === undefined) fail("ENOENT");
    if (node.kind === "directory" && node.#holds(newParent)) fail("EINVAL");
    if (node.kind === "directory") newParent.#admitDepth(1 + node.#height);
    const target = newParent.#entries.get(newName);
    const replaced = target?.node;
    if (replaced === node) return;
    if (replaced !== undefined) checkReplacement(node, replaced);

    // A replaced entry is taken over with its charge; otherwise only a longer name costs more than the old entry gave.
    const growthBytes = target === undefined ? newName.length - name.length : -entryBytes - name.length;
    if (growthBytes > 0) this.volume.quota.take(growthBytes);
    else this.volume.quota.give(-growthBytes);

    this.#entries.remove(entry);
    this.markContentChange();
    const ownName = target?.name ?? detached(newName);
    if (target === undefined) newParent.#entries.add(ownName, node);
    else newParent.#entries.replace(target, node);
    newParent.markContentChange();
    if (replaced?.kind === "directory") newParent.#directoryLeft();
    if (node.kind === "directory") {
      this.#directoryLeft();
      newParent.linkCount += 1;
      newParent.#raise(1 + node.#height);
      node.#parent = newParent;
      node.#name = ownName;
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

  /** ENAMETOOLONG unless that many levels may be put below this directory. */
  #admitDepth(levels: number): void {
    let depth = levels;
    for (let at = this.#parent, below: MemoryDirectory = this; at !== undefined && at !== below; ) {
      depth += 1;
      below = at;
      at = at.#parent;
    }
    if (depth > this.volume.maxDepth) fail("ENAMETOOLONG");
  }

  /** That many levels are below this directory now. */
  #raise(levels: number): void {
    let at: MemoryDirectory = this;
    for (let height = levels; at.#height < height; height++) {
      at.#height = height;
      if (at.#parent === undefined || at.#parent === at) return;
      at = at.#parent;
    }
  }

  #directoryLeft(): void {
    this.linkCount -= 1;
    if (this.linkCount === 2) this.#height = 0;
  }

  #existing(name: ByteString): Entry<MemoryNode> {
    return this.#entries.get(name) ?? fail("ENOENT");
  }

  /** Checks that `name` may be created and charges its entry and inode. */
  #admit(name: ByteString, extraBytes = 0): void {
    checkNewName(name, this.volume.maxNameBytes);
    if (this.#parent === undefined) fail("ENOENT");
    if (this.#entries.get(name) !== undefined) fail("EEXIST");
    this.volume.quota.take(inodeBytes + entryBytes + name.length + extraBytes, 1);
  }

  #insert<N extends MemoryNode>(name: ByteString, node: N): N {
    this.#entries.add(detached(name), node);
    this.markContentChange();
    return node;
  }

  #remove(entry: Entry<MemoryNode>): void {
    this.#entries.remove(entry);
    this.volume.quota.give(entryBytes + entry.name.length);
    this.markContentChange();
  }

  /** In a set-group-ID directory, children belong to the directory's group. */
  #heir(owner: Owner): Owner {
    return (this.mode & modeBits.SET_GID) === 0 ? owner : { uid: owner.uid, gid: this.gid };
  }

  protected sizeBytes(): number {
    return this.#entries.size * entryBytes + this.#entries.nameBytes;
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
