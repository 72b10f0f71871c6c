// What every object of a memory file system has: number, owner, permission bits and times. Times follow POSIX; atime is
// Linux's relatime: a read moves it only when it is not later than the last change, or a day old.
import { mode as modeBits } from "../abi/flags.ts";
import type { AttributeChange, Attributes, FileSystem, NowNs, Owner } from "../kernel/filesystem.ts";
import { inodeBytes, type Quota } from "./quota.ts";

const dayNs = 86_400_000_000_000n;

/** What the objects of one file system share. */
export interface Volume {
  readonly fileSystem: FileSystem;
  readonly quota: Quota;
  readonly now: NowNs;
  readonly maxNameBytes: number;
  readonly maxDepth: number;
  takeIno(): number;
}

export abstract class Inode {
  readonly fileSystem: FileSystem;
  readonly ino: number;
  protected readonly volume: Volume;
  /** Names that lead here; for a directory also its own "." and the ".." of each child. 0 once removed. */
  linkCount = 1;
  #mode: number;
  #uid: number;
  #gid: number;
  #atimeNs: bigint;
  #mtimeNs: bigint;
  #ctimeNs: bigint;

  /** `mode` with the type bits. The caller has charged `inodeBytes`. */
  constructor(volume: Volume, mode: number, owner: Owner) {
    this.volume = volume;
    this.fileSystem = volume.fileSystem;
    this.ino = volume.takeIno();
    this.#mode = mode;
    this.#uid = owner.uid;
    this.#gid = owner.gid;
    const now = volume.now();
    this.#atimeNs = now;
    this.#mtimeNs = now;
    this.#ctimeNs = now;
  }

  /** st_size. */
  protected abstract sizeBytes(): number;
  /** Content bytes held on the host, for st_blocks. */
  protected abstract heldBytes(): number;
  /** The last name is gone: give back what the quota was charged, now or when the last handle closes. */
  abstract forget(): void;

  get mode(): number {
    return this.#mode;
  }
  get gid(): number {
    return this.#gid;
  }

  attributes(): Attributes {
    return {
      ino: this.ino,
      mode: this.#mode,
      nlink: this.linkCount,
      uid: this.#uid,
      gid: this.#gid,
      rdev: 0,
      size: this.sizeBytes(),
      blocks: Math.ceil(this.heldBytes() / 512),
      atimeNs: this.#atimeNs,
      mtimeNs: this.#mtimeNs,
      ctimeNs: this.#ctimeNs,
    };
  }

  setAttributes(change: AttributeChange): void {
    if (change.mode !== undefined) {
      this.#mode = (this.#mode & modeBits.TYPE) | (change.mode & modeBits.PERMISSIONS);
    }
    if (change.uid !== undefined) this.#uid = change.uid;
    if (change.gid !== undefined) this.#gid = change.gid;
    if (change.atimeNs !== undefined) this.#atimeNs = change.atimeNs;
    if (change.mtimeNs !== undefined) this.#mtimeNs = change.mtimeNs;
    this.#ctimeNs = this.volume.now();
  }

  markRead(): void {
    const now = this.volume.now();
    const stale = this.#atimeNs <= this.#mtimeNs || this.#atimeNs <= this.#ctimeNs;
    if (stale || now - this.#atimeNs >= dayNs) this.#atimeNs = now;
  }

  markContentChange(): void {
    const now = this.volume.now();
    this.#mtimeNs = now;
    this.#ctimeNs = now;
  }

  markAttributeChange(): void {
    this.#ctimeNs = this.volume.now();
  }

  protected releaseInode(extraBytes = 0): void {
    this.volume.quota.give(inodeBytes + extraBytes, 1);
  }
}
