// Bringing an overlay's changes into the tree below it, all or nothing. First everything new is made ready under names of its own
// beside its place; then, step by step, what is to go is set aside and what is new takes its place, by renaming only; then what was set
// aside is removed, and folders get their bits and times. Each step before it is removed knows how to be undone. Invariant: what was
// set aside is what was looked at.
import { FileError } from "../../errors/file-error.ts";
import {
  OverlayCommitError,
  type OverlayConflict,
  OverlayConflictError,
} from "../../errors/overlay-errors.ts";
import { now, type Steps } from "../later.ts";
import type { Tree, TreeChange, TreePath } from "../tree.ts";
import { childPath, parentPath, treePath } from "../tree-path.ts";
import { conflictsOf, conflictsOfHidden } from "./overlay-check.ts";
import { attributesOf, copyTree, removeTree, unlocked } from "./tree-copy.ts";
import type { Hidden, UpperDirectory, UpperNode } from "./upper-node.ts";
import type { UpperRoom } from "./upper-room.ts";

/** What is to be done at one path of the lower tree that is no folder which stays. */
interface Work {
  readonly path: TreePath;
  /** What is there and has to go. */
  readonly old: Hidden | undefined;
  /** Whether what the overlay has there takes its place. */
  readonly made: boolean;
  readonly attributes: TreeChange | undefined;
}

/** A folder that stands where it stood. */
interface Folder {
  readonly path: TreePath;
  /** What it is to have when all is done. */
  attributes: TreeChange | undefined;
  /** Whether names in it come and go. */
  readonly busy: boolean;
}

/** What a commit that has succeeded could not tidy. */
export interface CommitReport {
  /** What could not be cleared away afterwards: paths of the lower tree where old content still stands under a name of its own. */
  readonly leftovers: readonly TreePath[];
  /** Folders that refused their permission bits and times at the end, when what was set aside had gone. */
  readonly unsettled: readonly TreePath[];
}

/** `overlay` shows what the room holds, and waits for nobody. Throws OverlayConflictError, OverlayCommitError. */
export function* commitRoom(room: UpperRoom, overlay: Tree, lower: Tree): Steps<CommitReport> {
  const target = writable(lower);
  let conflicts: OverlayConflict[];
  try {
    conflicts = yield* conflictsOf(room, target);
  } catch (error) {
    throw new OverlayCommitError(error, { undone: true, leftovers: [] });
  }
  if (conflicts.length > 0) throw new OverlayConflictError(conflicts);
  return yield* new Commit(overlay, target).run(...workOf(room.root));
}

class Commit {
  readonly #overlay: Tree;
  readonly #target: Required<Tree>;
  readonly #undo: { readonly path: TreePath; readonly steps: () => Steps<void> }[] = [];
  #lastName = 0;
  /** What it is busy with. */
  #at: TreePath = "";

  constructor(overlay: Tree, target: Required<Tree>) {
    this.#overlay = overlay;
    this.#target = target;
  }

