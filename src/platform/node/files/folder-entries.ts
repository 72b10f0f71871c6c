// What the guest is shown of things in a granted folder: kinds, sizes, permission bits and times as they are; inode numbers of its own;
// neither owner nor link count nor device. A pipe, socket or device looks like an empty file that nobody may open.
import type { BigIntStats } from "node:fs";
import { shownTarget } from "../../../filesystems/inner-links.ts";
import type { TreeEntry } from "../../../filesystems/tree.ts";
import type { ByteString } from "../../../kernel/filesystem.ts";
import { KernelError } from "../../../kernel/kernel-error.ts";
import { InodeNumbers } from "./inode-numbers.ts";
import { statAt, statOf, targetAt } from "./open-at.ts";
import type { OpenedFolder } from "./opened-folder.ts";

export function kindOf(stats: BigIntStats): TreeEntry["kind"] {
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "link" : "file";
}

export class FolderEntries {
  readonly #folder: OpenedFolder;
  readonly #numbers = new InodeNumbers();

  constructor(folder: OpenedFolder) {
    this.#folder = folder;
  }

  /** Of anything but a link. */
  entry(stats: BigIntStats): TreeEntry {
    if (stats.isDirectory()) return this.directory(stats);
    const regular = stats.isFile();
    return this.#entry("file", stats, regular ? Number(stats.size) : 0, regular ? undefined : 0);
  }

  directory(stats: BigIntStats): TreeEntry {
    return this.#entry("directory", stats, 0);
  }

  /** Of what the descriptor stands for; undefined for a link, which needs its name as well. */
  ofPlace(fd: number): TreeEntry | undefined {
    const stats = statOf(fd);
    return stats.isSymbolicLink() ? undefined : this.entry(stats);
  }

  /** The link of this name in the open directory, which lies `depth` directories below the root; undefined when it is none by now. */
  link(directoryFd: number, name: ByteString, depth: number): TreeEntry | undefined {
    try {
      const stats = statAt(directoryFd, name);
      return this.#entry("link", stats, this.target(directoryFd, name, depth).length);
    } catch (error) {
      if (error instanceof KernelError && error.name === "EINVAL") return undefined;
      throw error;
    }
  }

  /** The link's target as the guest may see it. EINVAL for what is no link. */
  target(directoryFd: number, name: ByteString, depth: number): ByteString {
    return shownTarget(targetAt(directoryFd, name), depth, this.#folder.path());
  }

  #entry(kind: TreeEntry["kind"], stats: BigIntStats, size: number, mode?: number): TreeEntry {
    return {
      kind,
      size,
      mode: mode ?? Number(stats.mode) & 0o777,
      modifiedNs: stats.mtimeNs,
      accessedNs: stats.atimeNs,
      changedNs: stats.ctimeNs,
      id: this.#numbers.of(stats.dev, stats.ino),
    };
  }
}
