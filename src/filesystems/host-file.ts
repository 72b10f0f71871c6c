// One granted file of the host, behind an open host descriptor. Attributes are the sandbox's own: the size is real, since
// the guest may read or write it; mode, times, owner and inode number tell nothing of the host, and stay as they are.
import { access as accessBits, mode as modeBits } from "../abi/flags.ts";
import type { Attributes, FileAccess, FileHandle, FileNode, FileSystem } from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { guestOwner } from "../kernel/permissions.ts";
import type { NodeIdentity } from "./fixed-file.ts";

export const hostFileModes = ["read", "write", "append", "create", "update"] as const;
/** What a granted file of the host may be used for; see hostFile. */
export type HostFileMode = (typeof hostFileModes)[number];

/** A granted file of the host as plain data, which crosses between threads: descriptors belong to the process. */
export interface HostFileTicket {
  /** The open file; undefined while it does not exist, and once it was released. Made files are the ticket's from then on. */
  fd: number | undefined;
  /** Undefined once it was released. */
  missing: { readonly directoryFd: number; readonly directory: string; readonly name: string } | undefined;
}

/** An open file of the host. Failures throw KernelError. */
export interface HostFilePower {
  read(target: Uint8Array, position: number): number;
  write(source: Uint8Array, position: number): number;
  size(): number;
  truncate(size: number): void;
  sync(): void;
}

export interface HostFileGrant {
  readonly read: boolean;
  readonly write: boolean;
  readonly appendOnly: boolean;
  readonly maxBytes: number;
}

/** An open file of the host with its grant: what the grant does not allow is refused on every use. */
export class GrantedHostFile implements HostFilePower {
  readonly grant: HostFileGrant;
  readonly #file: HostFilePower;

  constructor(file: HostFilePower, grant: HostFileGrant) {
    this.#file = file;
    this.grant = grant;
  }

  read(target: Uint8Array, position: number): number {
    if (!this.grant.read) fail("EACCES");
    return this.#file.read(target, position);
  }

  write(source: Uint8Array, position: number): number {
    if (!this.grant.write) fail("EACCES");
    const at = this.grant.appendOnly ? this.#file.size() : position;
    const room = this.grant.maxBytes - at;
    if (room <= 0) fail("EFBIG");
    return this.#file.write(source.subarray(0, room), at);
  }

  size(): number {
    return this.#file.size();
  }

  truncate(size: number): void {
    if (!this.grant.write) fail("EACCES");
    if (this.grant.appendOnly) fail("EPERM");
    if (size > this.grant.maxBytes) fail("EFBIG");
    this.#file.truncate(size);
  }

  sync(): void {
    this.#file.sync();
  }

  /** Throws EPERM where attributes may not even seem to be changed. */
  demandChangeable(): void {
    if (!this.grant.write) fail("EPERM");
  }
}

/** How its record locks are set and ended. */
export type HostFileLocks = Required<Pick<FileHandle, "lock" | "unlock">>;

export class HostFileNode implements FileNode {
  readonly kind = "file";
  readonly fileSystem: FileSystem;
  readonly #identity: NodeIdentity;
  readonly #file: GrantedHostFile;
  readonly #now: () => bigint;
  readonly #locks: HostFileLocks;
  #mtimeNs: bigint;

  constructor(identity: NodeIdentity, file: GrantedHostFile, now: () => bigint, locks: HostFileLocks) {
    this.#locks = locks;
    this.fileSystem = identity.fileSystem;
    this.#identity = identity;
    this.#file = file;
    this.#now = now;
    this.#mtimeNs = identity.timeNs;
  }

  attributes(): Attributes {
    const size = this.#file.size();
    const { read, write } = this.#file.grant;
    const permissions = (read ? accessBits.READ : 0) | (write ? accessBits.WRITE : 0);
    return {
      ino: this.#identity.ino,
      mode: modeBits.FILE | (permissions << 6),
      nlink: 1,
      ...guestOwner,
      rdev: 0,
      size,
      blocks: Math.ceil(size / 512),
      atimeNs: this.#mtimeNs,
      mtimeNs: this.#mtimeNs,
      ctimeNs: this.#mtimeNs,
    };
  }

  /** Programs set mode and times after they have written (shutil.copy), and need not be told that neither is kept. */
  setAttributes(): void {
    this.#file.demandChangeable();
  }

  open(wanted: FileAccess): FileHandle {
    const { read, write, appendOnly } = this.#file.grant;
    if ((wanted.read && !read) || ((wanted.write || wanted.truncate) && !write)) fail("EACCES");
    // As Linux treats a file with the append-only attribute (open(2)).
    if (appendOnly && ((wanted.write && !wanted.append) || wanted.truncate)) fail("EPERM");
    if (wanted.truncate) this.truncate(0);
    return {
      read: (target, position) => this.#file.read(target, position),
      write: (source, position) => this.#write(source, position),
      setAppend: () => {
        if (appendOnly) fail("EPERM");
      },
      prepareMappedWrites: () => {
        if (appendOnly) fail("EACCES");
      },
      size: () => this.#file.size(),
      truncate: (size) => this.truncate(size),
      allocate: (size) => {
        if (size > this.#file.size()) this.truncate(size);
      },
      sync: () => this.#file.sync(),
      ...this.#locks,
      close: () => {},
    };
  }

  truncate(size: number): void {
    this.#file.truncate(size);
    this.#mtimeNs = this.#now();
  }

  #write(source: Uint8Array, position: number): number {
    const count = this.#file.write(source, position);
    this.#mtimeNs = this.#now();
    return count;
  }
}
