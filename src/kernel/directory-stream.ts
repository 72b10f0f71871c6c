// An open directory: a position, and a reader that is made when reading starts or is rewound, as POSIX allows. Changes while
// the guest iterates can neither skip entries that stay nor repeat any, and what is added meanwhile is not shown, so that a
// loop that renames what it finds comes to an end.
import { wasiFileType, whence } from "../abi/flags.ts";
import type { Attributes, DirectoryNode, DirectoryReader, Node, PlacedEntry } from "./filesystem.ts";
import type { HostMemory } from "./host-memory.ts";
import { fail } from "./kernel-error.ts";
import { OpenFile, type Readiness } from "./open-file.ts";

/** Charged for each entry of a copied listing, besides the bytes of its name (measured in V8, rounded up). */
export const listingEntryBytes = 112;

/** "." and ".." have the positions 1 and 2; those of the directory's own entries follow. */
const dotPositions = 2;

export class DirectoryStream extends OpenFile {
  readonly fileType = wasiFileType.DIRECTORY;
  readonly node: DirectoryNode;
  readonly #parentOf: (directory: DirectoryNode) => DirectoryNode | undefined;
  readonly #memory: HostMemory;
  #reader: DirectoryReader | undefined;
  readonly #keptBytes: number;
  #copyBytes = 0;
  #position = 0;

  constructor(
    node: DirectoryNode,
    flags: number,
    place: {
      readonly parentOf: (directory: DirectoryNode) => DirectoryNode | undefined;
      readonly memory: HostMemory;
    },
  ) {
    super(flags);
    this.node = node;
    this.#parentOf = place.parentOf;
    this.#memory = place.memory;
    this.#keptBytes = node.keptBytes ?? 0;
    this.#memory.take(this.#keptBytes);
    node.keep?.();
  }

  /** The entry to be read now, without moving on; undefined at the end. Throws ENOMEM where a copy must be made. */
  next(): PlacedEntry | undefined {
    this.#reader ??= this.node.reader?.() ?? this.#copy();
    if (this.#position === 0) return placed(".", this.node, 1);
    if (this.#position === 1) return placed("..", this.#parentOf(this.node) ?? this.node, 2);
    const entry = this.#reader.after(this.#position - dotPositions);
    return entry && { ...entry, position: entry.position + dotPositions };
  }

  /** The guest was given this entry. */
  advance(entry: PlacedEntry): void {
    this.#position = entry.position;
  }

  override read(): number {
    return fail("EISDIR");
  }

  override readAt(): number {
    return fail("EISDIR");
  }

  /** telldir(3) and seekdir(3): a position is where some entry ended; beyond the last one there is just the end. */
  override seek(offset: bigint, from: number): number {
    if (from === whence.CUR && offset === 0n) return this.#position;
    if (from !== whence.SET || offset < 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) fail("EINVAL");
    this.#position = Number(offset);
    if (this.#position === 0) this.#letGo();
    return this.#position;
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
    this.#letGo();
    this.node.drop?.();
    this.#memory.give(this.#keptBytes);
  }

  /** Names, kinds and numbers only: a copy that held the nodes would keep alive what the guest has removed and got back. */
  #copy(): DirectoryReader {
    const listed = this.node.list();
    const bytes = listed.reduce((sum, { name }) => sum + listingEntryBytes + name.length, 0);
    this.#memory.take(bytes);
    this.#copyBytes = bytes;
    const entries = listed.map(({ name, node }, index) => placed(name, node, index + 1));
    return { after: (position) => entries[position] };
  }

  #letGo(): void {
    this.#memory.give(this.#copyBytes);
    this.#copyBytes = 0;
    this.#reader = undefined;
  }
}

function placed(name: string, node: Node, position: number): PlacedEntry {
  return { name, kind: node.kind, ino: node.attributes().ino, position };
}
