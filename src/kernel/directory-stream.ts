// An open directory. The listing is taken when reading starts or is rewound, as POSIX allows, so changes while the guest
// iterates can neither skip entries nor repeat them, nor change what an iterator of ours walks over.
import { wasiFileType, whence } from "../abi/flags.ts";
import type { Attributes, DirectoryEntry, DirectoryNode } from "./filesystem.ts";
import { fail } from "./kernel-error.ts";
import { OpenFile, type Readiness } from "./open-file.ts";

export class DirectoryStream extends OpenFile {
  readonly fileType = wasiFileType.DIRECTORY;
  readonly node: DirectoryNode;
  readonly #parentOf: (directory: DirectoryNode) => DirectoryNode | undefined;
  #entries: readonly DirectoryEntry[] | undefined;
  /** Index of the next entry: the cookie that d_off carries. */
  cursor = 0;

  constructor(
    node: DirectoryNode,
    flags: number,
    parentOf: (directory: DirectoryNode) => DirectoryNode | undefined,
  ) {
    super(flags);
    this.node = node;
    this.#parentOf = parentOf;
  }

  /** The entries from `cursor` on are still to be read; "." and ".." come first. */
  entries(): readonly DirectoryEntry[] {
    this.#entries ??= [
      { name: ".", node: this.node },
      { name: "..", node: this.#parentOf(this.node) ?? this.node },
      ...this.node.list(),
    ];
    return this.#entries;
  }

  override read(): number {
    return fail("EISDIR");
  }

  override readAt(): number {
    return fail("EISDIR");
  }

  override seek(offset: bigint, from: number): number {
    if (from === whence.CUR && offset === 0n) return this.cursor;
    if (from !== whence.SET || offset < 0n || offset > BigInt(this.entries().length)) fail("EINVAL");
    this.cursor = Number(offset);
    if (this.cursor === 0) this.#entries = undefined;
    return this.cursor;
  }

  override sync(): void {
    // A directory has nothing of its own to write back.
  }

  attributes(): Attributes {
    return this.node.attributes();
  }

  readiness(): Readiness {
    return { readable: true, writable: true, hangUp: false, error: false };
  }

  protected release(): void {
    this.#entries = undefined;
  }
}
