// What an embedder grants: an object that carries authority, placed under a guest path. The constructors check their arguments, the
// host resolves them when the sandbox is created.

import type { HostFileMode } from "../filesystems/host-file.ts";
import type { Tree } from "../filesystems/tree.ts";

export type { HostFileMode };

export interface HostFile {
  readonly kind: "hostFile";
  readonly path: string;
  readonly mode: HostFileMode;
  /** How large the file may become, in bytes. */
  readonly maxBytes: number;
}

export interface MemoryFile {
  readonly kind: "memoryFile";
  readonly bytes: Uint8Array;
}

export interface Scratch {
  readonly kind: "scratch";
  readonly quotaBytes: number;
  readonly maxFiles: number;
}

/** Files that code provides. */
export interface TreeCapability {
  readonly kind: "tree";
  /** What its root is, or will be. Default: the tree is asked when a lifetime begins. */
  readonly root?: "file" | "directory";
  /** Called once for each lifetime, that is when the sandbox is created and at each reset; what it gives is closed at the end of it. */
  open(): Tree;
}

/** Another place, with a tree of one's own around its tree: the way to restrict, watch or change a place in any manner. */
export interface Wrapped {
  readonly kind: "wrapped";
  readonly inner: FileCapability;
  /** Called once for each lifetime. Closing the tree that it gives is to close `tree`. */
  wrap(tree: Tree): Tree;
}

export type FileCapability = HostFile | MemoryFile | Scratch | TreeCapability | Wrapped;