  *run(folders: readonly Folder[], work: readonly Work[]): Steps<CommitReport> {
    const asides: TreePath[] = [];
    try {
      for (const folder of folders) if (folder.busy) yield* this.#unlock(folder);
      const ready: { readonly work: Work; readonly staged: TreePath | undefined }[] = [];
      for (const each of work)
        ready.push({ work: each, staged: each.made ? yield* this.#stage(each.path) : undefined });
      for (const { work: each, staged } of ready) {
        if (each.old !== undefined) asides.push(yield* this.#setAside(each.path, each.old));
        if (staged !== undefined) yield* this.#put(staged, each.path);
      }
      for (const { path, attributes } of work)
        if (attributes !== undefined) yield* this.#change(path, attributes);
      // While it can still be undone, so that what is refused is refused now.
      for (const { path, attributes } of folders)
        if (attributes !== undefined) yield* this.#change(path, unlocked(attributes));
    } catch (error) {
      const leftovers = yield* this.#undoAll();
      if (error instanceof OverlayConflictError && leftovers.length === 0) throw error;
      throw new OverlayCommitError(error, { path: this.#at, undone: leftovers.length === 0, leftovers });
    }
    return { leftovers: yield* this.#clear(asides), unsettled: yield* this.#settle(folders) };
  }

  /** Names can be changed in the folder from now on, whatever its own bits say until then and afterwards. */
  *#unlock(folder: Folder): Steps<void> {
    this.#at = folder.path;
    const { mode } = (yield* now(this.#target.stat(folder.path))) ?? {};
    if (mode === undefined || mode === unlocked({ mode }).mode) return;
    yield* this.#change(folder.path, unlocked({ mode }));
    folder.attributes ??= { mode };
  }

  *#stage(path: TreePath): Steps<TreePath> {
    this.#at = path;
    const staged = yield* this.#freeName(path);
    this.#undo.push({ path: staged, steps: () => removeTree(this.#target, staged) });
    yield* copyTree(this.#overlay, path, this.#target, staged, (at) => {
      this.#at = at;
    });
    return staged;
  }

  *#setAside(path: TreePath, old: Hidden): Steps<TreePath> {
    this.#at = path;
    const aside = yield* this.#freeName(path);
    yield* this.#rename(path, aside);
    // Nobody finds it under its name any more, so what it is now it will be.
    const conflicts = yield* conflictsOfHidden(this.#target, old, aside);
    if (conflicts.length > 0) throw new OverlayConflictError(conflicts);
    return aside;
  }

  *#put(staged: TreePath, path: TreePath): Steps<void> {
    this.#at = path;
    if ((yield* now(this.#target.stat(path))) !== undefined)
      throw new OverlayConflictError([{ path, reason: "created" }]);
    yield* this.#rename(staged, path);
  }

  *#rename(from: TreePath, to: TreePath): Steps<void> {
    yield* now(this.#target.rename(from, to));
    const back = this.#target;
    this.#undo.push({
      path: to,
      *steps() {
        yield* now(back.rename(to, from));
      },
    });
  }

  *#change(path: TreePath, change: TreeChange): Steps<void> {
    this.#at = path;
    const target = this.#target;
    const before = yield* now(target.stat(path));
    yield* now(target.change(path, change));
    this.#undo.push({
      path,
      *steps() {
        if (before !== undefined) yield* now(target.change(path, attributesOf(before)));
      },
    });
  }

  /** The last step first. Returns where a step could not be undone. */
  *#undoAll(): Steps<TreePath[]> {
    const leftovers: TreePath[] = [];
    for (const { path, steps } of this.#undo.reverse()) {
      try {
        yield* steps();
      } catch {
        leftovers.push(path);
      }
    }
    return leftovers;
  }

  *#clear(asides: readonly TreePath[]): Steps<TreePath[]> {
    const leftovers: TreePath[] = [];
    for (const aside of asides) {
      try {
        yield* removeTree(this.#target, aside);
      } catch {
        leftovers.push(aside);
      }
    }
    return leftovers;
  }

  /** With what they are to have at last: clearing has changed times, and a folder may be closed to its owner. The innermost first. */
  *#settle(folders: readonly Folder[]): Steps<TreePath[]> {
    const unsettled: TreePath[] = [];
    for (const { path, attributes } of folders.toReversed()) {
      if (attributes === undefined) continue;
      try {
        yield* now(this.#target.change(path, attributes));
      } catch {
        unsettled.push(path);
      }
    }
    return unsettled;
  }

  /** A path beside this one where nothing is, and nothing will be: the guest may have chosen one of these names. */
  *#freeName(path: TreePath): Steps<TreePath> {
    for (;;) {
      this.#lastName += 1;
      const free = childPath(parentPath(path), `.sandboa-commit-${this.#lastName}`);
      if ((yield* now(this.#overlay.stat(free))) !== undefined) continue;
      if ((yield* now(this.#target.stat(free))) === undefined) return free;
    }
  }
}

/** What there is to do with the folders that stand where they stood, each before those in it, and what in them. */
function workOf(root: UpperDirectory | undefined): [Folder[], Work[]] {
  const folders: Folder[] = [];
  const work: Work[] = [];
  const rest: { node: UpperDirectory; path: TreePath }[] =
    root === undefined ? [] : [{ node: root, path: "" }];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    const { node: directory, path } = at;
    const inHere: Work[] = [];
    for (const [name, slot] of directory.slots) {
      const childAt = childPath(path, treePath(name));
      if (slot.node?.kind === "directory" && directory.merges(name, slot.node))
        rest.push({ node: slot.node, path: childAt });
      else if (slot.node !== undefined && directory.merges(name, slot.node))
        inHere.push(workInPlace(childAt, slot.node));
      else if (slot.node !== undefined || slot.hidden !== undefined)
        inHere.push({
          path: childAt,
          old: slot.hidden,
          made: slot.node !== undefined,
          attributes: undefined,
        });
    }
    const attributes = directory.attributesChanged ? attributesOf(directory.stat()) : undefined;
    folders.push({ path, attributes, busy: inHere.some(({ old, made }) => made || old !== undefined) });
    work.push(...inHere);
  }
  return [folders, work];
}

function workInPlace(path: TreePath, node: UpperNode): Work {
  const { origin } = node;
  if (node.kind === "file" && node.written && origin !== undefined)
    return { path, old: { ...origin, node: undefined }, made: true, attributes: undefined };
  const attributes = node.attributesChanged ? attributesOf(node.stat()) : undefined;
  return { path, old: undefined, made: false, attributes };
}

/** EROFS for a tree that leaves out what a commit may need. */
function writable(tree: Tree): Required<Tree> {
  const { list, readLink, makeDirectory, makeLink, remove, removeDirectory, rename, change } = tree;
  const all = [list, readLink, makeDirectory, makeLink, remove, removeDirectory, rename, change];
  if (all.every((method) => method !== undefined)) return tree as Required<Tree>;
  const cause = new FileError("EROFS", "the tree underneath cannot be changed");
  throw new OverlayCommitError(cause, { undone: true, leftovers: [] });
}
