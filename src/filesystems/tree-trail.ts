// Many names of a path with one question. A walk of the kernel's looks up name after name: below a folder of the host each of these is a
// walk of its own, and where the host's thread answers, each costs a wait.
import { errno } from "../abi/errno.ts";
import type { ByteString } from "../kernel/filesystem.ts";
import { failNumber } from "../kernel/kernel-error.ts";
import type { Tree, TreeEntry, TreePath } from "./tree.ts";

/** What stands along a path, name by name, as `stat` of each prefix would tell it. */
export interface TreeTrail {
  /** From the first one that was asked for on, as far as directories lead. */
  readonly entries: readonly TreeEntry[];
  /** What the next name is refused with, ENOENT where nothing stands there. 0: there is none, or the tree wants to be asked for it alone. */
  readonly errno: number;
}

/** The most prefixes of one question. */
export const maxTrailPaths = 32;

export const trail = Symbol("trail");

/** A tree of our own that answers so in less time. Nobody counts what it is asked, so it may be asked for more than the guest has. */
export interface TrailTree extends Tree {
  /** Of the path's last `count` prefixes: itself, what it lies in, and so on, up to the root. Refuses nothing: what it cannot tell at once, it leaves out. */
  [trail](path: TreePath, count: number): TreeTrail;
}

export function hasTrails(tree: Tree): tree is TrailTree {
  return typeof (tree as Partial<TrailTree>)[trail] === "function";
}

/** What a walk was told and has not come to yet. It must go with the walk: the host may change everything at any time. */
export class ToldTrail {
  readonly #volume: object;
  readonly #told = new Map<ByteString, TreeEntry>();
  /** The first one that was not told, and what it is refused with. */
  readonly #next: ByteString | undefined;
  readonly #reason: number;

  /** `paths`: what was asked for. */
  constructor(volume: object, paths: readonly ByteString[], told: TreeTrail) {
    this.#volume = volume;
    paths.forEach((path, index) => {
      const entry = told.entries[index];
      if (entry) this.#told.set(path, entry);
    });
    this.#next = paths[told.entries.length];
    this.#reason = told.errno;
  }

  entryOf(path: ByteString): TreeEntry | undefined {
    return this.#told.get(path);
  }

  /** Undefined: nothing was told of it. Throws KernelError where it is refused. */
  of(volume: object, path: ByteString): { readonly entry: TreeEntry | undefined } | undefined {
    if (volume !== this.#volume) return undefined;
    const entry = this.#told.get(path);
    if (entry) return { entry };
    if (path !== this.#next || this.#reason === 0) return undefined;
    return this.#reason === errno.ENOENT ? { entry: undefined } : failNumber(this.#reason);
  }
}
