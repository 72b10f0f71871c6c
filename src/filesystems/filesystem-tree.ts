// A kernel file system as a tree: every call walks from the root by names, without following links and without asking permission
// bits, which are the kernel's to check. What a tree cannot show, named pipes and devices, is not there, and its name is taken.
import { mode as modeBits } from "../abi/flags.ts";
import type {
  DirectoryNode,
  FileHandle,
  FileNode,
  FileSystem,
  LinkNode,
  Node,
} from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { guestOwner } from "../kernel/permissions.ts";
import { type ReadAheadFile, readsAhead } from "./first-look.ts";
import { type LockableFile, lockIdentity } from "./lock-identity.ts";
import type { NamedTreeEntry, Tree, TreeAccess, TreeChange, TreeEntry, TreeFile, TreePath } from "./tree.ts";
import { lastName, parentPath, pathBytes, pathNames, treePath } from "./tree-path.ts";

/** Answers now, always. What is made belongs to the guest's user. */
export function filesystemTree(fileSystem: FileSystem): Required<Tree> {
  const tree = new Walker(fileSystem);
  return {
    stat: (path) => tree.stat(path),
    list: (path) => tree.list(path),
    open: (path, access) => tree.open(path, access),
    readLink: (path) => tree.readLink(path),
    makeDirectory: (path, mode) => {
      const { parent, name } = tree.place(path, "EEXIST");
      parent.createDirectory(name, mode, guestOwner);
    },
    makeLink: (path, target) => {
      const { parent, name } = tree.place(path, "EEXIST");
      parent.createLink(name, pathBytes(target), guestOwner);
    },
    remove: (path) => {
      const { parent, name } = tree.place(path, "EISDIR");
      parent.unlink(name);
    },
    removeDirectory: (path) => {
      const { parent, name } = tree.place(path, "EBUSY");
      parent.removeDirectory(name);
    },
    rename: (from, to) => tree.rename(from, to),
    change: (path, change) => tree.existing(path).setAttributes(attributesOf(change)),
    room: () => {
      const { blockBytes, blocks, freeBlocks, files, freeFiles } = fileSystem.usage();
      return { bytes: blocks * blockBytes, freeBytes: freeBlocks * blockBytes, files, freeFiles };
    },
    close: () => {},
  };
}

type ShownNode = DirectoryNode | FileNode | LinkNode;

class Walker {
  readonly #fileSystem: FileSystem;

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  stat(path: TreePath): TreeEntry | undefined {
    const node = this.#find(path);
    return shown(node) ? entryOf(node) : undefined;
  }

  list(path: TreePath): NamedTreeEntry[] {
    const node = this.existing(path);
    if (node.kind !== "directory") fail("ENOTDIR");
    const entries: NamedTreeEntry[] = [];
    for (const { name, node: child } of node.list())
      if (shown(child)) entries.push({ name: treePath(name), ...entryOf(child) });
    return entries;
  }

  open(path: TreePath, access: TreeAccess): TreeFile {
    const { parent, name } = this.place(path, access.create === "always" ? "EEXIST" : "EISDIR");
    const present = parent.lookup(name);
    if (present !== undefined && access.create === "always") fail("EEXIST");
    if (present?.kind === "directory") fail("EISDIR");
    if (present?.kind === "link") fail("ELOOP");
    if (present !== undefined && present.kind !== "file") fail("EACCES");
    if (present === undefined && access.create === "never") fail("ENOENT");
    return new NodeTreeFile(present ?? parent.createFile(name, access.mode, guestOwner), access);
  }

  readLink(path: TreePath): string {
    const node = this.existing(path);
    return node.kind === "link" ? treePath(node.target) : fail("EINVAL");
  }

