// What stands behind a granted place, as the host's side sees it: files by path, with answers that may come later. It is the interface
// that embedders implement and that every wrapper wraps, so it is small: what is left out is refused (EROFS; list, read and readLink
// EACCES). The kernel's own interface (kernel/filesystem.ts) is made of nodes and never waits; tree-filesystem.ts stands between the two.

/** An answer now or later. A place that answers later needs a wall with another thread: `worker` or `process`. */
export type Later<T> = T | PromiseLike<T>;

/**
 * A path below the tree's root: names joined by "/", and "" for the root itself. No name is empty, "." or "..", and none holds "/" or
 * NUL. Bytes that are not UTF-8 stand as lone surrogates U+DC80 to U+DCFF, as in Python (PEP 383). Links are not followed by the
 * tree: a path that leads through one does not exist.
 */
export type TreePath = string;

/** What stands at a path. */
export interface TreeEntry {
  readonly kind: "file" | "directory" | "link";
  /** Bytes of content; of a link, of its target; of a directory, 0. */
  readonly size: number;
  /** Permission bits; default 0o755 for directories and 0o644 for files. */
  readonly mode?: number | undefined;
  /** Nanoseconds since the epoch; default the start of the lifetime. */
  readonly modifiedNs?: bigint | undefined;
  /** Default: as `modifiedNs`. */
  readonly accessedNs?: bigint | undefined;
  /** Default: as `modifiedNs`. */
  readonly changedNs?: bigint | undefined;
  /** A positive safe integer that tells files of this tree apart, whatever their path. Default: derived from the path. */
  readonly id?: number | undefined;
  /** How many names the file has; default 1. */
  readonly links?: number | undefined;
}

/** An entry of a folder. */
export interface NamedTreeEntry extends TreeEntry {
  /** One name, without "/". */
  readonly name: string;
}

/** For what a file is opened. */
export interface TreeAccess {
  readonly read: boolean;
  readonly write: boolean;
  /** Each write goes to the end. */
  readonly append: boolean;
  /** The content is dropped when the file is opened. Only with `write`. */
  readonly truncate: boolean;
  /** "never": ENOENT when there is no file. "missing": made then. "always": EEXIST when anything is there. */
  readonly create: "never" | "missing" | "always";
  /** Permission bits of a file that is made. */
  readonly mode: number;
}

/** What may be changed of a file's attributes; a field left out stays. */
export interface TreeChange {
  /** Permission bits. */
  readonly mode?: number | undefined;
  /** Nanoseconds since the epoch. */
  readonly accessedNs?: bigint | undefined;
  /** Nanoseconds since the epoch. */
  readonly modifiedNs?: bigint | undefined;
}

/** A file that is open. Positions and lengths are bytes, safe non-negative integers. */
export interface TreeFile {
  /** As the file is now, under whatever name, if any. */
  stat(): Later<TreeEntry>;
  /** Up to `length` bytes from `position`; fewer only at the end, where there are none. */
  read?(position: number, length: number): Later<Uint8Array>;
  /** Returns how many of the bytes were written, at least one; nothing returned means all. The bytes are only valid during the call. */
  write?(position: number, bytes: Uint8Array): Later<number | undefined>;
  /** Cuts the file to this size, or fills it up with zeros. */
  truncate?(size: number): Later<void>;
  /** fsync(2). Default: nothing to do. */
  sync?(): Later<void>;
  /** Of the file as it is now, under whatever name. */
  change?(change: TreeChange): Later<void>;
  /** Called once, also when the sandbox ends without having closed the file. */
  close?(): Later<void>;
}

/** Room that is left, for statvfs(3) and disk_usage. */
export interface TreeRoom {
  readonly bytes: number;
  readonly freeBytes: number;
  readonly files: number;
  readonly freeFiles: number;
}

/** A place as code provides it. What is left out is refused. Refusals are FileError (or KernelError inside of this package); anything else that is thrown is EIO to the guest, and told the host. */
export interface Tree {
  /** Undefined when there is nothing. The root may be a file: then the place is that one file. */
  stat(path: TreePath): Later<TreeEntry | undefined>;
  /** ENOENT, ENOTDIR. Any order; no name twice. */
  list?(path: TreePath): Later<Iterable<NamedTreeEntry>>;
  /** ENOENT, EEXIST, EISDIR, EACCES. */
  open(path: TreePath, access: TreeAccess): Later<TreeFile>;
  /** The link's target, as it was made. ENOENT, EINVAL. */
  readLink?(path: TreePath): Later<string>;
  /** `mode`: permission bits. EEXIST, ENOENT. */
  makeDirectory?(path: TreePath, mode: number): Later<void>;
  /** A symbolic link; `target` is the guest's text. EEXIST, ENOENT. */
  makeLink?(path: TreePath, target: string): Later<void>;
  /** Removes a file or a link: ENOENT, EISDIR. */
  remove?(path: TreePath): Later<void>;
  /** Removes an empty directory: ENOENT, ENOTDIR, ENOTEMPTY. */
  removeDirectory?(path: TreePath): Later<void>;
  /** rename(2): replaces what is at `to`, atomically. */
  rename?(from: TreePath, to: TreePath): Later<void>;
  /** Of a link, the link itself. */
  change?(path: TreePath, change: TreeChange): Later<void>;
  /** Absent: room without a known end. */
  room?(): Later<TreeRoom>;
  /** The tree is needed no more. Called once. */
  close?(): Later<void>;
}
