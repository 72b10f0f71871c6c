// Files whose bytes never change: what the host hands in (`memoryFileNode`) and the handle that archive files share.
// The bytes may lie in shared memory; they are only ever copied out of.
import { mode as modeBits } from "../abi/flags.ts";
import type { Attributes, FileAccess, FileHandle, FileNode, FileSystem } from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";

/** What a node that lives outside of any directory needs to be told; `SkeletonFileSystem.identity()` makes them. */
export interface NodeIdentity {
  readonly fileSystem: FileSystem;
  readonly ino: number;
  /** atime, mtime and ctime. */
  readonly timeNs: bigint;
}

/** The attributes of an object that belongs to nobody (root) and never changes. `mode` with the type bits. */
export function fixedAttributes(
  identity: NodeIdentity,
  fields: {
    readonly mode: number;
    readonly nlink: number;
    readonly rdev: number;
    readonly sizeBytes: number;
  },
): Attributes {
  return {
    ino: identity.ino,
    mode: fields.mode,
    nlink: fields.nlink,
    uid: 0,
    gid: 0,
    rdev: fields.rdev,
    size: fields.sizeBytes,
    blocks: Math.ceil(fields.sizeBytes / 512),
    atimeNs: identity.timeNs,
    mtimeNs: identity.timeNs,
    ctimeNs: identity.timeNs,
  };
}

/** A handle that can only read; the file's `open` has already refused writing. */
export class FixedBytesHandle implements FileHandle {
  readonly heldBytes: number;
  readonly #bytes: Uint8Array;

  /** `heldBytes`: what of the bytes may live through this handle alone. */
  constructor(bytes: Uint8Array, heldBytes = 0) {
    this.#bytes = bytes;
    this.heldBytes = heldBytes;
  }

  read(target: Uint8Array, position: number): number {
    if (!Number.isSafeInteger(position) || position < 0) fail("EINVAL");
    const part = this.#bytes.subarray(position, position + target.length);
    target.set(part);
    return part.length;
  }

  write(): number {
    return fail("EBADF");
  }
  truncate(): void {
    fail("EBADF");
  }
  allocate(): void {
    fail("EBADF");
  }
  size(): number {
    return this.#bytes.length;
  }
  sync(): void {}
  close(): void {}
}

interface MemoryFileNodeOptions {
  /** Read the given bytes in place instead of copying them now. The host must not change them any more. */
  readonly shared?: boolean;
}

/** A read-only file (mode 0444, owned by root) with the given bytes. Writing is EACCES, changing its attributes EPERM. */
export function memoryFileNode(
  identity: NodeIdentity,
  bytes: Uint8Array,
  options: MemoryFileNodeOptions = {},
): FileNode {
  return new FixedFile(identity, options.shared === true ? bytes : new Uint8Array(bytes));
}

class FixedFile implements FileNode {
  readonly kind = "file";
  readonly fileSystem: FileSystem;
  readonly #bytes: Uint8Array;
  readonly #attributes: Attributes;

  constructor(identity: NodeIdentity, bytes: Uint8Array) {
    this.fileSystem = identity.fileSystem;
    this.#bytes = bytes;
    this.#attributes = fixedAttributes(identity, {
      mode: modeBits.FILE | 0o444,
      nlink: 1,
      rdev: 0,
      sizeBytes: bytes.length,
    });
  }

  attributes(): Attributes {
    return this.#attributes;
  }
  setAttributes(): void {
    fail("EPERM");
  }
  open(access: FileAccess): FileHandle {
    if (access.write || access.truncate) fail("EACCES");
    return new FixedBytesHandle(this.#bytes);
  }
  truncate(): void {
    fail("EACCES");
  }
}
