// A tree as a file system of the kernel. Nothing is remembered of what the tree has said but for the step that follows: the host may
// change everything at any time, and the guest sees it as it is when it looks.
import type { FileSystem, FileSystemUsage } from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import type { AskedFile } from "./skeleton-directory.ts";
import type { SyncTree } from "./sync-tree.ts";
import { TreeDirectory } from "./tree-directory.ts";
import { makeFile, TreeFileNode } from "./tree-file.ts";
import { inodeNumber, type TreeVolume } from "./tree-node.ts";

const blockBytes = 4096;
/** Where a tree does not say how much room it has: 4 PiB, and as many files as a number of 32 bits counts. */
const unknownRoom = { blocks: 2 ** 40, freeBlocks: 2 ** 40, files: 2 ** 32 - 1, freeFiles: 2 ** 32 - 1 };

interface TreeFileSystemOptions {
  /** The time of what tells none: the start of the lifetime. */
  readonly timeNs: bigint;
  /** Links lead only to what is below the root. Default false. */
  readonly confinesLinks?: boolean;
}

export class TreeFileSystem implements FileSystem {
  readonly root: TreeDirectory;
  readonly confinesLinks: boolean;
  readonly #tree: SyncTree;
  readonly #volume: TreeVolume;

  constructor(tree: SyncTree, options: TreeFileSystemOptions) {
    this.#tree = tree;
    this.confinesLinks = options.confinesLinks ?? false;
    this.#volume = {
      fileSystem: this,
      tree,
      timeNs: options.timeNs,
      kept: new Map(),
    };
    this.root = new TreeDirectory(this.#volume, "");
    this.root.keep();
  }

  /**
   * Where the root is one file, or may become one: for a place in the skeleton. A root that has become something else is EIO.
   * `isPresent`: whether it is there.
   */
  rootFile(isPresent: boolean): AskedFile {
    const unknownIno = inodeNumber("");
    let ino = isPresent ? unknownIno : undefined;
    return {
      get listedIno() {
        return ino;
      },
      find: () => {
        const entry = this.#tree.stat("");
        if (entry !== undefined && entry.kind !== "file") fail("EIO");
        ino = entry && (entry.id ?? unknownIno);
        return entry && new TreeFileNode(this.#volume, "", entry);
      },
      create: (mode, opening) => {
        const made = makeFile(this.#volume, "", mode, opening);
        ino ??= unknownIno;
        return made;
      },
    };
  }

  usage(): FileSystemUsage {
    const room = this.#tree.room();
    if (room === undefined) return { blockBytes, ...unknownRoom, readOnly: false };
    return {
      blockBytes,
      blocks: Math.floor(room.bytes / blockBytes),
      freeBlocks: Math.floor(room.freeBytes / blockBytes),
      files: room.files,
      freeFiles: room.freeFiles,
      readOnly: false,
    };
  }
}
