// The interface between the kernel's path walk and whatever holds files. Implementations live in filesystems/ and throw
// KernelError for refusals. All calls are synchronous. The kernel has already walked the path and checked permission bits;
// an implementation enforces what belongs to the object itself: existence, quotas, read-only, mode of a grant.

/** A file name or path as a byte string: one character of code 1..255 per byte. Never decoded, so every name has one spelling. */
export type ByteString = string;

export interface Attributes {
  readonly ino: number;
  /** File type and permission bits (abi/flags.ts `mode`). */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Bytes. */
  readonly size: number;
  /** 512-byte blocks held. */
  readonly blocks: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** What chmod, chown and utimensat change; a field left out stays. `mode` holds permission bits only. */
export interface AttributeChange {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly atimeNs?: bigint;
  readonly mtimeNs?: bigint;
}

interface AnyNode {
  readonly fileSystem: FileSystem;
  attributes(): Attributes;
  /** Throws EROFS or EPERM where the file system or the grant does not allow it. */
  setAttributes(change: AttributeChange): void;
  /**
   * A descriptor, or the working directory, keeps this node from now on. Where nodes are found by path, a directory that is kept is
   * the one that every later lookup finds, and follows when it is renamed. Absent: nodes are objects of their own.
   */
  keep?(): void;
  /** Undoes one `keep`. */
  drop?(): void;
  /** Host memory besides the description's that keeping it takes. Absent: none. */
  readonly keptBytes?: number;
}

export interface FileNode extends AnyNode {
  readonly kind: "file";
  /**
   * Called once per open(2), after the permission bits allowed it; `access` is what the description will be used for.
   * Throws EROFS, EACCES, EPERM. Truncation (O_TRUNC) is requested through `access.truncate`.
   */
  open(access: FileAccess): FileHandle;
  /** truncate(2) by path, for nodes that allow writing. */
  truncate(size: number): void;
}

export interface FileAccess {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly truncate: boolean;
}

/** What a file that is made will be opened for at once. */
export interface FileOpening extends FileAccess {
  /** O_EXCL: without it, a file that somebody else made meanwhile will do. */
  readonly exclusive: boolean;
}

/** What an open file description of a regular file holds. Positions are byte offsets, safe non-negative integers. */
export interface FileHandle {
  /** Host memory that this handle keeps alive and that no file system's account holds: charged to the guest while it is open. Absent: none. */
  readonly heldBytes?: number;
  /** Copies up to target.length bytes at `position` into target; returns how many (0 at the end). */
  read(target: Uint8Array, position: number): number;
  /** Writes source at `position` (holes read as zero); returns how many bytes were written, or throws ENOSPC, EFBIG, EDQUOT, EIO. */
  write(source: Uint8Array, position: number): number;
  /** The file's present size in bytes: where O_APPEND writes go. */
  size(): number;
  /**
   * O_APPEND is set or cleared (F_SETFL). Absent: writes go where they are told to, and the kernel tells. Throws EPERM where a grant or the
   * file system allows only what it was opened with.
   */
  setAppend?(append: boolean): void;
  /**
   * A writable shared mapping begins, whose writes go where they are told to, O_APPEND or not. Absent: `write` does that. Throws EACCES where
   * a grant or the file system allows only what it was opened with.
   */
  prepareMappedWrites?(): void;
  /** As `write`. Called after `prepareMappedWrites` alone. Absent: `write` is called. */
  writeMapped?(source: Uint8Array, position: number): number;
  truncate(size: number): void;
  /** Reserves [0, size) so that later writes there cannot fail for space; grows the file. Throws ENOSPC. */
  allocate(size: number): void;
  sync(): void;
  /**
   * Record locks of fcntl(2): sets what this process holds there, or looks whether it could; what somebody else holds in the way is returned.
   * Throws ENOLCK beyond a limit, EDEADLK where waiting for the other would never end. Absent: nobody else can have the file.
   */
  lock?(request: LockRequest): HeldLock | undefined;
  /** Ends all locks of this process on the file, through whichever handle they were set. */
  unlock?(): void;
  close(): void;
}

/** Offsets in bytes, 0 to 2^63 - 1, both ends included. */
export interface LockRequest {
  readonly act: "set" | "test";
  /** "none" ends what is held; only with "set". */
  readonly kind: "read" | "write" | "none";
  readonly first: bigint;
  readonly last: bigint;
  /** Whether the guest will ask again and again until nothing is in the way. */
  readonly waits: boolean;
}

export interface HeldLock {
  readonly kind: "read" | "write";
  readonly first: bigint;
  readonly last: bigint;
}

export interface DirectoryEntry {
  readonly name: ByteString;
  readonly node: Node;
}

/** One entry as a reader of the directory meets it. It holds no node: a reader must keep nothing alive. */
export interface PlacedEntry {
  readonly name: ByteString;
  readonly kind: Node["kind"];
  readonly ino: number;
  /** Where reading goes on after this entry: a safe integer, at least 1, growing along the listing. */
  readonly position: number;
}

/** Reads the entries that were there when it was made, as far as they still are when it comes to them. */
export interface DirectoryReader {
  /** The first entry beyond `position`, a number from the guest; undefined at the end. */
  after(position: number): PlacedEntry | undefined;
}

/** Of a walk that looks up one name after the other, for directories that would rather be asked for many at once. */
export interface LookAhead {
  /** What will be looked up next, one below the other as far as that leads: names of at most 255 bytes, neither "." nor "..". */
  names(): readonly ByteString[];
  /** Whatever a directory has noted on this walk. */
  notes?: unknown;
}

export interface DirectoryNode extends AnyNode {
  readonly kind: "directory";
  lookup(name: ByteString, ahead?: LookAhead): Node | undefined;
  /** A walk begins here, and asks for the attributes next. */
  enter?(ahead: LookAhead): void;
  /**
   * Whether a grant allows creating this very name although the directory's permission bits do not: a single file granted
   * for creation inside a directory that belongs to nobody. Absent means no.
   */
  grantsCreation?(name: ByteString): boolean;
  /** Whether `other`, of the same file system, is this directory or below it. Absent: each directory is one node, and the kernel climbs. */
  isAbove?(other: DirectoryNode): boolean;
  /** A snapshot of the entries, without "." and "..", in a stable order. */
  list(): readonly DirectoryEntry[];
  /** A reader that copies nothing, for directories of the guest's own. Absent: the kernel copies `list()` and charges the guest. */
  reader?(): DirectoryReader;
  /** The name of a directory in this one, found without a search. Absent: the kernel searches `list()`. */
  nameOf?(child: DirectoryNode): ByteString | undefined;
  /** Creators throw EEXIST when the name is taken, ENAMETOOLONG beyond 255 bytes, ENOSPC/EDQUOT at a quota, EROFS. `mode` is permission bits after umask. */
  /** With `opening`, `open` follows at once: a file system that makes and opens in one step keeps the file open for that. */
  createFile(name: ByteString, mode: number, owner: Owner, opening?: FileOpening): FileNode;
  createDirectory(name: ByteString, mode: number, owner: Owner): DirectoryNode;
  createLink(name: ByteString, target: ByteString, owner: Owner): LinkNode;
  createPipe(name: ByteString, mode: number, owner: Owner): PipeNode;
  /** Removes a name that is not a directory; open handles keep the file alive. ENOENT. */
  unlink(name: ByteString): void;
  /** Removes an empty directory: ENOTEMPTY, ENOENT. */
  removeDirectory(name: ByteString): void;
  /**
   * Moves `name` to `newName` in `newParent` (same file system), atomically replacing what is there. The kernel has
   * already ruled out: different file systems (EXDEV), a directory into its own child (EINVAL), file over directory
   * and the reverse (EISDIR, ENOTDIR), and non-empty targets are refused here with ENOTEMPTY.
   */
  rename(name: ByteString, newParent: DirectoryNode, newName: ByteString): void;
  /** The directory that holds this one, itself at the root of the file system; undefined once removed. */
  parent(): DirectoryNode | undefined;
}

export interface LinkNode extends AnyNode {
  readonly kind: "link";
  readonly target: ByteString;
}

/** A named pipe. The kernel keeps the buffer: one per node, found by identity. */
export interface PipeNode extends AnyNode {
  readonly kind: "pipe";
}

/** A character device, such as /dev/null: the kernel asks `device` for its behaviour. */
export interface DeviceNode extends AnyNode {
  readonly kind: "device";
  readonly device: Device;
}

export interface Device {
  read(target: Uint8Array): number;
  write(source: Uint8Array): number;
}

export type Node = FileNode | DirectoryNode | LinkNode | PipeNode | DeviceNode;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface FileSystemUsage {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
  readonly readOnly: boolean;
}

export interface FileSystem {
  readonly root: DirectoryNode;
  /** Links lead only to what is below the root: an absolute target, or one that climbs out, leads nowhere. Default false. */
  readonly confinesLinks?: boolean;
  usage(): FileSystemUsage;
}

/** Where times come from: nanoseconds since the epoch, as the guest's clock policy shows them. */
export type NowNs = () => bigint;
