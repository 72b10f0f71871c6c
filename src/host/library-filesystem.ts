// The guest's library as the sandboxes of one thread find it: opened when the first of them looks into it.
import { ArchiveFileSystem } from "../filesystems/archive-filesystem.ts";
import type { DirectoryNode, FileSystem, FileSystemUsage } from "../kernel/filesystem.ts";
import { decodeLibrary } from "./library-file.ts";

export class LibraryFileSystem implements FileSystem {
  readonly #open: () => FileSystem;
  #opened: FileSystem | undefined;

  constructor(bytes: () => Uint8Array, inflate: (compressed: Uint8Array, sizeBytes: number) => Uint8Array) {
    this.#open = () => {
      const { archive, files } = decodeLibrary(bytes());
      return new ArchiveFileSystem(archive, inflate, { extra: files });
    };
  }

  get root(): DirectoryNode {
    return this.#archive.root;
  }

  usage(): FileSystemUsage {
    return this.#archive.usage();
  }

  get #archive(): FileSystem {
    this.#opened ??= this.#open();
    return this.#opened;
  }
}
