// Which file system covers which directory. Directories are compared by identity, so a mount cannot be dodged by another
// spelling of its name.
import { fromLatin1, latin1 } from "../abi/guest-memory.ts";
import type { ByteString, DirectoryNode, FileSystem, Node } from "./filesystem.ts";

export class Mounts {
  readonly root: DirectoryNode;
  readonly #coveredBy = new Map<DirectoryNode, DirectoryNode>();
  readonly #covers = new Map<DirectoryNode, DirectoryNode>();
  /** The name under which a directory was last found: a hint that saves a search, never believed unchecked. */
  readonly #lastNames = new WeakMap<DirectoryNode, ByteString>();
  readonly #deviceNumbers = new Map<FileSystem, number>();

  constructor(rootFileSystem: FileSystem) {
    this.root = rootFileSystem.root;
  }

  mount(mountPoint: DirectoryNode, fileSystem: FileSystem): void {
    this.#coveredBy.set(mountPoint, fileSystem.root);
    this.#covers.set(fileSystem.root, mountPoint);
  }

  /** What a lookup that found `node` really arrives at. */
  enter(node: Node): Node {
    if (node.kind !== "directory") return node;
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

  /** A lookup found `directory` under this name. */
  noteName(directory: DirectoryNode, name: ByteString): void {
    if (this.#lastNames.get(directory) === name) return;
    // A copy: a name cut out of a path keeps the whole path in the host's memory.
    this.#lastNames.set(directory, latin1(fromLatin1(name)));
  }

  /** The name of `directory` in `parent`, which holds it; undefined when it does not. */
  nameIn(parent: DirectoryNode, directory: DirectoryNode): ByteString | undefined {
    const hint = this.#lastNames.get(directory);
    if (hint !== undefined && parent.lookup(hint) === directory) return hint;
    const name = parent.list().find(({ node }) => node === directory)?.name;
    if (name !== undefined) this.noteName(directory, name);
    return name;
  }

  isMountPoint(node: Node): boolean {
    return (
      node.kind === "directory" && (this.#covers.has(node) || this.#coveredBy.has(node) || node === this.root)
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
