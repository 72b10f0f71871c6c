// A tree whose root is one file, made of functions.
import { FileError } from "../errors/file-error.ts";
import { isBytes } from "../errors/object-kinds.ts";
import { now, run, type Steps } from "../filesystems/later.ts";
import type { Later, Tree, TreeAccess, TreeEntry, TreeFile } from "../filesystems/tree.ts";

/** Functions behind one file. Positions, lengths and sizes are bytes, safe non-negative integers. */
export interface VirtualFileSource {
  /** Up to `length` bytes from `position`; none at the end. Absent: the file cannot be read. */
  read?: ((position: number, length: number) => Later<Uint8Array>) | undefined;
  /** How large the file is; absent: 0, and it is read until there is no more, as files under /proc are. */
  size?: number | (() => Later<number>) | undefined;
  /** Returns how many bytes were written, at least one; nothing returned means all. Absent: the file cannot be written. */
  write?: ((position: number, bytes: Uint8Array) => Later<number | undefined>) | undefined;
  /** Absent: the file cannot be cut, so neither be opened with "w": the guest opens it with "a", or with "r+" where it can be read. */
  truncate?: ((size: number) => Later<void>) | undefined;
  /** fsync(2), and the last close of an open file that could be written. Absent: nothing to do. */
  sync?: (() => Later<void>) | undefined;
  /** When the content changed: nanoseconds since the epoch. Default: the start of the lifetime. */
  modifiedNs?: (() => Later<bigint>) | undefined;
}

const readable = 0o444;
const writable = 0o222;

/** The file of functions that read and write at a position. */
export function functionFile(source: VirtualFileSource): Tree {
  const mode = (source.read ? readable : 0) | (source.write ? writable : 0);
  const steps = function* (): Steps<TreeEntry> {
    const size = typeof source.size === "function" ? yield* now(source.size()) : (source.size ?? 0);
    const modifiedNs = source.modifiedNs && (yield* now(source.modifiedNs()));
    return { kind: "file", size, mode, ...(modifiedNs !== undefined && { modifiedNs }) };
  };
  const stat = (): Later<TreeEntry> => run(steps());
  return rootFile(stat, (access) => {
    if (access.truncate && !source.truncate) throw new FileError("EROFS");
    return run(openFunctions(source, access, stat));
  });
}

function* openFunctions(
  source: VirtualFileSource,
  access: TreeAccess,
  stat: () => Later<TreeEntry>,
): Steps<TreeFile> {
  if (access.truncate) yield* now(source.truncate?.(0));
  const { read, write, truncate, sync } = source;
  const atEnd = function* (bytes: Uint8Array): Steps<number | undefined> {
    const { size } = yield* now(stat());
    return yield* now(source.write?.(size, bytes));
  };
  return {
    stat,
    ...(read && { read: (position: number, length: number) => source.read?.(position, length) ?? nothing }),
    ...(write && {
      write: (position: number, bytes: Uint8Array) =>
        access.append ? run(atEnd(bytes)) : source.write?.(position, bytes),
    }),
    ...(truncate && { truncate: (size: number) => source.truncate?.(size) }),
    ...(sync && { sync: () => source.sync?.(), close: () => (access.write ? source.sync?.() : undefined) }),
  };
}

const nothing = new Uint8Array(0);

/**
 * The file of one function that gives all of the content. A look at the file's size makes it, and the open that follows uses what was
 * made for that.
 */
export function generatedFile(content: () => Later<Uint8Array | string>): Tree {
  let looked: Uint8Array | undefined;
  const generate = function* (): Steps<Uint8Array> {
    const given = yield* now(content());
    if (typeof given === "string") return new TextEncoder().encode(given);
    if (isBytes(given)) return given;
    throw new TypeError("the function of a virtualFile gave neither bytes nor text");
  };
  const entry = (bytes: Uint8Array): TreeEntry => ({ kind: "file", size: bytes.length, mode: readable });
  const look = function* (): Steps<TreeEntry> {
    looked = yield* generate();
    return entry(looked);
  };
  const open = function* (): Steps<TreeFile> {
    const bytes = looked ?? (yield* generate());
    looked = undefined;
    return {
      stat: () => entry(bytes),
      read: (position, length) => bytes.subarray(position, position + length),
    };
  };
  return rootFile(
    () => run(look()),
    (access) => {
      if (access.write) throw new FileError("EACCES");
      return run(open());
    },
  );
}

/** A file always is there, so making one of its name cannot be exclusive. */
function rootFile(stat: () => Later<TreeEntry>, open: (access: TreeAccess) => Later<TreeFile>): Tree {
  return {
    stat: (path) => (path === "" ? stat() : undefined),
    open: (path, access) => {
      if (path !== "") throw new FileError("ENOTDIR");
      if (access.create === "always") throw new FileError("EEXIST");
      return open(access);
    },
  };
}
