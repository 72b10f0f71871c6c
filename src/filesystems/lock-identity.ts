// Which file it is that somebody wants to lock, whatever path, place or sandbox it was opened through: what record locks are kept by.
import type { TreeFile } from "./tree.ts";

/**
 * An object that is the file's own as long as somebody has it open; or a word, which is the same for the same file in all of the
 * embedder's process; or a word within an object.
 */
export type LockIdentity = object | string | { readonly within: object; readonly word: string };

export const lockIdentity = Symbol("lockIdentity");

/** A file of our own that knows. Undefined: closed, and nobody had asked before. Throws KernelError where its use has ended. */
export interface LockableFile extends TreeFile {
  [lockIdentity](): LockIdentity | undefined;
}

export function isLockable(file: TreeFile): file is LockableFile {
  return typeof (file as Partial<LockableFile>)[lockIdentity] === "function";
}
