// A writable file system held in the host's memory: scratch space. Everything in it is charged to one quota (quota.ts says
// what costs how much), so what the guest can make the host hold is bounded by `quotaBytes`
// and by the sandbox's one account.

import { maxNameBytes } from "../abi/limits.ts";
import type { DirectoryNode, FileSystem, FileSystemUsage, NowNs, Owner } from "../kernel/filesystem.ts";
import type { HostMemory } from "../kernel/host-memory.ts";
import type { Volume } from "./inode.ts";
import { MemoryDirectory } from "./memory-directory.ts";
import { maxDepth } from "./names.ts";
import { Quota } from "./quota.ts";

const blockBytes = 4096;

export interface MemoryFileSystemOptions {
  /** Host bytes for everything but the root: chunks as allocated, names, link targets, and the constants of quota.ts. */
  readonly quotaBytes: number;
  /** Files, directories, links and pipes below the root. */
  readonly maxInodes: number;
  /** The sandbox's one account: every byte of the quota is also charged there. */
  readonly account?: HostMemory;
  readonly now: NowNs;
  /** Of one name, in bytes; default and most: 255. */
  readonly maxNameBytes?: number;
  /** How deep directories may be nested; default and most: 2048. */
  readonly maxDepth?: number;
  /** Of the root directory. */
  readonly owner: Owner;
  /** Permission bits of the root directory. */
  readonly rootMode: number;
}

export class MemoryFileSystem implements FileSystem {
  readonly root: DirectoryNode;
  readonly #quota: Quota;

  constructor(options: MemoryFileSystemOptions) {
    this.#quota = new Quota(options.quotaBytes, options.maxInodes, options.account);
    let lastIno = 0;
    const volume: Volume = {
      fileSystem: this,
      quota: this.#quota,
      now: options.now,
      maxNameBytes: Math.min(options.maxNameBytes ?? maxNameBytes, maxNameBytes),
      maxDepth: Math.min(options.maxDepth ?? maxDepth, maxDepth),
      takeIno: () => {
        lastIno += 1;
        return lastIno;
      },
    };
    this.root = new MemoryDirectory(volume, options.rootMode, options.owner);
  }

  /** Bytes charged, of `quotaBytes`; files that are unlinked but open included. */
  get usedBytes(): number {
    return this.#quota.usedBytes;
  }

  get usedInodes(): number {
    return this.#quota.usedInodes;
  }

  usage(): FileSystemUsage {
    return {
      blockBytes,
      blocks: Math.floor(this.#quota.limitBytes / blockBytes),
      freeBlocks: Math.floor(this.#quota.freeBytes / blockBytes),
      files: this.#quota.limitInodes,
      freeFiles: this.#quota.freeInodes,
      readOnly: false,
    };
  }
}
