// A read-only tree out of a zip file: the standard library. Headers are read at construction, content is inflated when a
// file is opened; the last ones used are kept. Immutable as the guest sees it, so that any number of sandboxes may share one.
import type { ByteString, DirectoryNode, FileSystem, FileSystemUsage } from "../kernel/filesystem.ts";
import { type ArchiveContent, ArchiveDirectory, ArchiveFile, type ArchiveTree } from "./archive-node.ts";
import { isPlainPath } from "./archive-path.ts";
import { ContentCache } from "./content-cache.ts";
import { type ArchiveLimits, readZipEntries, refuse } from "./zip-archive.ts";
import { extractZipEntry, type Inflate } from "./zip-content.ts";

const blockBytes = 4096;
/** 1980-01-01, the first moment that a zip file can name. */
const zipEpochNs = 315_532_800_000_000_000n;
const defaultLimits: ArchiveLimits = {
  maxEntries: 20_000,
  maxEntryBytes: 64 * 1024 * 1024,
  maxTotalBytes: 256 * 1024 * 1024,
};

/** Inflated content kept besides what open files need. */
const cacheBytes = 4 * 1024 * 1024;

interface ArchiveFileSystemOptions {
  /** Of every file and directory: atime, mtime and ctime. Default: 1980-01-01. */
  readonly timeNs?: bigint;
  readonly limits?: ArchiveLimits;
  /** Further files, by relative path, besides the archive's; read in place, so they must not change. */
  readonly extra?: ReadonlyMap<ByteString, Uint8Array>;
  /** A further archive, whose headers are read when the guest first looks into its directory. */
  readonly later?: { readonly directory: ByteString; readonly archive: Uint8Array };
}

export class ArchiveFileSystem implements FileSystem {
  readonly root: DirectoryNode;
  #totalBytes = 0;
  #lastIno = 0;
  #complete: () => void = () => undefined;

  /** `archive` is read in place (it may be shared memory) and must not change. Throws ArchiveFormatError. */
  constructor(archive: Uint8Array, inflate: Inflate, options: ArchiveFileSystemOptions = {}) {
    const limits = options.limits ?? defaultLimits;
    const tree: ArchiveTree = {
      cache: new ContentCache(cacheBytes),
      identity: () => {
        this.#lastIno += 1;
        return { fileSystem: this, ino: this.#lastIno, timeNs: options.timeNs ?? zipEpochNs };
      },
    };
    const root = new ArchiveDirectory(tree, undefined);
    const directories = new Map<ByteString, ArchiveDirectory>([["", root]]);
    const place = (path: ByteString, sizeBytes: number, content: ArchiveContent) => {
      this.#totalBytes += sizeBytes;
      const slash = path.lastIndexOf("/");
      const directory = descend(directories, slash < 0 ? "" : path.slice(0, slash));
      directory.put(path.slice(slash + 1), new ArchiveFile(tree, sizeBytes, content), path);
    };
    const plant = (from: Uint8Array, above: ByteString) => {
      for (const entry of readZipEntries(from, limits)) {
        const path = above + entry.path;
        if (entry.isDirectory) descend(directories, path);
        else {
          const extract = () => extractZipEntry(from, entry, inflate);
          place(path, entry.sizeBytes, { inPlace: false, extract });
        }
      }
    };
    plant(archive, "");
    for (const [path, bytes] of options.extra ?? []) {
      if (!isPlainPath(path)) refuse("an extra file's name must be a plain relative path", path);
      place(path, bytes.length, { inPlace: true, extract: () => bytes });
    }
    const { later } = options;
    if (later !== undefined) {
      const directory = descend(directories, later.directory);
      directory.fillLater(() => plant(later.archive, `${later.directory}/`));
      this.#complete = () => directory.fill();
    }
    this.root = root;
  }

  usage(): FileSystemUsage {
    // The same answer whether anybody has looked into everything or not: sandboxes share this.
    this.#complete();
    const blocks = Math.ceil(this.#totalBytes / blockBytes);
    return { blockBytes, blocks, freeBlocks: 0, files: this.#lastIno, freeFiles: 0, readOnly: true };
  }
}

/** The directory at a plain path, made with its parents where missing; `directories` remembers those seen before. */
function descend(directories: Map<ByteString, ArchiveDirectory>, path: ByteString): ArchiveDirectory {
  const known = directories.get(path);
  if (known !== undefined) return known;
  const slash = path.lastIndexOf("/");
  const parent = descend(directories, slash < 0 ? "" : path.slice(0, slash));
  const made = parent.child(path.slice(slash + 1), path);
  directories.set(path, made);
  return made;
}
