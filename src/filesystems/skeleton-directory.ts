// One directory of the skeleton: mode 0555, owned by root. `put…` and `holds` are the host's; the rest is what the guest
// reaches, and it refuses every change but the creation of a granted file.
import { mode as modeBits } from "../abi/flags.ts";
import type {
  Attributes,
  ByteString,
  DeviceNode,
  DirectoryEntry,
  DirectoryNode,
  DirectoryReader,
  FileNode,
  FileOpening,
  FileSystem,
  Node,
  Owner,
  PlacedEntry,
} from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { fixedAttributes, type NodeIdentity } from "./fixed-file.ts";

/** A file granted for creation. */
export interface CreatableFile {
  /** `mode` holds permission bits after umask. Throws KernelError. */
  create(mode: number): FileNode;
  existing(): FileNode | undefined;
}

/** A file that something else has: whether it is there, and which node stands for it, is asked at each lookup. */
export interface AskedFile {
  find(): FileNode | undefined;
  /** Its number if it was there when it was last looked at. A listing asks nobody: imports list, and would fail where one place does. */
  readonly listedIno: number | undefined;
  /** `mode` holds permission bits after umask. Throws KernelError. */
  create(mode: number, opening: FileOpening | undefined): FileNode;
}

/** What a name stands for: a node, or a promise of one. */
type Place =
  | { readonly kind: "node"; readonly node: FileNode | DeviceNode | SkeletonDirectory }
  | { readonly kind: "creatable"; readonly grant: CreatableFile }
  | { readonly kind: "asked"; readonly file: AskedFile };

export class SkeletonDirectory implements DirectoryNode {
  readonly kind = "directory";
  readonly fileSystem: FileSystem;
  readonly #identity: NodeIdentity;
  readonly #parent: SkeletonDirectory;
  readonly #places = new Map<ByteString, Place>();
  /** In the order in which they were placed. Nothing is ever taken away. */
  readonly #names: ByteString[] = [];
  #children = 0;
  #attributes: Attributes | undefined;

  /** Without a parent this is the root. */
  constructor(identity: NodeIdentity, parent: SkeletonDirectory | undefined) {
    this.#identity = identity;
    this.fileSystem = identity.fileSystem;
    this.#parent = parent ?? this;
  }

  /** Whether the name is taken, if only by a grant. */
  holds(name: ByteString): boolean {
    return this.#places.has(name);
  }

  put(name: ByteString, node: FileNode | DeviceNode): void {
    this.#put(name, { kind: "node", node });
  }

  putCreatable(name: ByteString, grant: CreatableFile): void {
    this.#put(name, { kind: "creatable", grant });
  }

  putAsked(name: ByteString, file: AskedFile): void {
    this.#put(name, { kind: "asked", file });
  }

  #put(name: ByteString, place: Place): void {
    if (!this.#places.has(name)) this.#names.push(name);
    this.#places.set(name, place);
  }

  putDirectory(name: ByteString, identity: NodeIdentity): SkeletonDirectory {
    const node = new SkeletonDirectory(identity, this);
    this.#put(name, { kind: "node", node });
    this.#children += 1;
    this.#attributes = undefined;
    return node;
  }

  lookupDirectory(name: ByteString): SkeletonDirectory | undefined {
    const place = this.#places.get(name);
    return place?.kind === "node" && place.node instanceof SkeletonDirectory ? place.node : undefined;
  }

  attributes(): Attributes {
    const mode = modeBits.DIRECTORY | 0o555;
    const nlink = 2 + this.#children;
    this.#attributes ??= fixedAttributes(this.#identity, { mode, nlink, rdev: 0, sizeBytes: 0 });
    return this.#attributes;
  }

  setAttributes(): void {
    fail("EPERM");
  }

  lookup(name: ByteString): Node | undefined {
    const place = this.#places.get(name);
    if (place === undefined || place.kind === "node") return place?.node;
    if (place.kind === "asked") return place.file.find();
    const node = place.grant.existing();
    if (node !== undefined) this.put(name, node);
    return node;
  }

  grantsCreation(name: ByteString): boolean {
    const kind = this.#places.get(name)?.kind;
    return (kind === "creatable" || kind === "asked") && this.lookup(name) === undefined;
  }

  list(): readonly DirectoryEntry[] {
    const entries: DirectoryEntry[] = [];
    for (const name of this.#names) {
      const node = this.lookup(name);
      if (node !== undefined) entries.push({ name, node });
    }
    return entries;
  }

  reader(): DirectoryReader {
    return {
      after: (position) => {
        for (let at = position; at < this.#names.length; at++) {
          const entry = this.#listed(this.#names[at] ?? "", at + 1);
          if (entry !== undefined) return entry;
        }
        return undefined;
      },
    };
  }

  #listed(name: ByteString, position: number): PlacedEntry | undefined {
    const place = this.#places.get(name);
    if (place?.kind === "asked") {
      const ino = place.file.listedIno;
      return ino === undefined ? undefined : { name, kind: "file", ino, position };
    }
    const node = this.lookup(name);
    return node && { name, kind: node.kind, ino: node.attributes().ino, position };
  }

  nameOf(child: DirectoryNode): ByteString | undefined {
    return this.#names.find((name) => this.lookupDirectory(name) === child);
  }

  parent(): SkeletonDirectory {
    return this.#parent;
  }

  createFile(name: ByteString, mode: number, _owner?: Owner, opening?: FileOpening): FileNode {
    const place = this.#places.get(name);
    if (place?.kind === "asked") return place.file.create(mode, opening);
    if (this.lookup(name) !== undefined) fail("EEXIST");
    if (place?.kind !== "creatable") fail("EACCES");
    const node = place.grant.create(mode);
    this.put(name, node);
    return node;
  }

  createDirectory(name: ByteString): never {
    return this.#refuseCreation(name);
  }
  createLink(name: ByteString): never {
    return this.#refuseCreation(name);
  }
  createPipe(name: ByteString): never {
    return this.#refuseCreation(name);
  }
  #refuseCreation(name: ByteString): never {
    return fail(this.lookup(name) === undefined ? "EACCES" : "EEXIST");
  }

  unlink(name: ByteString): void {
    this.#refuseRemoval(name);
  }
  removeDirectory(name: ByteString): void {
    this.#refuseRemoval(name);
  }
  rename(name: ByteString): void {
    this.#refuseRemoval(name);
  }
  #refuseRemoval(name: ByteString): never {
    return fail(this.lookup(name) === undefined ? "ENOENT" : "EACCES");
  }
}
