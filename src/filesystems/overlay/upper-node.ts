// What an overlay holds of its own: nodes in folders of slots. A node may have an origin, the lower path that it shows where it was
// not changed; moving it does not change that path. Invariants: a lower path is the origin of at most one node; a slot is hidden
// exactly when the lower tree has something at that place that is not the node's own origin; all is charged until it is let go.
import { mode as modeBits } from "../../abi/flags.ts";
import type { ByteString } from "../../kernel/filesystem.ts";
import { entryBytes, inodeBytes, type Quota } from "../quota.ts";
import type { TreeChange, TreeEntry, TreePath } from "../tree.ts";
import { childPath, isTreeName, pathBytes, treePath } from "../tree-path.ts";
import { LayeredContent } from "./layered-content.ts";

/** Where something of the lower tree stands, and what it was when it was looked at. */
interface Origin {
  readonly path: TreePath;
  readonly entry: TreeEntry;
}

/** What the lower tree has at a place where it must not show. `node` is what became of it, removed or moved, when that was a folder. */
export interface Hidden extends Origin {
  readonly node: UpperDirectory | undefined;
}

export interface Slot {
  node: UpperNode | undefined;
  hidden: Hidden | undefined;
}

export type UpperNode = UpperFile | UpperDirectory | UpperLink;

export function slotOf(node: UpperNode | undefined, name: string): Slot | undefined {
  // What a lower tree lists is not checked before: what is no name has no slot.
  return node?.kind === "directory" && isTreeName(name) ? node.slots.get(pathBytes(name)) : undefined;
}

abstract class AnyUpper {
  readonly origin: Origin | undefined;
  /** Whether it has a name. */
  named = false;
  #attributes: Omit<TreeEntry, "kind" | "size">;
  /** Whether the guest set permission bits or times. */
  attributesChanged = false;

  constructor(attributes: Omit<TreeEntry, "kind" | "size">, origin: Origin | undefined) {
    this.#attributes = attributes;
    this.origin = origin;
  }

  get attributes(): Omit<TreeEntry, "kind" | "size"> {
    return this.#attributes;
  }

  change(change: TreeChange, nowNs: bigint): void {
    const { mode, accessedNs, modifiedNs } = change;
    this.#set({
      ...(mode !== undefined && { mode: mode & modeBits.PERMISSIONS }),
      ...(accessedNs !== undefined && { accessedNs }),
      ...(modifiedNs !== undefined && { modifiedNs }),
      changedNs: nowNs,
    });
    if (mode !== undefined || modifiedNs !== undefined) this.attributesChanged = true;
  }

  contentChanged(nowNs: bigint): void {
    this.#set({ modifiedNs: nowNs, changedNs: nowNs });
  }

  moved(id: number, nowNs: bigint): void {
    this.#set({ changedNs: nowNs, ...(this.#attributes.id === undefined && { id }) });
  }

  #set(change: Partial<TreeEntry>): void {
    this.#attributes = { ...this.#attributes, ...change };
  }
}

export class UpperFile extends AnyUpper {
  readonly kind = "file";
  readonly content: LayeredContent;
  /** Whether the bytes may differ from the origin's. */
  written = false;
  /** By what its locks are kept: what it was opened as before it was touched, since that may have been locked already. */
  lockedAs: object = this;
  #handles = 0;
  readonly #quota: Quota;
  #charged = false;

  constructor(attributes: Omit<TreeEntry, "kind" | "size">, origin: Origin | undefined, quota: Quota) {
    super(attributes, origin);
    this.#quota = quota;
    this.content = new LayeredContent(quota, origin?.entry.size ?? 0);
  }

  stat(): TreeEntry {
    return {
      kind: "file",
      size: this.content.sizeBytes,
      ...this.attributes,
      links: this.named ? 1 : 0,
    };
  }

  wrote(nowNs: bigint): void {
    this.written = true;
    this.contentChanged(nowNs);
  }

  /** It was put in a slot, and its inode was charged. */
  placed(): void {
    this.named = true;
    this.#charged = true;
  }

  opened(): void {
    this.#handles += 1;
  }

  closed(): void {
    this.#handles -= 1;
    this.#letGo();
  }

  forget(): void {
    this.named = false;
    this.#letGo();
  }

  #letGo(): void {
    if (this.named || this.#handles > 0) return;
    this.content.truncate(0);
    if (this.#charged) this.#quota.give(inodeBytes, 1);
    this.#charged = false;
  }
}

export class UpperLink extends AnyUpper {
  readonly kind = "link";
  readonly target: string;
  readonly #size: number;

  /** The caller has charged the inode and the target. */
  constructor(attributes: Omit<TreeEntry, "kind" | "size">, origin: Origin | undefined, target: string) {
    super(attributes, origin);
    this.target = target;
    this.#size = pathBytes(target).length;
  }

  /** What a target is charged: a character of a string takes at most two bytes. */
  static targetBytes(target: string): number {
    return 2 * target.length;
  }

  stat(): TreeEntry {
    return { kind: "link", size: this.#size, ...this.attributes, links: 1 };
  }
}

export class UpperDirectory extends AnyUpper {
  readonly kind = "directory";
  readonly slots = new Map<ByteString, Slot>();

  stat(): TreeEntry {
    return { kind: "directory", size: 0, ...this.attributes, links: 1 };
  }

  /** The lower path that shows at that name unless its slot says otherwise; undefined where nothing does. */
  lowerPathOf(name: ByteString): TreePath | undefined {
    return this.origin === undefined ? undefined : childPath(this.origin.path, treePath(name));
  }

  /** Whether the node is what the lower tree has at that name of this folder. */
  merges(name: ByteString, node: UpperNode | undefined): boolean {
    return node?.origin !== undefined && node.origin.path === this.lowerPathOf(name);
  }
}

/** A slot with its name, charged as long as there is one. */
export function slotBytes(name: ByteString): number {
  return entryBytes + name.length;
}

/** What is known of an origin, charged from when it is looked at on: a node has it, and then the place where it is hidden. */
export function originBytes(path: TreePath): number {
  return 256 + 2 * path.length;
}

/** How deep what the overlay holds is nested, with the node itself. */
export function heightOf(node: UpperNode): number {
  let height = 0;
  let level = [node];
  while (level.length > 0) {
    height += 1;
    level = level.flatMap((each) =>
      each.kind === "directory" ? [...each.slots.values()].flatMap((slot) => slot.node ?? []) : [],
    );
  }
  return height;
}
