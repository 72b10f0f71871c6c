// Bringing an overlay's changes into the tree below it, all or nothing. First everything new is made ready under names of its own
// beside its place; then, step by step, what is to go is set aside and what is new takes its place, by renaming only; then what was set
// aside is removed. Each step before that last one knows how to be undone. Invariant: what was set aside is what was looked at.
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
import { attributesOf, copyTree, removeTree } from "./tree-copy.ts";
import type { Hidden, UpperDirectory, UpperNode } from "./upper-node.ts";
import type { UpperRoom } from "./upper-room.ts";

/** What is to be done at one path of the lower tree. */
interface Work {
  readonly path: TreePath;
  /** What is there and has to go. */
  readonly old: Hidden | undefined;
  /** Whether what the overlay has there takes its place. */
  readonly made: boolean;
  readonly attributes: TreeChange | undefined;
}

/** What could not be cleared away afterwards: paths of the lower tree where old content still stands under a name of its own. */
export interface CommitReport {
  readonly leftovers: readonly TreePath[];
}

/** `overlay` shows what the room holds, and waits for nobody. Throws OverlayConflictError, OverlayCommitError. */
export function* commitRoom(room: UpperRoom, overlay: Tree, lower: Tree): Steps<CommitReport> {
  const target = writable(lower);
  let conflicts: OverlayConflict[];
  try {
    conflicts = yield* conflictsOf(room, target);
  } catch (error) {
    throw new OverlayCommitError(error, true, []);
  }
  if (conflicts.length > 0) throw new OverlayConflictError(conflicts);
  return yield* new Commit(overlay, target).run(workOf(room.root));
}

class Commit {
  readonly #overlay: Tree;
  readonly #target: Required<Tree>;
  readonly #undo: { readonly path: TreePath; readonly steps: () => Steps<void> }[] = [];
  #lastName = 0;

  constructor(overlay: Tree, target: Required<Tree>) {
    this.#overlay = overlay;
    this.#target = target;
  }

  *run(work: readonly Work[]): Steps<CommitReport> {
    const asides: TreePath[] = [];
    try {
      const ready: { readonly work: Work; readonly staged: TreePath | undefined }[] = [];
      for (const each of work)
        ready.push({ work: each, staged: each.made ? yield* this.#stage(each.path) : undefined });
      for (const { work: each, staged } of ready) {
        if (each.old !== undefined) asides.push(yield* this.#setAside(each.path, each.old));
        if (staged !== undefined) yield* this.#put(staged, each.path);
      }
      for (const { path, attributes } of work)
        if (attributes !== undefined) yield* this.#change(path, attributes);
    } catch (error) {
      const leftovers = yield* this.#undoAll();
      if (error instanceof OverlayConflictError && leftovers.length === 0) throw error;
      throw new OverlayCommitError(error, leftovers.length === 0, leftovers);
    }
    return { leftovers: yield* this.#clear(asides) };
  }

  *#stage(path: TreePath): Steps<TreePath> {
    const staged = yield* this.#freeName(path);
    this.#undo.push({ path: staged, steps: () => removeTree(this.#target, staged) });
    yield* copyTree(this.#overlay, path, this.#target, staged);
    return staged;
  }

  *#setAside(path: TreePath, old: Hidden): Steps<TreePath> {
    const aside = yield* this.#freeName(path);
    yield* this.#rename(path, aside);
    // Nobody finds it under its name any more, so what it is now it will be.
    const conflicts = yield* conflictsOfHidden(this.#target, old, aside);
    if (conflicts.length > 0) throw new OverlayConflictError(conflicts);
    return aside;
  }

  *#put(staged: TreePath, path: TreePath): Steps<void> {
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

/** What there is to do in the folders that stand where they stood. */
function workOf(root: UpperDirectory | undefined): Work[] {
  const work: Work[] = [];
  const rest: { node: UpperDirectory; path: TreePath }[] =
    root === undefined ? [] : [{ node: root, path: "" }];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    const { node: directory, path } = at;
    const attributes = directory.attributesChanged ? attributesOf(directory.stat()) : undefined;
    work.push({ path, old: undefined, made: false, attributes });
    for (const [name, slot] of directory.slots) {
      const childAt = childPath(path, treePath(name));
      if (slot.node?.kind === "directory" && directory.merges(name, slot.node))
        rest.push({ node: slot.node, path: childAt });
      else if (slot.node !== undefined && directory.merges(name, slot.node))
        work.push(workInPlace(childAt, slot.node));
      else if (slot.node !== undefined || slot.hidden !== undefined)
        work.push({ path: childAt, old: slot.hidden, made: slot.node !== undefined, attributes: undefined });
    }
  }
  return work;
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
  throw new OverlayCommitError(new FileError("EROFS", "the tree underneath cannot be changed"), true, []);
}
