// A read-only tree out of a zip file: the standard library. Headers are read at construction, content is inflated when a
// file is first opened and kept. Immutable as the guest sees it, so that any number of sandboxes may share one.
import type { ByteString, DirectoryNode, FileSystem, FileSystemUsage } from "../kernel/filesystem.ts";
import { ArchiveDirectory, ArchiveFile, type ArchiveTree } from "./archive-node.ts";
import { isPlainPath } from "./archive-path.ts";
import { ArchiveFormatError, type ArchiveLimits, readZipEntries } from "./zip-archive.ts";
import { extractZipEntry, type Inflate } from "./zip-content.ts";

const blockBytes = 4096;
/** 1980-01-01, the first moment that a zip file can name. */
const zipEpochNs = 315_532_800_000_000_000n;
const defaultLimits: ArchiveLimits = {
  maxEntries: 20_000,
  maxEntryBytes: 64 * 1024 * 1024,
  maxTotalBytes: 256 * 1024 * 1024,
};

export interface ArchiveFileSystemOptions {
  /** Of every file and directory: atime, mtime and ctime. Default: 1980-01-01. */
  readonly timeNs?: bigint;
  readonly limits?: ArchiveLimits;
  /** Further files, by relative path, besides the archive's; read in place, so they must not change. */
  readonly extra?: ReadonlyMap<ByteString, Uint8Array>;
}

export class ArchiveFileSystem implements FileSystem {
  readonly root: DirectoryNode;
  readonly #totalBytes: number;
  readonly #files: number;

  /** `archive` is read in place (it may be shared memory) and must not change. Throws ArchiveFormatError. */
  constructor(archive: Uint8Array, inflate: Inflate, options: ArchiveFileSystemOptions = {}) {
    let lastIno = 0;
    const tree: ArchiveTree = {
      identity: () => {
        lastIno += 1;
        return { fileSystem: this, ino: lastIno, timeNs: options.timeNs ?? zipEpochNs };
      },
    };
    const root = new ArchiveDirectory(tree, undefined);
    let totalBytes = 0;
    for (const entry of readZipEntries(archive, options.limits ?? defaultLimits)) {
      totalBytes += entry.sizeBytes;
      if (entry.isDirectory) root.descend(entry.path);
      else {
        const extract = () => extractZipEntry(archive, entry, inflate);
        root.place(entry.path, new ArchiveFile(tree, entry.sizeBytes, extract));
      }
    }
    for (const [path, bytes] of options.extra ?? []) {
      if (!isPlainPath(path)) {
        throw new ArchiveFormatError(`extra file ${JSON.stringify(path)}: not a plain relative path`);
      }
      totalBytes += bytes.length;
      root.place(path, new ArchiveFile(tree, bytes.length, () => bytes));
    }
    this.root = root;
    this.#totalBytes = totalBytes;
    this.#files = lastIno;
  }

  usage(): FileSystemUsage {
    const blocks = Math.ceil(this.#totalBytes / blockBytes);
    return { blockBytes, blocks, freeBlocks: 0, files: this.#files, freeFiles: 0, readOnly: true };
  }
}
