// The files and directories of an archive. All of them belong to root and refuse every change with EROFS; the order of
// listings is the archive's.
import { mode as modeBits } from "../abi/flags.ts";
import type {
  Attributes,
  ByteString,
  DirectoryEntry,
  DirectoryNode,
  DirectoryReader,
  FileAccess,
  FileHandle,
  FileNode,
  FileSystem,
} from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import type { ContentCache } from "./content-cache.ts";
import { FixedBytesHandle, fixedAttributes, type NodeIdentity } from "./fixed-file.ts";
import { ArchiveFormatError, refuse } from "./zip-archive.ts";

export interface ArchiveTree {
  identity(): NodeIdentity;
  readonly cache: ContentCache<ArchiveFile>;
}

export interface ArchiveContent {
  /** Extracting copies nothing: the bytes are there anyway. */
  readonly inPlace: boolean;
  /** Called when the file is opened and its content is not at hand. Throws ArchiveFormatError. */
  extract(): Uint8Array;
}

export class ArchiveFile implements FileNode {
  readonly kind = "file";
  readonly fileSystem: FileSystem;
  readonly #identity: NodeIdentity;
  readonly #sizeBytes: number;
  readonly #content: ArchiveContent;
  readonly #cache: ContentCache<ArchiveFile>;
  #attributes: Attributes | undefined;

  constructor(tree: ArchiveTree, sizeBytes: number, content: ArchiveContent) {
    this.#cache = tree.cache;
    this.#identity = tree.identity();
    this.fileSystem = this.#identity.fileSystem;
    this.#sizeBytes = sizeBytes;
    this.#content = content;
  }

  get ino(): number {
    return this.#identity.ino;
  }

  attributes(): Attributes {
    this.#attributes ??= fixedAttributes(this.#identity, {
      mode: modeBits.FILE | 0o444,
      nlink: 1,
      rdev: 0,
      sizeBytes: this.#sizeBytes,
    });
    return this.#attributes;
  }

  /** EIO when the content turns out to be damaged. */
  open(access: FileAccess): FileHandle {
    if (access.write || access.truncate) fail("EROFS");
    if (this.#content.inPlace) return new FixedBytesHandle(this.#load());
    let content = this.#cache.get(this);
    if (content === undefined) {
      content = this.#load();
      this.#cache.put(this, content);
    }
    return new FixedBytesHandle(content, content.length);
  }

  #load(): Uint8Array {
    try {
      return this.#content.extract();
    } catch (error) {
      if (error instanceof ArchiveFormatError) fail("EIO");
      throw error;
    }
  }

  setAttributes(): void {
    fail("EROFS");
  }
  truncate(): void {
    fail("EROFS");
  }
}

interface ArchiveEntry extends DirectoryEntry {
  readonly node: ArchiveFile | ArchiveDirectory;
}

export class ArchiveDirectory implements DirectoryNode {
  readonly kind = "directory";
  readonly fileSystem: FileSystem;
  readonly #tree: ArchiveTree;
  readonly #identity: NodeIdentity;
  readonly #parent: ArchiveDirectory;
  readonly #entries = new Map<ByteString, ArchiveFile | ArchiveDirectory>();
  #children = 0;
  #attributes: Attributes | undefined;
  #listing: readonly ArchiveEntry[] | undefined;
  #fill: (() => void) | undefined;

  /** Without a parent this is the root. */
  constructor(tree: ArchiveTree, parent: ArchiveDirectory | undefined) {
    this.#tree = tree;
    this.#identity = tree.identity();
    this.fileSystem = this.#identity.fileSystem;
    this.#parent = parent ?? this;
  }

  /** Construction only. Throws ArchiveFormatError when the name is taken. */
  put(name: ByteString, file: ArchiveFile, path: ByteString): void {
    if (this.#entries.has(name)) refuse("the same path twice", path);
    this.#entries.set(name, file);
  }

  /** Construction only: the directory of that name, made where missing. Throws ArchiveFormatError when it is a file. */
  child(name: ByteString, path: ByteString): ArchiveDirectory {
    const found = this.#entries.get(name);
    if (found?.kind === "file") refuse("a directory is needed, and there is a file", path);
    if (found !== undefined) return found;
    const made = new ArchiveDirectory(this.#tree, this);
    this.#entries.set(name, made);
    this.#children += 1;
    return made;
  }

  /** Construction only: what else belongs in here is put when the directory is first looked at. */
  fillLater(fill: () => void): void {
    this.#fill = fill;
  }

  fill(): void {
    const fill = this.#fill;
    this.#fill = undefined;
    fill?.();
  }

  get ino(): number {
    return this.#identity.ino;
  }

  attributes(): Attributes {
    this.fill();
    const mode = modeBits.DIRECTORY | 0o555;
    const nlink = 2 + this.#children;
    this.#attributes ??= fixedAttributes(this.#identity, { mode, nlink, rdev: 0, sizeBytes: 0 });
    return this.#attributes;
  }

  lookup(name: ByteString): ArchiveFile | ArchiveDirectory | undefined {
    this.fill();
    return this.#entries.get(name);
  }

  list(): readonly DirectoryEntry[] {
    return this.#listed();
  }

  #listed(): readonly ArchiveEntry[] {
    this.fill();
    this.#listing ??= Array.from(this.#entries, ([name, node]) => ({ name, node }));
    return this.#listing;
  }

  /** Without the attributes of what is listed: to have them would look into every directory. */
  reader(): DirectoryReader {
    const entries = this.#listed();
    return {
      after: (position) => {
        const entry = entries[position];
        if (entry === undefined) return undefined;
        const { name, node } = entry;
        return { name, kind: node.kind, ino: node.ino, position: position + 1 };
      },
    };
  }

  parent(): ArchiveDirectory {
    return this.#parent;
  }

  createFile(name: ByteString): never {
    return this.#refuseCreation(name);
  }
  createDirectory(name: ByteString): never {
    return this.#refuseCreation(name);
  }
  createLink(name: ByteString): never {
    return this.#refuseCreation(name);
  }
  createPipe(name: ByteString): never {
    return this.#refuseCreation(name);
  }
  #refuseCreation(name: ByteString): never {
    return fail(this.lookup(name) === undefined ? "EROFS" : "EEXIST");
  }

  setAttributes(): void {
    fail("EROFS");
  }
  unlink(): void {
    fail("EROFS");
  }
  removeDirectory(): void {
    fail("EROFS");
  }
  rename(): void {
    fail("EROFS");
  }
}
