// An overlay as a tree: the lower tree as long as nothing was changed, and what was changed over it. The lower tree is only ever asked;
// no method that could change it is called here. A folder of the lower tree is moved by remembering where it came from, so nothing
// below it is copied; a refusal changes nothing that the guest can see.
import { fail } from "../../kernel/kernel-error.ts";
import { now, type Steps } from "../later.ts";
import { checkNewName, detached, maxDepth } from "../names.ts";
import type {
  Later,
  NamedTreeEntry,
  Tree,
  TreeAccess,
  TreeChange,
  TreeEntry,
  TreeFile,
  TreePath,
  TreeRoom,
} from "../tree.ts";
import { childPath, isBelow, lastName, parentPath, pathBytes, pathNames } from "../tree-path.ts";
import { hasTrails, type TrailTree, trail } from "../tree-trail.ts";
import { type Found, kindOf } from "./found.ts";
import { listLower, openLower, readLowerLink } from "./lower-tree.ts";
import { type FileRoom, OverlayFile } from "./overlay-file.ts";
import { demandSafeLink, demandSafeMove } from "./overlay-links.ts";
import { overlayList } from "./overlay-list.ts";
import { overlayTrail } from "./overlay-trail.ts";
import type { Turns } from "./turns.ts";
import { heightOf, slotOf, UpperDirectory, UpperFile, UpperLink, type UpperNode } from "./upper-node.ts";
import { attributesOf, shownEntry, type UpperRoom } from "./upper-room.ts";

/** The state that an overlay shows, and who is having a turn with it. */
export interface OverlayState {
  readonly turns: Turns;
  readonly room: UpperRoom;
  readonly files: Set<OverlayFile>;
}

export class OverlayTree implements Required<Tree> {
  readonly #layer: OverlayState;
  readonly #lower: Tree;
  readonly #nowNs: () => bigint;
  readonly #confinesLinks: boolean;
  /** Where the lower tree has trails. */
  readonly [trail]?: TrailTree[typeof trail];

  /**
   * `nowNs` is what times of changed files are taken from: nanoseconds since the epoch, as the guest's clock policy shows them.
   * `confinesLinks`: the lower tree makes only links that stay inside, whoever follows them.
   */
  constructor(layer: OverlayState, lower: Tree, nowNs: () => bigint, confinesLinks = false) {
    this.#layer = layer;
    this.#lower = lower;
    this.#nowNs = nowNs;
    this.#confinesLinks = confinesLinks;
    if (!hasTrails(lower)) return;
    this[trail] = (path, count) => {
      const { root } = this.#room;
      // Whoever has a turn, or has to look at the root first, is asked name by name.
      if (layer.turns.busy || root === undefined) return { entries: [], errno: 0 };
      return overlayTrail(root, lower, path, count);
    };
  }

  stat(path: TreePath): Later<TreeEntry | undefined> {
    return this.#turn(() => this.#stat(path));
  }

  list(path: TreePath): Later<Iterable<NamedTreeEntry>> {
    return this.#turn(() => this.#list(path));
  }

  open(path: TreePath, access: TreeAccess): Later<TreeFile> {
    return this.#turn(() => this.#open(path, access));
  }

  readLink(path: TreePath): Later<string> {
    return this.#turn(() => this.#readLink(path));
  }

  makeDirectory(path: TreePath, mode: number): Later<void> {
    return this.#turn(() => this.#makeDirectory(path, mode));
  }

  makeLink(path: TreePath, target: string): Later<void> {
    return this.#turn(() => this.#makeLink(path, target));
  }

  remove(path: TreePath): Later<void> {
    return this.#turn(() => this.#remove(path));
  }

  removeDirectory(path: TreePath): Later<void> {
    return this.#turn(() => this.#removeDirectory(path));
  }

  rename(from: TreePath, to: TreePath): Later<void> {
    return this.#turn(() => this.#rename(from, to));
  }

