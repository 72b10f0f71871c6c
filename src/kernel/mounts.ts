// Which file system covers which directory. Directories are compared by identity, so a mount cannot be dodged by another
// spelling of its name.
import type { DirectoryNode, FileSystem, Node } from "./filesystem.ts";

export class Mounts {
  readonly root: DirectoryNode;
  readonly #coveredBy = new Map<DirectoryNode, DirectoryNode>();
  readonly #unread = new Map<DirectoryNode, FileSystem>();
  readonly #covers = new Map<DirectoryNode, DirectoryNode>();
  readonly #deviceNumbers = new Map<FileSystem, number>();

  constructor(rootFileSystem: FileSystem) {
    this.root = rootFileSystem.root;
  }

  mount(mountPoint: DirectoryNode, fileSystem: FileSystem): void {
    this.#coveredBy.set(mountPoint, fileSystem.root);
    this.#covers.set(fileSystem.root, mountPoint);
  }

  /** The file system is not asked for its root before a lookup arrives there: one that is never used need not be read. */
  mountUnread(mountPoint: DirectoryNode, fileSystem: FileSystem): void {
    this.#unread.set(mountPoint, fileSystem);
  }

  /** What a lookup that found `node` really arrives at. */
  enter(node: Node): Node {
    if (node.kind !== "directory") return node;
    const unread = this.#unread.get(node);
    if (unread !== undefined) {
      this.mount(node, unread);
      this.#unread.delete(node);
    }
    return this.#coveredBy.get(node) ?? node;
  }

  /** The directory above, crossing mounts; "/" is its own parent. Undefined when the directory was removed. */
  parent(directory: DirectoryNode): DirectoryNode | undefined {
    if (directory === this.root) return directory;
    return (this.#covers.get(directory) ?? directory).parent();
  }

  /** The directory in which this one has its name: differs from `directory` at the root of a mount. */
  nameplate(directory: DirectoryNode): DirectoryNode {
    return this.#covers.get(directory) ?? directory;
  }

  isMountPoint(node: Node): boolean {
    return (
      node.kind === "directory" &&
      (node === this.root || this.#covers.has(node) || this.#coveredBy.has(node) || this.#unread.has(node))
    );
  }

  /** st_dev: small constants in order of first use, nothing of the host's. */
  deviceNumber(fileSystem: FileSystem): number {
    let number = this.#deviceNumbers.get(fileSystem);
    if (number === undefined) {
      number = this.#deviceNumbers.size + 1;
      this.#deviceNumbers.set(fileSystem, number);
    }
    return number;
  }
}
