// Files and links of a tree. A file node that is open asks its open file, not its path: that may be another file's by now.
import type { ErrnoName } from "../abi/errno.ts";
import type {
  ByteString,
  FileAccess,
  FileHandle,
  FileNode,
  FileOpening,
  HeldLock,
  LinkNode,
  LockRequest,
} from "../kernel/filesystem.ts";
import { fail, KernelError, Overtaken } from "../kernel/kernel-error.ts";
import type { SyncTreeFile } from "./sync-tree.ts";
import type { TreeAccess, TreeChange, TreeEntry } from "./tree.ts";
import { TreeNode, type TreeVolume } from "./tree-node.ts";
import { pathBytes, treePath } from "./tree-path.ts";

export class TreeFileNode extends TreeNode implements FileNode {
  readonly kind = "file";
  #open: SyncTreeFile | undefined;
  /** Open since it was made, for the open(2) that made it. */
  #made: SyncTreeFile | undefined;

  /** It was made, and is open as it will be asked for. */
  static made(volume: TreeVolume, path: ByteString, file: SyncTreeFile): TreeFileNode {
    const node = new TreeFileNode(volume, path);
    node.#made = file;
    return node;
  }

  open({ read, write, append, truncate }: FileAccess): FileHandle {
    const access = { read, write: write || truncate, append, truncate, create: "never", mode: 0 } as const;
    const file = this.#made ?? found(isElsewhere, () => this.volume.tree.open(this.treePath(), access));
    this.#made = undefined;
    this.#open = file;
    // Whatever a lookup had found before it was opened.
    this.tell(undefined);
    const again = append ? () => this.#openAgain(file, access) : undefined;
    return new TreeFileHandle(file, this.keptBytes, again, (closed, next) => {
      if (this.#open === closed) this.#open = next;
    });
  }

  /** The same file, open for writing anywhere. Throws KernelError where that cannot be: trees decide about appending when a file is opened. */
  #openAgain(file: SyncTreeFile, access: TreeAccess): SyncTreeFile {
    const other = this.volume.tree.open(this.treePath(), { ...access, append: false, truncate: false });
    try {
      if (other.stat().id !== file.stat().id) fail("EPERM");
      return other;
    } catch (error) {
      other.close();
      throw error;
    }
  }

  truncate(size: number): void {
    const access = { read: false, write: true, append: false, truncate: false } as const;
    const opened = { ...access, create: "never", mode: 0 } as const;
    const file = found(isElsewhere, () => this.volume.tree.open(this.treePath(), opened));
    try {
      file.truncate(size);
    } finally {
      file.close();
    }
  }

  protected override ask(): TreeEntry {
    if (this.#open === undefined) return super.ask();
    const entry = this.#open.stat();
    return entry.kind === "file" ? entry : fail("EIO");
  }

  protected override change(change: TreeChange): void {
    if (this.#open === undefined) super.change(change);
    else this.#open.change(change);
  }
}

/** What a tree says of a path where no file is: a link, a directory, nothing. */
const isElsewhere: readonly ErrnoName[] = ["ELOOP", "EISDIR", "ENOENT", "ENOTDIR"];

/** Asks for what a walk has just found: a refusal for one of these reasons says that it is not there any more. */
function found<T>(reasons: readonly ErrnoName[], ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw error instanceof KernelError && reasons.includes(error.name) ? new Overtaken(error.name) : error;
  }
}

/** mknod(2), which opens nothing. */
const onlyMade: FileOpening = { read: false, write: true, append: false, truncate: false, exclusive: true };

/** Makes a file, and keeps it open for the open(2) that made it: it need not be possible to open it in this way again. */
export function makeFile(
  volume: TreeVolume,
  path: ByteString,
  mode: number,
  opening: FileOpening = onlyMade,
): TreeFileNode {
  const { exclusive, read, write, append, truncate } = opening;
  const create = exclusive ? "always" : "missing";
  const access = { read, write: write || truncate, append, truncate, create, mode } as const;
  // Made by somebody else meanwhile, it is what open(2) is to follow, or not.
  const file = found(["ELOOP"], () => volume.tree.open(treePath(path), access));
  if (opening !== onlyMade) return TreeFileNode.made(volume, path, file);
  file.close();
  return new TreeFileNode(volume, path);
}

export class TreeLinkNode extends TreeNode implements LinkNode {
  readonly kind = "link";

  get target(): string {
    return pathBytes(found(["EINVAL"], () => this.volume.tree.readLink(this.treePath())));
  }
}

class TreeFileHandle implements FileHandle {
  readonly heldBytes: number;
  #file: SyncTreeFile;
  /** Of a file whose writes all go to the end. */
  #openAgain: (() => SyncTreeFile) | undefined;
  /** The same one without that, for mappings; it stays open as long as the file. */
  #mapped: SyncTreeFile | undefined;
  /** `next` stands for it from now on. */
  readonly #closed: (file: SyncTreeFile, next?: SyncTreeFile) => void;

  constructor(
    file: SyncTreeFile,
    heldBytes: number,
    openAgain: (() => SyncTreeFile) | undefined,
    closed: (file: SyncTreeFile, next?: SyncTreeFile) => void,
  ) {
    this.#file = file;
    this.heldBytes = heldBytes;
    this.#openAgain = openAgain;
    this.#closed = closed;
  }

  read(target: Uint8Array, position: number): number {
    const room = Number.MAX_SAFE_INTEGER - position;
    return room <= 0 ? 0 : this.#file.read(target.subarray(0, Math.min(target.length, room)), position);
  }

  write(source: Uint8Array, position: number): number {
    return writeTo(this.#file, source, position);
  }

  writeMapped(source: Uint8Array, position: number): number {
    return writeTo(this.#mapped ?? this.#file, source, position);
  }

  size(): number {
    return this.#file.stat().size;
  }

  /** Set, it is the kernel that finds the end. */
  setAppend(append: boolean): void {
    if (append || this.#openAgain === undefined) return;
    const next = this.#mapped ?? this.#anywhere("EPERM");
    const before = this.#file;
    this.#file = next;
    this.#mapped = undefined;
    this.#openAgain = undefined;
    this.#closed(before, next);
    before.close();
  }

  prepareMappedWrites(): void {
    if (this.#openAgain !== undefined) this.#mapped ??= this.#anywhere("EACCES");
  }

  truncate(size: number): void {
    this.#file.truncate(size);
  }

  allocate(size: number): void {
    if (size > this.size()) this.#file.truncate(size);
  }

  sync(): void {
    this.#file.sync();
  }

  lock(request: LockRequest): HeldLock | undefined {
    return this.#file.lock(request);
  }

  unlock(): void {
    this.#file.unlock();
  }

  close(): void {
    this.#closed(this.#file);
    try {
      this.#mapped?.close();
    } finally {
      this.#file.close();
    }
  }

  #anywhere(refusal: "EPERM" | "EACCES"): SyncTreeFile {
    try {
      return (this.#openAgain ?? fail(refusal))();
    } catch (error) {
      throw error instanceof KernelError ? new KernelError(refusal) : error;
    }
  }
}

function writeTo(file: SyncTreeFile, source: Uint8Array, position: number): number {
  if (position + source.length > Number.MAX_SAFE_INTEGER) fail("EFBIG");
  return file.write(source, position);
}
