// A tree as the kernel's side asks it: the calls of tree.ts, answered now. Answers are plain and checked already (tree-answers.ts), and a
// refusal is a KernelError, whatever stands behind.
import type { HeldLock, LockRequest } from "../kernel/filesystem.ts";
import type { NamedTreeEntry, TreeAccess, TreeChange, TreeEntry, TreePath, TreeRoom } from "./tree.ts";
import type { TreeTrail } from "./tree-trail.ts";

export interface SyncTree {
  stat(path: TreePath): TreeEntry | undefined;
  /** Of the path's last `count` prefixes, at least one and at most `maxTrailPaths`. */
  trail(path: TreePath, count: number): TreeTrail;
  list(path: TreePath): readonly NamedTreeEntry[];
  open(path: TreePath, access: TreeAccess): SyncTreeFile;
  readLink(path: TreePath): string;
  makeDirectory(path: TreePath, mode: number): void;
  makeLink(path: TreePath, target: string): void;
  remove(path: TreePath): void;
  removeDirectory(path: TreePath): void;
  rename(from: TreePath, to: TreePath): void;
  change(path: TreePath, change: TreeChange): void;
  /** Undefined: room without a known end. */
  room(): TreeRoom | undefined;
}

export interface SyncTreeFile {
  stat(): TreeEntry;
  /** How many bytes of `target` were filled, perhaps fewer than there are; 0 only at the end. */
  read(target: Uint8Array, position: number): number;
  /** How many bytes were taken: at least one of them. */
  write(source: Uint8Array, position: number): number;
  truncate(size: number): void;
  sync(): void;
  change(change: TreeChange): void;
  /** As those of a FileHandle (kernel/filesystem.ts). */
  lock(request: LockRequest): HeldLock | undefined;
  unlock(): void;
  close(): void;
}
