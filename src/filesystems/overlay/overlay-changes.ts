// What an overlay would change in the tree below it, told as a list: what is to be removed first (children before their folder), then
// what is made and changed (folders before their children), then the bits and times of folders that stay (children before their
// folder), since what is done in a folder changes its times. Only what was touched is looked at, and what is below a folder that was
// moved or removed.
import { FileError } from "../../errors/file-error.ts";
import { fail } from "../../kernel/kernel-error.ts";
import { now, run, type Steps } from "../later.ts";
import type { Later, NamedTreeEntry, Tree, TreeEntry, TreeFile, TreePath } from "../tree.ts";
import { childPath, isTreeName, pathBytes, treePath } from "../tree-path.ts";
import { reading } from "./lower-tree.ts";
import type { Hidden, UpperDirectory, UpperNode } from "./upper-node.ts";
import { shownEntry } from "./upper-room.ts";

/** What an overlay would do at one path of what is below it. */
export interface OverlayChange {
  readonly change: "created" | "changed" | "removed";
  /** Below the overlay's root. */
  readonly path: TreePath;
  /** Of what is removed, what it was. */
  readonly kind: TreeEntry["kind"];
  /** As it is below the overlay; undefined when it is created. */
  readonly before: TreeEntry | undefined;
  /** As it is in the overlay; undefined when it is removed. */
  readonly after: TreeEntry | undefined;
  /** Of a file or link: whether the bytes may differ, and not only permission bits and times. */
  readonly contentChanged: boolean;
  /**
   * The bytes in the overlay, all or a part: of a file its content, of a link its target, of a folder none. ENOENT when it is removed.
   * A file that holds little may be large: without a `length`, more than 256 MiB are EFBIG.
   */
  read(position?: number, length?: number): Later<Uint8Array>;
  /** The same of what is below the overlay. ENOENT when it is created. */
  readBefore(position?: number, length?: number): Later<Uint8Array>;
}

type Told = Omit<OverlayChange, "read" | "readBefore">;

/** `overlay` is read for what is new, `lower` for what was. */
export function* changesOf(
  root: UpperDirectory | undefined,
  overlay: Required<Tree>,
  lower: Tree,
): Steps<OverlayChange[]> {
  const removed: OverlayChange[] = [];
  const made: OverlayChange[] = [];
  const staying: OverlayChange[] = [];
  const tell = (told: Told): void => {
    const list = told.kind === "directory" && told.change === "changed" ? staying : made;
    (told.change === "removed" ? removed : list).push({
      ...told,
      read: (position, length) => run(bytesAt(overlay, told.after, told.path, position, length)),
      readBefore: (position, length) => run(bytesAt(lower, told.before, told.path, position, length)),
    });
  };
  const merged: { node: UpperDirectory; path: TreePath }[] =
    root === undefined ? [] : [{ node: root, path: "" }];
  for (let at = merged.pop(); at !== undefined; at = merged.pop()) {
    const { node: directory, path } = at;
    if (directory.attributesChanged) tell(changed(path, directory, directory.origin?.entry, false));
    for (const [name, slot] of directory.slots) {
      const { node, hidden } = slot;
      const childAt = childPath(path, treePath(name));
      if (
        node !== undefined &&
        hidden !== undefined &&
        hidden.entry.kind === node.kind &&
        node.kind !== "directory"
      ) {
        tell(changed(childAt, node, hidden.entry, true));
        continue;
      }
      if (hidden !== undefined) yield* tellRemoved(lower, hidden, tell);
      if (node === undefined) continue;
      if (!directory.merges(name, node)) yield* tellCreated(lower, node, childAt, tell);
      else if (node.kind === "directory") merged.push({ node, path: childAt });
      else if (node.attributesChanged || (node.kind === "file" && node.written))
        tell(changed(childAt, node, node.origin?.entry, node.kind === "file" && node.written));
    }
  }
  return [...removed.reverse(), ...made, ...staying.reverse()];
}

function changed(
  path: TreePath,
  node: UpperNode,
  before: TreeEntry | undefined,
  contentChanged: boolean,
): Told {
  return {
    change: "changed",
    path,
    kind: node.kind,
    before: before && shownEntry(before),
    after: node.stat(),
    contentChanged,
  };
}

