// What the nodes of a tree's file system have in common: a path, and attributes that are asked for. A node that a lookup made has been
// told them just now, and they hold for the one question that follows; so a walk asks once for each component.
import { mode as modeBits } from "../abi/flags.ts";
import type {
  AttributeChange,
  Attributes,
  ByteString,
  DirectoryNode,
  FileSystem,
} from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { guestOwner } from "../kernel/permissions.ts";
import type { SyncTree } from "./sync-tree.ts";
import type { TreeChange, TreeEntry, TreePath } from "./tree.ts";
import { treePath } from "./tree-path.ts";

/** A directory that is kept, as far as the others of its tree move it about. */
export interface KeptDirectory extends DirectoryNode {
  readonly lastId: number | undefined;
  note(entry: TreeEntry): void;
  /** To another path, or to none when it was removed. */
  relocate(path: ByteString | undefined): void;
}

/** What the nodes of one tree share. */
export interface TreeVolume {
  readonly fileSystem: FileSystem;
  readonly tree: SyncTree;
  /** The time of what tells none. */
  readonly timeNs: bigint;
  /** Directories that descriptors and the working directory keep, by path: each is the only one of its path. */
  readonly kept: Map<ByteString, KeptDirectory>;
}

const typeBits = { file: modeBits.FILE, directory: modeBits.DIRECTORY, link: modeBits.LINK } as const;
const defaultMode = { file: 0o644, directory: 0o755, link: 0o777 } as const;

export abstract class TreeNode {
  abstract readonly kind: TreeEntry["kind"];
  readonly fileSystem: FileSystem;
  protected readonly volume: TreeVolume;
  /** From the root, whose own is ""; undefined once the guest has removed it. */
  protected path: ByteString | undefined;
  #justTold: TreeEntry | undefined;
  #lastTold: TreeEntry | undefined;

  constructor(volume: TreeVolume, path: ByteString, entry?: TreeEntry) {
    this.volume = volume;
    this.fileSystem = volume.fileSystem;
    this.path = path;
    this.tell(entry);
  }

  get keptBytes(): number {
    return this.path?.length ?? 0;
  }

  protected get isTold(): boolean {
    return this.#justTold !== undefined;
  }

  /** What a lookup has just found. */
  tell(entry: TreeEntry | undefined): void {
    this.#justTold = entry;
    this.#lastTold = entry ?? this.#lastTold;
  }

  /** The same of what is kept already: whoever asks next may do so much later. */
  note(entry: TreeEntry): void {
    this.#justTold = undefined;
    this.#lastTold = entry;
  }

  keep(): void {
    // Whoever keeps it will want to know what it is then.
    this.tell(undefined);
  }

  get lastId(): number | undefined {
    return this.#lastTold?.id;
  }

  attributes(): Attributes {
    return this.#attributesOf(this.#takeTold() ?? this.ask());
  }

  setAttributes({ mode, atimeNs, mtimeNs }: AttributeChange): void {
    const change = {
      ...(mode !== undefined && { mode }),
      ...(atimeNs !== undefined && { accessedNs: atimeNs }),
      ...(mtimeNs !== undefined && { modifiedNs: mtimeNs }),
    };
    // chown(2) can only confirm what is.
    if (Object.keys(change).length > 0) this.change(change);
  }

  protected change(change: TreeChange): void {
    // What has no name any more is known here alone.
    if (this.path === undefined) this.#lastTold = { ...(this.#lastTold ?? fail("ENOENT")), ...change };
    else this.volume.tree.change(this.treePath(), change);
  }

  /** The path as the tree knows it. ENOENT once it was removed. */
  protected treePath(): TreePath {
    return treePath(this.path ?? fail("ENOENT"));
  }

  /** ENOENT when it is not there any more, or is something else by now. */
  protected ask(): TreeEntry {
    // Removed while it is kept: as it was, without a name (fstat(2)).
    if (this.path === undefined) return { ...(this.#lastTold ?? fail("ENOENT")), links: 0 };
    const entry = this.volume.tree.stat(treePath(this.path));
    if (entry?.kind !== this.kind) fail("ENOENT");
    this.#lastTold = entry;
    return entry;
  }

  #takeTold(): TreeEntry | undefined {
    const told = this.#justTold;
    this.#justTold = undefined;
    return this.path === undefined ? undefined : told;
  }

  #attributesOf(entry: TreeEntry): Attributes {
    const { size, modifiedNs = this.volume.timeNs } = entry;
    return {
      ino: entry.id ?? inodeNumber(this.path ?? ""),
      mode: typeBits[this.kind] | (entry.mode ?? defaultMode[this.kind]),
      nlink: entry.links ?? 1,
      ...guestOwner,
      rdev: 0,
      size,
      blocks: Math.ceil(size / 512),
      atimeNs: entry.accessedNs ?? modifiedNs,
      mtimeNs: modifiedNs,
      ctimeNs: entry.changedNs ?? modifiedNs,
    };
  }
}

/** 53 bits of the path, never 0: two rounds of multiplication as in MurmurHash3's finish, with different seeds. */
export function inodeNumber(path: ByteString): number {
  let [low, high] = [0x9e3779b9, 0x85ebca6b];
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    low = Math.imul(low ^ code, 0x9e3779b1);
    high = Math.imul(high ^ code, 0x5f356495);
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0) || 1;
}
