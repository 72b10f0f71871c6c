// A file that is open in an overlay: the lower file as long as nobody has changed it, and the overlay's own node from then on.
import { fail } from "../../kernel/kernel-error.ts";
import { canReadAhead, type ReadAheadFile, readsAhead } from "../first-look.ts";
import { now, type Steps } from "../later.ts";
import { type LockableFile, lockIdentity } from "../lock-identity.ts";
import type { Later, TreeAccess, TreeChange, TreeEntry, TreeFile, TreePath } from "../tree.ts";
import { sameOrigin } from "./same-origin.ts";
import type { Turns } from "./turns.ts";
import { UpperFile } from "./upper-node.ts";
import { attributesOf, type OpenLower, shownEntry, type UpperRoom } from "./upper-room.ts";

/** What an open file needs of its overlay. */
export interface FileRoom {
  readonly room: UpperRoom;
  readonly turns: Turns;
  readonly nowNs: () => bigint;
  /** All that are open. */
  readonly files: Set<OverlayFile>;
  /** Whether its changes still count: not once they were committed or discarded. */
  isCurrent(): boolean;
  /** Opens a file of the lower tree for reading. */
  openLower(path: string): Steps<TreeFile>;
  /** Makes the untouched file at this path of the overlay the overlay's own. */
  copyFile(path: string): Steps<UpperFile>;
}

export class OverlayFile implements ReadAheadFile, LockableFile {
  readonly #overlay: FileRoom;
  readonly #access: TreeAccess;
  readonly #subject: UpperFile | OpenLower;
  #lower: TreeFile | undefined;
  #lowerChecked = false;
  #closed = false;

  /** The subject was counted as open. `lower` is the open file of an untouched one. */
  constructor(
    overlay: FileRoom,
    path: TreePath,
    access: TreeAccess,
    subject: UpperFile | OpenLower,
    lower?: TreeFile,
  ) {
    if (access.write) overlay.room.writers.set(this, path);
    overlay.files.add(this);
    this.#overlay = overlay;
    this.#access = access;
    this.#subject = subject;
    this.#lower = lower;
  }

  /** While nobody has changed it, as the lower file does. */
  get [readsAhead](): boolean {
    return this.#lower !== undefined && canReadAhead(this.#lower);
  }

  [lockIdentity](): object {
    return "content" in this.#subject ? this.#subject.lockedAs : this.#subject;
  }

  stat(): Later<TreeEntry> {
    return this.#overlay.turns.take(() => this.#stat());
  }

  read(position: number, length: number): Later<Uint8Array> {
    return this.#overlay.turns.take(() => this.#read(position, length));
  }

  write(position: number, bytes: Uint8Array): Later<number> {
    const kept = this.#overlay.turns.busy ? bytes.slice() : bytes;
    return this.#overlay.turns.take(() => this.#write(position, kept));
  }

  truncate(size: number): Later<void> {
    return this.#overlay.turns.take(() => this.#truncate(size));
  }

  sync(): void {}

  change(change: TreeChange): Later<void> {
    return this.#overlay.turns.take(() => this.#change(change));
  }

  close(): Later<void> {
    return this.#overlay.turns.take(() => this.#close());
  }

  /** Before the lower tree changes: opens there what this file still shows of it, and goes on showing. */
  *holdLower(): Steps<void> {
    const node = this.#node;
    if (node?.origin === undefined || !node.content.needsLower) return;
    try {
      yield* this.#lowerOf(node)();
    } catch {
      // Nor could it be read as things are; whoever tries to is told so.
    }
  }

  /** Whether a name leads to it, so that what is written here is a change. */
  get named(): boolean {
    const node = this.#node;
    return node === undefined ? "removed" in this.#subject && !this.#subject.removed : node.named;
  }

  get #node(): UpperFile | undefined {
    return "content" in this.#subject ? this.#subject : this.#subject.node;
  }

  *#stat(): Steps<TreeEntry> {
    const node = this.#node;
    if (node !== undefined) return node.stat();
    const entry = shownEntry(yield* now(this.#need().stat()));
    return "removed" in this.#subject && this.#subject.removed ? { ...entry, links: 0 } : entry;
  }

  *#read(position: number, length: number): Steps<Uint8Array> {
    if (this.#closed || !this.#access.read) fail("EBADF");
    const node = this.#node;
    if (node !== undefined) return yield* node.content.read(position, length, this.#lowerOf(node));
    const lower = this.#need();
    return lower.read === undefined ? fail("EACCES") : yield* now(lower.read(position, length));
  }

  *#write(position: number, bytes: Uint8Array): Steps<number> {
    if (this.#closed || !this.#access.write) fail("EBADF");
    const kept = this.#node === undefined ? bytes.slice() : bytes;
    const node = yield* this.#own();
    const at = this.#access.append ? node.content.sizeBytes : position;
    const count = yield* node.content.write(at, kept, this.#lowerOf(node));
    if (count > 0) node.wrote(this.#overlay.nowNs());
    return count;
  }

  *#truncate(size: number): Steps<void> {
    if (this.#closed || !this.#access.write) fail("EBADF");
    const node = yield* this.#own();
    node.content.truncate(size);
    node.wrote(this.#overlay.nowNs());
  }

  *#change(change: TreeChange): Steps<void> {
    if (this.#closed) fail("EBADF");
    const node = yield* this.#own();
    node.change(change, this.#overlay.nowNs());
  }

  *#close(): Steps<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#overlay.room.writers.delete(this);
    this.#overlay.files.delete(this);
    if ("content" in this.#subject) this.#subject.closed();
    else this.#overlay.room.closed(this.#subject);
    const lower = this.#lower;
    this.#lower = undefined;
    if (lower?.close !== undefined) yield* now(lower.close());
  }

  /** The overlay's own node of this file, made if there is none. */
  *#own(): Steps<UpperFile> {
    // Nobody would ever see it. What had lost its name before is nobody's but the guest's, as it was.
    if (this.named && !this.#overlay.isCurrent()) fail("EIO");
    if ("content" in this.#subject) return this.#subject;
    const open = this.#subject;
    if (open.node === undefined && !open.removed) yield* this.#overlay.copyFile(open.path);
    if (open.node !== undefined) return open.node;
    // Without a name it is nobody's but those who have it open.
    const entry = yield* now(this.#need().stat());
    const origin = { path: open.lowerPath, entry };
    const node = new UpperFile(attributesOf(entry), origin, this.#overlay.room.quota);
    this.#overlay.room.touched(open, node);
    return node;
  }

  #need(): TreeFile {
    return this.#lower ?? fail("EBADF");
  }

  /** The lower file that a node shows, opened when it is needed. EIO when it is not any more what was copied. */
  #lowerOf(node: UpperFile): () => Steps<TreeFile> {
    const self = this;
    return function* () {
      const { origin } = node;
      if (origin === undefined) fail("EIO");
      self.#lower ??= yield* self.#overlay.openLower(origin.path);
      if (!self.#lowerChecked && !sameOrigin(yield* now(self.#lower.stat()), origin.entry)) fail("EIO");
      self.#lowerChecked = true;
      return self.#lower;
    };
  }
}