  change(path: TreePath, change: TreeChange): Later<void> {
    return this.#turn(() => this.#change(path, change));
  }

  room(): TreeRoom {
    const { limitBytes, freeBytes, limitInodes, freeInodes } = this.#room.quota;
    return { bytes: limitBytes, freeBytes, files: limitInodes, freeFiles: freeInodes };
  }

  /** The lower tree is closed by whoever opened it. */
  close(): void {}

  get #room(): UpperRoom {
    return this.#layer.room;
  }

  #turn<T>(steps: () => Steps<T>): Later<T> {
    return this.#layer.turns.take(steps);
  }

  *#stat(path: TreePath): Steps<TreeEntry | undefined> {
    const found = yield* this.#find(path);
    if (found === undefined) return undefined;
    return found.node === undefined ? shownEntry(found.entry) : found.node.stat();
  }

  *#list(path: TreePath): Steps<Iterable<NamedTreeEntry>> {
    const found = yield* this.#existing(path);
    if (kindOf(found) !== "directory") fail("ENOTDIR");
    const { node } = found;
    const lowerPath = node === undefined ? found.lower : node.origin?.path;
    const lower = lowerPath === undefined ? [] : yield* listLower(this.#lower, lowerPath);
    return overlayList(node, lower);
  }

  *#open(path: TreePath, access: TreeAccess): Steps<TreeFile> {
    const found = yield* this.#find(path);
    if (found === undefined) return yield* this.#create(path, access);
    if (access.create === "always") fail("EEXIST");
    if (kindOf(found) === "directory") fail("EISDIR");
    if (kindOf(found) === "link") fail("ELOOP");
    if (found.node === undefined && !access.truncate) {
      const file = yield* openLower(this.#lower, found.lower);
      return new OverlayFile(this.#files(), path, access, this.#room.opened(found.lower, path), file);
    }
    const node = yield* this.#copyUp(path);
    if (node.kind !== "file") fail("EIO");
    if (access.truncate) {
      node.content.truncate(0);
      node.wrote(this.#nowNs());
    }
    node.opened();
    return new OverlayFile(this.#files(), path, access, node);
  }

  *#create(path: TreePath, access: TreeAccess): Steps<TreeFile> {
    if (path === "") fail("ENOENT");
    if (access.create === "never") yield* this.#refuse(path);
    const { directory, name } = yield* this.#place(path);
    this.#room.chargeNew(directory, name);
    const node = new UpperFile(this.#born(access.mode), undefined, this.#room.quota);
    this.#room.place(directory, name, node);
    directory.contentChanged(this.#nowNs());
    node.opened();
    return new OverlayFile(this.#files(), path, access, node);
  }

  *#readLink(path: TreePath): Steps<string> {
    const found = yield* this.#existing(path);
    if (kindOf(found) !== "link") fail("EINVAL");
    if (found.node === undefined) return yield* readLowerLink(this.#lower, found.lower);
    return found.node.kind === "link" ? found.node.target : fail("EINVAL");
  }

  *#makeDirectory(path: TreePath, mode: number): Steps<void> {
    const { directory, name } = yield* this.#freePlace(path);
    if (pathNames(path).length > maxDepth) fail("ENAMETOOLONG");
    this.#room.chargeNew(directory, name);
    this.#room.place(directory, name, new UpperDirectory(this.#born(mode), undefined));
    directory.contentChanged(this.#nowNs());
  }

  *#makeLink(path: TreePath, target: string): Steps<void> {
    const { directory, name } = yield* this.#freePlace(path);
    if (target === "") fail("ENOENT");
    if (this.#confinesLinks) demandSafeLink(path, target);
    const node = new UpperLink(this.#born(0o777), undefined, target);
    this.#room.chargeNew(directory, name, UpperLink.targetBytes(target));
    this.#room.place(directory, name, node);
    directory.contentChanged(this.#nowNs());
  }

  *#remove(path: TreePath): Steps<void> {
    if (path === "") fail("EISDIR");
    const found = yield* this.#existing(path);
    if (kindOf(found) === "directory") fail("EISDIR");
    yield* this.#takeAway(path, found);
  }

  *#removeDirectory(path: TreePath): Steps<void> {
    if (path === "") fail("EBUSY");
    const found = yield* this.#existing(path);
    if (kindOf(found) !== "directory") fail("ENOTDIR");
    if (!(yield* this.#isEmpty(path))) fail("ENOTEMPTY");
    yield* this.#takeAway(path, found);
  }

  *#takeAway(path: TreePath, found: Found): Steps<void> {
    const { directory, name } = yield* this.#place(path);
    if (found.node === undefined) {
      this.#room.chargePlace(directory, name, found.lower);
      this.#room.hide(directory, name, { path: found.lower, entry: found.entry, node: undefined });
    } else {
      this.#room.unplace(directory, name);
      this.#room.drop(found.node);
    }
    directory.contentChanged(this.#nowNs());
  }

  *#rename(from: TreePath, to: TreePath): Steps<void> {
    if (from === "" || to === "") fail("EBUSY");
    const moved = yield* this.#existing(from);
    const above = yield* this.#find(parentPath(to));
    if (above === undefined || kindOf(above) !== "directory") yield* this.#refuse(to);
    if (from === to) return;
    if (isBelow(to, from)) fail("EINVAL");
    const replaced = yield* this.#find(to);
    if (replaced !== undefined) {
      if (kindOf(moved) === "directory" && kindOf(replaced) !== "directory") fail("ENOTDIR");
      if (kindOf(moved) !== "directory" && kindOf(replaced) === "directory") fail("EISDIR");
      if (kindOf(replaced) === "directory" && !(yield* this.#isEmpty(to))) fail("ENOTEMPTY");
    }
    checkNewName(pathBytes(lastName(to)));
    if (moved.node !== undefined && pathNames(to).length - 1 + heightOf(moved.node) > maxDepth)
      fail("ENAMETOOLONG");
    if (this.#confinesLinks) yield* demandSafeMove(this.#lower, moved, from, to);
    const node = yield* this.#copyUp(from);
    const source = yield* this.#place(from);
    const target = yield* this.#place(to);

    this.#room.chargePlace(
      target.directory,
      target.name,
      replaced?.node === undefined ? replaced?.lower : undefined,
    );
    if (replaced?.node !== undefined) {
      this.#room.unplace(target.directory, target.name, "kept");
      this.#room.drop(replaced.node);
    } else if (replaced !== undefined)
      this.#room.hide(target.directory, target.name, {
        path: replaced.lower,
        entry: replaced.entry,
        node: undefined,
      });
    this.#room.unplace(source.directory, source.name);
    this.#room.place(target.directory, target.name, node);
    if (node.kind === "directory") this.#room.movedBelow(from, to);
    const nowNs = this.#nowNs();
    node.moved(this.#room.takeId(), nowNs);
    source.directory.contentChanged(nowNs);
    target.directory.contentChanged(nowNs);
  }

  *#change(path: TreePath, change: TreeChange): Steps<void> {
    yield* this.#existing(path);
    const node = yield* this.#copyUp(path);
    node.change(change, this.#nowNs());
  }

  *#find(path: TreePath): Steps<Found | undefined> {
    let node: UpperNode = yield* this.#root();
    let at = 0;
    for (const name of pathNames(path)) {
      if (node.kind !== "directory") return undefined;
      const slot = slotOf(node, name);
      if (slot === undefined) {
        if (node.origin === undefined) return undefined;
        const lower = childPath(node.origin.path, path.slice(at));
        const entry = yield* now(this.#lower.stat(lower));
        return entry && { lower, entry };
      }
      if (slot.node === undefined) return undefined;
      node = slot.node;
      at += name.length + 1;
    }
    return { node };
  }

  *#existing(path: TreePath): Steps<Found> {
    return (yield* this.#find(path)) ?? (yield* this.#refuse(path));
  }

  /** Why nothing is at a path: something that is no folder is on the way, or nothing. */
  *#refuse(path: TreePath): Steps<never> {
    for (let above = parentPath(path); above !== ""; above = parentPath(above)) {
      const found = yield* this.#find(above);
      if (found !== undefined) fail(kindOf(found) === "file" ? "ENOTDIR" : "ENOENT");
    }
    return fail("ENOENT");
  }

  /** The folder of a path, as the overlay's own, and the name in it. */
  *#place(path: TreePath): Steps<{ directory: UpperDirectory; name: string }> {
    const name = pathBytes(lastName(path));
    checkNewName(name);
    const above = yield* this.#find(parentPath(path));
    if (above === undefined || kindOf(above) !== "directory") yield* this.#refuse(path);
    const directory = yield* this.#copyUp(parentPath(path));
    return directory.kind === "directory" ? { directory, name } : fail("EIO");
  }

  *#freePlace(path: TreePath): Steps<{ directory: UpperDirectory; name: string }> {
    if ((yield* this.#find(path)) !== undefined) fail("EEXIST");
    return yield* this.#place(path);
  }

  *#isEmpty(path: TreePath): Steps<boolean> {
    for (const _ of yield* this.#list(path)) return false;
    return true;
  }

  *#root(): Steps<UpperDirectory> {
    if (this.#room.root !== undefined) return this.#room.root;
    const room = this.#room;
    const entry = yield* now(this.#lower.stat(""));
    if (entry?.kind !== "directory") fail(entry === undefined ? "ENOENT" : "ENOTDIR");
    room.root = new UpperDirectory(attributesOf(entry), { path: "", entry });
    return room.root;
  }

  /** The node at a path where something is, made the overlay's own together with the folders above it. Throws ENOSPC. */
  *#copyUp(path: TreePath): Steps<UpperNode> {
    let node: UpperNode = yield* this.#root();
    for (const text of pathNames(path)) {
      if (node.kind !== "directory") fail("EIO");
      const name = pathBytes(text);
      const slot = node.slots.get(name);
      if (slot !== undefined) node = slot.node ?? fail("ENOENT");
      else node = yield* this.#copy(node, detached(name), node.lowerPathOf(name) ?? fail("ENOENT"));
    }
    return node;
  }

  *#copy(directory: UpperDirectory, name: string, path: TreePath): Steps<UpperNode> {
    const room = this.#room;
    const entry = (yield* now(this.#lower.stat(path))) ?? fail("ENOENT");
    const origin = { path, entry };
    let node: UpperNode;
    if (entry.kind === "link") {
      const target = yield* readLowerLink(this.#lower, path);
      node = new UpperLink(attributesOf(entry), origin, target);
      room.chargeCopy(name, path, UpperLink.targetBytes(target));
    } else {
      room.chargeCopy(name, path);
      if (entry.kind === "directory") node = new UpperDirectory(attributesOf(entry), origin);
      else {
        node = new UpperFile(attributesOf(entry), origin, room.quota);
        room.touched(room.openAt(path), node);
      }
    }
    room.place(directory, name, node);
    return node;
  }

  #files(): FileRoom {
    const layer = this.#layer;
    const { room } = layer;
    const copyUp = (path: TreePath): Steps<UpperNode> => this.#copyUp(path);
    return {
      room,
      turns: layer.turns,
      files: layer.files,
      isCurrent: () => layer.room === room,
      nowNs: this.#nowNs,
      openLower: (path) => openLower(this.#lower, path),
      *copyFile(path) {
        const node = yield* copyUp(path);
        return node.kind === "file" ? node : fail("EIO");
      },
    };
  }

  #born(mode: number): Omit<TreeEntry, "kind" | "size"> {
    const nowNs = this.#nowNs();
    return { mode, modifiedNs: nowNs, accessedNs: nowNs, changedNs: nowNs, id: this.#room.takeId() };
  }
}
