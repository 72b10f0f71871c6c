// A directory of a tree. Nodes are made anew for each lookup; only those that a descriptor or the working directory keeps are found
// again, and follow when the guest renames them or what holds them. What the host does meanwhile shows at the next question.

import { maxPathBytes } from "../abi/limits.ts";
import type {
  ByteString,
  DirectoryEntry,
  DirectoryNode,
  FileNode,
  FileOpening,
  LinkNode,
  LookAhead,
  Node,
  Owner,
} from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { checkNewName } from "./names.ts";
import type { TreeEntry } from "./tree.ts";
import { makeFile, TreeFileNode, TreeLinkNode } from "./tree-file.ts";
import { type KeptDirectory, TreeNode, type TreeVolume } from "./tree-node.ts";
import { pathBytes, treePath } from "./tree-path.ts";
import { maxTrailPaths, ToldTrail } from "./tree-trail.ts";

export class TreeDirectory extends TreeNode implements DirectoryNode {
  readonly kind = "directory";
  #keepers = 0;

  override keep(): void {
    super.keep();
    this.#keepers += 1;
    if (this.path !== undefined && !this.volume.kept.has(this.path)) this.volume.kept.set(this.path, this);
  }

  drop(): void {
    this.#keepers -= 1;
    const { path } = this;
    if (this.#keepers === 0 && path !== undefined && this.volume.kept.get(path) === this)
      this.volume.kept.delete(path);
  }

  lookup(name: ByteString, ahead?: LookAhead): Node | undefined {
    const path = this.#below(name);
    const entry = ahead ? this.#lookAhead(path, ahead) : this.volume.tree.stat(treePath(path));
    if (entry?.kind !== "directory") forget(this.volume, path);
    return entry && nodeOf(this.volume, path, entry);
  }

  /** What stands at `path`, and with the same question what the walk will come to then. */
  #lookAhead(path: ByteString, ahead: LookAhead): TreeEntry | undefined {
    const { tree } = this.volume;
    const known = ahead.notes instanceof ToldTrail && ahead.notes.of(this.volume, path);
    if (known) return known.entry;
    const told = this.#askAlong(path, ahead)?.of(this.volume, path);
    return told ? told.entry : tree.stat(treePath(path));
  }

  enter(ahead: LookAhead): void {
    const { path } = this;
    if (path === undefined || this.isTold) return;
    const entry = this.#askAlong(path, ahead)?.entryOf(path);
    if (entry?.kind === this.kind) this.tell(entry);
  }