/** Folders are told before their children; the list is turned round at the end. */
function* tellRemoved(lower: Tree, hidden: Hidden, tell: (told: Told) => void): Steps<void> {
  const rest: { path: TreePath; entry: TreeEntry }[] = [hidden];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    const { path, entry } = at;
    const before = shownEntry(entry);
    tell({ change: "removed", path, kind: entry.kind, before, after: undefined, contentChanged: false });
    if (entry.kind !== "directory") continue;
    for (const child of yield* listed(lower, path))
      rest.push({ path: childPath(path, child.name), entry: child });
  }
}

function* tellCreated(
  lower: Tree,
  top: UpperNode,
  topPath: TreePath,
  tell: (told: Told) => void,
): Steps<void> {
  interface New {
    readonly path: TreePath;
    readonly node: UpperNode | undefined;
    readonly entry: TreeEntry;
    readonly lowerPath: TreePath | undefined;
  }
  const rest: New[] = [{ path: topPath, node: top, entry: top.stat(), lowerPath: top.origin?.path }];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    const { path, node, entry, lowerPath } = at;
    const contentChanged = entry.kind !== "directory";
    tell({ change: "created", path, kind: entry.kind, before: undefined, after: entry, contentChanged });
    if (entry.kind !== "directory") continue;
    const slots = node?.kind === "directory" ? node.slots : undefined;
    for (const child of lowerPath === undefined ? [] : yield* listed(lower, lowerPath)) {
      if (slots?.has(pathBytes(child.name))) continue;
      const { name, ...found } = child;
      rest.push({
        path: childPath(path, name),
        node: undefined,
        entry: shownEntry(found),
        lowerPath: lowerPath === undefined ? undefined : childPath(lowerPath, name),
      });
    }
    for (const [name, slot] of slots ?? [])
      if (slot.node !== undefined)
        rest.push({
          path: childPath(path, treePath(name)),
          node: slot.node,
          entry: slot.node.stat(),
          lowerPath: slot.node.origin?.path,
        });
  }
}

/** What a folder of the lower tree holds; nothing when it has gone. */
export function* listed(lower: Tree, path: TreePath): Steps<NamedTreeEntry[]> {
  if (lower.list === undefined) fail("EACCES");
  if ((yield* now(lower.stat(path)))?.kind !== "directory") return [];
  return [...(yield* now(lower.list(path)))].filter((entry) => isTreeName(entry.name));
}

const mostUnaskedBytes = 256 * 2 ** 20;
/** What one array surely holds. */
const mostBytes = 2 ** 31;

/** Bytes of a file from `position` on, or a link's target. EFBIG for more than is read at once. */
function* bytesAt(
  tree: Tree,
  entry: TreeEntry | undefined,
  path: TreePath,
  position = 0,
  length?: number,
): Steps<Uint8Array> {
  if (entry === undefined) fail("ENOENT");
  if (entry.kind === "directory") return new Uint8Array(0);
  if (entry.kind === "link") {
    if (tree.readLink === undefined) fail("EACCES");
    const target = pathBytes(yield* now(tree.readLink(path)));
    const bytes = Uint8Array.from(target, (character) => character.charCodeAt(0));
    return bytes.subarray(position, length === undefined ? undefined : position + length);
  }
  const file = yield* now(tree.open(path, reading));
  try {
    return yield* readAll(file, position, length);
  } finally {
    if (file.close !== undefined) yield* now(file.close());
  }
}

function* readAll(file: TreeFile, position: number, length: number | undefined): Steps<Uint8Array> {
  if (file.read === undefined) fail("EACCES");
  const { size } = yield* now(file.stat());
  const total = Math.max(0, Math.min(length ?? size, size - position));
  const most = length === undefined ? mostUnaskedBytes : mostBytes;
  if (total > most)
    throw new FileError("EFBIG", `${total} bytes are more than ${most}, and a part may be read`);
  const bytes = new Uint8Array(total);
  let done = 0;
  while (done < total) {
    const part = yield* now(file.read(position + done, Math.min(total - done, 2 ** 20)));
    if (part.length === 0) break;
    bytes.set(part.subarray(0, total - done), done);
    done += Math.min(part.length, total - done);
  }
  return bytes.subarray(0, done);
}
