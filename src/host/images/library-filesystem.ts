// The guest's library as the sandboxes of one thread find it: opened when the first of them looks into it. A wheel is installed by
// unpacking it into site-packages (PEP 427), and that is read when somebody looks there.
import { ArchiveFileSystem } from "../../filesystems/archive-filesystem.ts";
import type { DirectoryNode, FileSystem, FileSystemUsage } from "../../kernel/filesystem.ts";
import { decodeLibrary, type LibraryFiles } from "./library-file.ts";

type Inflate = (compressed: Uint8Array, sizeBytes: number) => Uint8Array;

export function installLibrary({ archive, wheel, files }: LibraryFiles, inflate: Inflate): ArchiveFileSystem {
  const later = { directory: "site-packages", archive: wheel };
  return new ArchiveFileSystem(archive, inflate, { extra: files, later });
}

export class LibraryFileSystem implements FileSystem {
  readonly #open: () => FileSystem;
  #opened: FileSystem | undefined;

  constructor(bytes: () => Uint8Array, inflate: Inflate) {
    this.#open = () => installLibrary(decodeLibrary(bytes()), inflate);
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
