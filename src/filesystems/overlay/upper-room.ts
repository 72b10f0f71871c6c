// The state of one overlay: what was changed, and who has untouched files of the lower tree open. It outlives sandboxes and belongs to
// the embedder. Everything here happens at once and is charged before; the questions to the lower tree are overlay-tree.ts's.
import type { ByteString } from "../../kernel/filesystem.ts";
import { detached } from "../names.ts";
import { inodeBytes, Quota } from "../quota.ts";
import type { TreeEntry, TreePath } from "../tree.ts";
import { isBelow } from "../tree-path.ts";
import {
  type Hidden,
  originBytes,
  type Slot,
  slotBytes,
  type UpperDirectory,
  type UpperFile,
  UpperLink,
  type UpperNode,
} from "./upper-node.ts";

/** An untouched file of the lower tree that is open. All who have it open see it change when somebody writes. */
export interface OpenLower {
  readonly lowerPath: TreePath;
  /** Where it stands in the overlay; it follows when a folder above is moved. */
  path: TreePath;
  /** Once it was touched. */
  node: UpperFile | undefined;
  /** It has no name any more. */
  removed: boolean;
  handles: number;
}

export class UpperRoom {
  readonly quota: Quota;
  root: UpperDirectory | undefined;
  /** Files that are open for writing, with the paths under which they were opened. What has no name is no change. */
  readonly writers = new Map<{ readonly named: boolean }, TreePath>();
  readonly #open = new Map<TreePath, OpenLower>();
  #lastId = 0;

  constructor(quotaBytes: number, maxFiles: number) {
    this.quota = new Quota(quotaBytes, maxFiles);
  }

  /** Of something new: odd, where the lower tree's numbers are shown doubled. */
  takeId(): number {
    this.#lastId += 1;
    return 2 * this.#lastId - 1;
  }

  /** Charges a node that shows what is at that lower path, and its slot. Throws ENOSPC. */
  chargeCopy(name: ByteString, lowerPath: TreePath, extraBytes = 0): void {
    this.quota.take(slotBytes(name) + inodeBytes + originBytes(lowerPath) + extraBytes, 1);
  }

  /** Charges a new node at that place. Throws ENOSPC. */
  chargeNew(directory: UpperDirectory, name: ByteString, extraBytes = 0): void {
    const slot = directory.slots.has(name) ? 0 : slotBytes(name);
    this.quota.take(slot + inodeBytes + extraBytes, 1);
  }

  /** Charges the place that `name` takes, of which something of the lower tree may have to be hidden. Throws ENOSPC. */
  chargePlace(directory: UpperDirectory, name: ByteString, hidden: TreePath | undefined): void {
    const slot = directory.slots.has(name) ? 0 : slotBytes(name);
    this.quota.take(slot + (hidden === undefined ? 0 : originBytes(hidden)));
  }

  /** Puts a node where none is; node and slot are charged. */
  place(directory: UpperDirectory, name: ByteString, node: UpperNode): void {
    let slot = directory.slots.get(name);
    if (slot === undefined) {
      slot = { node: undefined, hidden: undefined };
      directory.slots.set(detached(name), slot);
    }
    slot.node = node;
    if (directory.merges(name, node)) slot.hidden = undefined;
    if (node.kind === "file") node.placed();
    node.named = true;
  }

  /** Hides what the lower tree has there, untouched so far; it is charged. */
  hide(directory: UpperDirectory, name: ByteString, hidden: Hidden): void {
    const slot: Slot = directory.slots.get(name) ?? { node: undefined, hidden };
    slot.hidden = hidden;
    directory.slots.set(detached(name), slot);
    const open = this.#open.get(hidden.path);
    if (open === undefined) return;
    open.removed = true;
    this.#open.delete(hidden.path);
  }

  /** Takes a node out of its place, which stays hidden if it showed the lower tree. The node is still charged; `kept` is a slot that is used again. */
  unplace(directory: UpperDirectory, name: ByteString, kept: "kept" | "given back" = "given back"): void {
    const slot = directory.slots.get(name);
    const node = slot?.node;
    if (slot === undefined || node === undefined) return;
    if (node.origin !== undefined && directory.merges(name, node))
      slot.hidden = { ...node.origin, node: node.kind === "directory" ? node : undefined };
    slot.node = undefined;
    if (slot.hidden !== undefined || kept === "kept") return;
    directory.slots.delete(name);
    this.quota.give(slotBytes(name));
  }

  /** The node has no place any more. What is known of its origin stays known, and charged. */
  drop(node: UpperNode): void {
    node.named = false;
    if (node.kind === "file") node.forget();
    else if (node.kind === "link") this.quota.give(inodeBytes + UpperLink.targetBytes(node.target), 1);
    // A folder of the lower tree stays behind, because it knows what was in it.
    else this.quota.give(node.origin === undefined ? inodeBytes : 0, 1);
  }

  opened(lowerPath: TreePath, path: TreePath): OpenLower {
    let open = this.#open.get(lowerPath);
    if (open === undefined) {
      open = { lowerPath, path, node: undefined, removed: false, handles: 0 };
      this.#open.set(lowerPath, open);
    }
    open.handles += 1;
    return open;
  }

  closed(open: OpenLower): void {
    open.handles -= 1;
    if (open.node !== undefined) open.node.closed();
    else if (open.handles === 0 && this.#open.get(open.lowerPath) === open) this.#open.delete(open.lowerPath);
  }

  /** The file is touched: who has it open goes on with the node. */
  touched(open: OpenLower | undefined, node: UpperFile): void {
    if (open === undefined) return;
    open.node = node;
    node.lockedAs = open;
    for (let handle = 0; handle < open.handles; handle++) node.opened();
    if (this.#open.get(open.lowerPath) === open) this.#open.delete(open.lowerPath);
  }

  openAt(lowerPath: TreePath): OpenLower | undefined {
    return this.#open.get(lowerPath);
  }

  /** What is open below a folder is moved with it. */
  movedBelow(from: TreePath, to: TreePath): void {
    for (const open of this.#open.values())
      if (isBelow(open.path, from)) open.path = to + open.path.slice(from.length);
  }
}

/** What a lower tree tells, as the overlay shows it: its numbers are even, those of the overlay's own files odd. */
export function shownEntry(entry: TreeEntry): TreeEntry {
  const { id, ...rest } = entry;
  if (id === undefined) return rest;
  return Number.isSafeInteger(2 * id) ? { ...rest, id: 2 * id } : rest;
}

/** The attributes that a node begins with. */
export function attributesOf(entry: TreeEntry): Omit<TreeEntry, "kind" | "size"> {
  const { kind: _kind, size: _size, links: _links, ...attributes } = shownEntry(entry);
  return attributes;
}
