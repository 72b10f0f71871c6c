// What an embedder grants: an object that carries authority, placed under a guest path. The constructors check their arguments, the
// host resolves them when the sandbox is created.

import type { HostFileMode } from "../filesystems/host-file.ts";
import type { HostDirectoryMode } from "../filesystems/host-folder.ts";
import type { Tree } from "../filesystems/tree.ts";

export type { HostDirectoryMode, HostFileMode };

/** One file of the host, as hostFile makes it. It is opened when a sandbox is created with it. */
export interface HostFile {
  readonly kind: "hostFile";
  /** On the host. */
  readonly path: string;
  readonly mode: HostFileMode;
  /** How large the file may become, in bytes. */
  readonly maxBytes: number;
}

/** A folder of the host, as hostDirectory makes it. It is opened when a sandbox is created with it. */
export interface HostDirectory {
  readonly kind: "hostDirectory";
  /** On the host. */
  readonly path: string;
  readonly mode: HostDirectoryMode;
  /** By how much the folder may grow, in bytes. */
  readonly growthBytes: number;
  /** How many names may be made. */
  readonly maxFiles: number;
  /** Globs of what is there, by its path below the folder. Undefined: everything. */
  readonly match: readonly string[] | undefined;
}

/** A file of given bytes that can be read, as memoryFile makes it. */
export interface MemoryFile {
  readonly kind: "memoryFile";
  readonly bytes: Uint8Array;
}

/** A folder in memory, of each sandbox its own, as scratch makes it. */
export interface Scratch {
  readonly kind: "scratch";
  /** Everything that is held for it. */
  readonly quotaBytes: number;
  /** Names: files, folders, links and pipes. */
  readonly maxFiles: number;
  /** How deep folders may be nested: 1 is a folder in it. */
  readonly maxDepth: number;
  /** Of one name. */
  readonly maxNameBytes: number;
}

/** Files that code provides. */
export interface TreeCapability {
  readonly kind: "tree";
  /** What its root is, or will be. Default: the tree is asked when a lifetime begins. */
  readonly root?: "file" | "directory" | undefined;
  /** Called once for each lifetime, that is when the sandbox is created and at each reset; what it gives is closed at the end of it. */
  open(environment: PlaceEnvironment): Tree;
}

/** Another place, with a tree of one's own around its tree: the way to restrict, watch or change a place in any manner. */
export interface Wrapped {
  readonly kind: "wrapped";
  readonly inner: FileCapability;
  /** Called once for each lifetime. Closing the tree that it gives is to close `tree`. */
  wrap(tree: Tree, environment: PlaceEnvironment): Tree;
}

/** What a place has of the host besides itself, for one lifetime. */
export interface PlaceEnvironment {
  /** The host's clock: milliseconds since the epoch. */
  nowMs(): number;
  /** Tells the embedder that code of a place has failed, where the guest is not to notice: an event of type "fault". */
  fault(error: unknown): void;
}

/** A place with state of its own over another one, which it resolves by itself (overlay.ts). */
export interface OverlayPlace {
  readonly kind: "overlay";
  /** Resolves what is below, unless that is done. Throws OptionError. */
  use(option: string): PlaceUse;
}

/** Authority that was resolved: held until it is released. */
export interface PlaceUse {
  /** Links of the tree lead only to what is below its root. */
  readonly confinesLinks?: boolean;
  /** What the root is, where that is known; else it is asked. */
  readonly root?: "file" | "directory" | undefined;
  /**
   * By what files are told apart that several sandboxes lock, where they do not say it themselves: the tree's `id`, or the path, and an object
   * that is the same for all who have the place. Default: no other sandbox has it.
   */
  readonly lockedBy?: { readonly within: object; readonly word: "id" | "path" };
  /** The tree of one lifetime, which closes it. */
  open(environment: PlaceEnvironment): Tree;
  /** Lets go of what is held. Called when no lifetime needs it any more. */
  release(): void;
}

/** A place: what can be granted under a path in `files`. */
export type FileCapability =
  | HostFile
  | HostDirectory
  | MemoryFile
  | Scratch
  | TreeCapability
  | Wrapped
  | OverlayPlace;