  /** Asks for `path` and what is ahead below it; undefined where nothing is. */
  #askAlong(path: ByteString, ahead: LookAhead): ToldTrail | undefined {
    const paths = [path];
    for (const name of ahead.names().slice(0, maxTrailPaths - 1)) {
      const above = paths.at(-1);
      const below = above === "" ? name : `${above}/${name}`;
      if (below.length <= maxPathBytes) paths.push(below);
    }
    if (paths.length === 1) return undefined;
    const told = this.volume.tree.trail(treePath(paths.at(-1) ?? path), paths.length);
    const noted = new ToldTrail(this.volume, paths, told);
    ahead.notes = noted;
    return noted;
  }

  list(): readonly DirectoryEntry[] {
    return this.volume.tree.list(this.treePath()).map((entry) => {
      const name = pathBytes(entry.name);
      return { name, node: nodeOf(this.volume, this.#below(name), entry) };
    });
  }

  nameOf(child: DirectoryNode): ByteString | undefined {
    if (!(child instanceof TreeDirectory) || child.path === undefined || child.path === "") return undefined;
    return parentOf(child.path) === this.path ? lastOf(child.path) : undefined;
  }

  isAbove(other: DirectoryNode): boolean {
    const [above, below] = [this.path, other instanceof TreeDirectory ? other.path : undefined];
    return above !== undefined && below !== undefined && `${below}/`.startsWith(`${above}/`);
  }

  parent(): DirectoryNode | undefined {
    if (this.path === "") return this;
    return this.path === undefined ? undefined : directoryAt(this.volume, parentOf(this.path));
  }

  createFile(name: ByteString, mode: number, _owner: Owner, opening?: FileOpening): FileNode {
    return makeFile(this.volume, this.#new(name), mode, opening);
  }

  createDirectory(name: ByteString, mode: number): DirectoryNode {
    const path = this.#new(name);
    this.volume.tree.makeDirectory(treePath(path), mode);
    return new TreeDirectory(this.volume, path);
  }

  createLink(name: ByteString, target: ByteString): LinkNode {
    const path = this.#new(name);
    if (target.length > maxPathBytes) fail("ENAMETOOLONG");
    this.volume.tree.makeLink(treePath(path), treePath(target));
    return new TreeLinkNode(this.volume, path);
  }

  createPipe(): never {
    return fail("EPERM");
  }

  unlink(name: ByteString): void {
    this.volume.tree.remove(treePath(this.#below(name)));
  }

  removeDirectory(name: ByteString): void {
    const path = this.#below(name);
    this.volume.tree.removeDirectory(treePath(path));
    forget(this.volume, path);
  }

  rename(name: ByteString, newParent: DirectoryNode, newName: ByteString): void {
    if (!(newParent instanceof TreeDirectory) || newParent.volume !== this.volume) fail("EXDEV");
    const from = this.#below(name);
    const to = newParent.#new(newName);
    if (from === to) return;
    this.volume.tree.rename(treePath(from), treePath(to));
    move(this.volume, from, to);
  }

  /** The path of an entry: ENOENT once this directory is gone, ENAMETOOLONG. */
  #below(name: ByteString): ByteString {
    const { path } = this;
    if (path === undefined) fail("ENOENT");
    const below = path === "" ? name : `${path}/${name}`;
    return below.length > maxPathBytes ? fail("ENAMETOOLONG") : below;
  }

  #new(name: ByteString): ByteString {
    checkNewName(name);
    return this.#below(name);
  }

  /** For `move` and `forget`. */
  relocate(path: ByteString | undefined): void {
    this.path = path;
    this.tell(undefined);
  }
}

function nodeOf(volume: TreeVolume, path: ByteString, entry: TreeEntry): Node {
  switch (entry.kind) {
    case "file":
      return new TreeFileNode(volume, path, entry);
    case "link":
      return new TreeLinkNode(volume, path, entry);
    case "directory": {
      const kept = volume.kept.get(path);
      if (kept === undefined) return new TreeDirectory(volume, path, entry);
      if (kept.lastId !== entry.id && kept.lastId !== undefined) {
        // Another directory of the same name: the host has put it there.
        forget(volume, path);
        return new TreeDirectory(volume, path, entry);
      }
      kept.note(entry);
      return kept;
    }
  }
}

function directoryAt(volume: TreeVolume, path: ByteString): KeptDirectory {
  return volume.kept.get(path) ?? new TreeDirectory(volume, path);
}

/** What is kept at `path` or below it has been removed. */
function forget(volume: TreeVolume, path: ByteString): void {
  for (const [place, directory] of keptWithin(volume, path)) {
    volume.kept.delete(place);
    directory.relocate(undefined);
  }
}

/** What is kept at `from` or below it is below `to` now, and what was there is gone. */
function move(volume: TreeVolume, from: ByteString, to: ByteString): void {
  forget(volume, to);
  for (const [place, directory] of keptWithin(volume, from)) {
    volume.kept.delete(place);
    const path = `${to}${place.slice(from.length)}`;
    directory.relocate(path);
    volume.kept.set(path, directory);
  }
}

function keptWithin(volume: TreeVolume, path: ByteString): [ByteString, KeptDirectory][] {
  if (volume.kept.size === 0) return [];
  return [...volume.kept].filter(([place]) => place === path || place.startsWith(`${path}/`));
}

function parentOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function lastOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1);
}