  rename(from: TreePath, to: TreePath): void {
    const source = this.place(from, "EBUSY");
    const moved = source.parent.lookup(source.name) ?? fail("ENOENT");
    const target = this.place(to, "EBUSY");
    if (
      moved.kind === "directory" &&
      pathNames(to).length > pathNames(from).length &&
      to.startsWith(`${from}/`)
    )
      fail("EINVAL");
    const replaced = target.parent.lookup(target.name);
    if (replaced !== undefined && moved.kind === "directory" && replaced.kind !== "directory")
      fail("ENOTDIR");
    if (replaced?.kind === "directory" && moved.kind !== "directory") fail("EISDIR");
    source.parent.rename(source.name, target.parent, target.name);
  }

  existing(path: TreePath): ShownNode {
    if (path !== "") this.place(path, "EBUSY");
    const node = this.#find(path);
    return shown(node) ? node : fail("ENOENT");
  }

  /** The directory in which the path's last name stands or would. ENOENT, ENOTDIR; `atRoot` for the root, which has no name. */
  place(path: TreePath, atRoot: "EEXIST" | "EISDIR" | "EBUSY"): { parent: DirectoryNode; name: string } {
    if (path === "") fail(atRoot);
    const parent = this.#find(parentPath(path));
    if (parent?.kind === "directory") return { parent, name: pathBytes(lastName(path)) };
    return fail(this.#leadsThroughFile(path) ? "ENOTDIR" : "ENOENT");
  }

  #find(path: TreePath): Node | undefined {
    let node: Node | undefined = this.#fileSystem.root;
    for (const name of pathNames(path)) {
      if (node?.kind !== "directory") return undefined;
      node = node.lookup(pathBytes(name));
    }
    return node;
  }

  #leadsThroughFile(path: TreePath): boolean {
    let above = parentPath(path);
    while (above !== "" && this.#find(above) === undefined) above = parentPath(above);
    return this.#find(above)?.kind === "file";
  }
}

class NodeTreeFile implements ReadAheadFile, LockableFile {
  readonly [readsAhead] = true;
  readonly #node: FileNode;
  readonly #handle: FileHandle;
  readonly #append: boolean;

  constructor(node: FileNode, access: TreeAccess) {
    this.#node = node;
    this.#append = access.append;
    const { read, write, append, truncate } = access;
    this.#handle = node.open({ read, write, append, truncate });
  }

  [lockIdentity](): object {
    return this.#node;
  }

  stat(): TreeEntry {
    return entryOf(this.#node);
  }

  read(position: number, length: number): Uint8Array {
    const rest = Math.max(0, this.#handle.size() - position);
    const target = new Uint8Array(Math.min(length, rest));
    return target.subarray(0, this.#handle.read(target, position));
  }

  write(position: number, bytes: Uint8Array): number {
    return this.#handle.write(bytes, this.#append ? this.#handle.size() : position);
  }

  truncate(size: number): void {
    this.#handle.truncate(size);
  }

  sync(): void {
    this.#handle.sync();
  }

  change(change: TreeChange): void {
    this.#node.setAttributes(attributesOf(change));
  }

  close(): void {
    this.#handle.close();
  }
}

function shown(node: Node | undefined): node is ShownNode {
  return node?.kind === "file" || node?.kind === "directory" || node?.kind === "link";
}

function entryOf(node: ShownNode): TreeEntry {
  const { ino, mode, nlink, size, atimeNs, mtimeNs, ctimeNs } = node.attributes();
  return {
    kind: node.kind,
    size: node.kind === "directory" ? 0 : size,
    mode: mode & modeBits.PERMISSIONS,
    modifiedNs: mtimeNs,
    accessedNs: atimeNs,
    changedNs: ctimeNs,
    id: ino,
    links: node.kind === "directory" ? 1 : nlink,
  };
}

function attributesOf({ mode, accessedNs, modifiedNs }: TreeChange): {
  mode?: number;
  atimeNs?: bigint;
  mtimeNs?: bigint;
} {
  return {
    ...(mode !== undefined && { mode }),
    ...(accessedNs !== undefined && { atimeNs: accessedNs }),
    ...(modifiedNs !== undefined && { mtimeNs: modifiedNs }),
  };
}
