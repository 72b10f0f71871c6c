// The root of a sandbox's world: directories that belong to nobody, holding exactly what the host placed before the guest
// started. The guest can change none of them; the one exception is a file that was granted for creation under its own name.
import { displayString } from "../abi/guest-memory.ts";
import { maxNameBytes, maxPathBytes } from "../abi/limits.ts";
import type { ByteString, DeviceNode, FileNode, FileSystem, FileSystemUsage } from "../kernel/filesystem.ts";
import type { NodeIdentity } from "./fixed-file.ts";
import { type AskedFile, type CreatableFile, SkeletonDirectory } from "./skeleton-directory.ts";

/** The host asked for an impossible tree. The message names the path and says what is wrong with it. */
export class PlacementError extends Error {
  override readonly name = "PlacementError";
  readonly path: ByteString;
  constructor(path: ByteString, reason: string) {
    super(`${displayString(path)}: ${reason}`);
    this.path = path;
  }
}

interface SkeletonOptions {
  /** atime, mtime and ctime of every directory, and of the nodes made with `identity()`. */
  readonly timeNs: bigint;
}

export class SkeletonFileSystem implements FileSystem {
  readonly root: SkeletonDirectory;
  readonly #timeNs: bigint;
  #lastIno = 0;

  constructor(options: SkeletonOptions) {
    this.#timeNs = options.timeNs;
    this.root = new SkeletonDirectory(this.identity(), undefined);
  }

  /** For a node that is to be placed here: this file system, the next inode number and the fixed time. */
  identity(): NodeIdentity {
    this.#lastIno += 1;
    return { fileSystem: this, ino: this.#lastIno, timeNs: this.#timeNs };
  }

  /** Puts a node at an absolute path. Throws PlacementError. */
  place(path: ByteString, node: FileNode | DeviceNode): void {
    const [directory, name] = this.#seat(path);
    directory.put(name, node);
  }

  /**
   * Grants one file for creation. The name does not exist until the guest creates it, which calls `create` with the
   * permission bits after umask; what it throws is the guest's error. `existing`, asked on each lookup until it answers,
   * gives the file when the host has it already. Throws PlacementError.
   */
  placeCreatable(
    path: ByteString,
    create: CreatableFile["create"],
    existing?: () => FileNode | undefined,
  ): void {
    const [directory, name] = this.#seat(path);
    directory.putCreatable(name, { create, existing: existing ?? (() => undefined) });
  }

  /** A file that is asked for at each lookup. Throws PlacementError. */
  placeAsked(path: ByteString, file: AskedFile): void {
    const [directory, name] = this.#seat(path);
    directory.putAsked(name, file);
  }

  /** The directory at an absolute path, made with its parents where missing: also the place to mount on. Throws PlacementError. */
  directory(path: ByteString): SkeletonDirectory {
    return this.#descend(components(path), path);
  }

  usage(): FileSystemUsage {
    return {
      blockBytes: 4096,
      blocks: 0,
      freeBlocks: 0,
      files: this.#lastIno,
      freeFiles: 0,
      readOnly: false,
    };
  }

  #seat(path: ByteString): [SkeletonDirectory, ByteString] {
    const names = components(path);
    const name = names.pop();
    if (name === undefined)
      throw new PlacementError(path, "the root is a directory, no file can be placed there");
    const directory = this.#descend(names, path);
    if (directory.holds(name)) {
      const taken =
        directory.lookupDirectory(name) !== undefined ? "there is a directory already" : "granted twice";
      throw new PlacementError(path, taken);
    }
    return [directory, name];
  }

  #descend(names: readonly ByteString[], path: ByteString): SkeletonDirectory {
    let at = this.root;
    let depth = 0;
    for (const name of names) {
      depth += 1;
      const found = at.lookupDirectory(name);
      if (found !== undefined) at = found;
      else if (!at.holds(name)) at = at.putDirectory(name, this.identity());
      else {
        const file = displayString(`/${names.slice(0, depth).join("/")}`);
        throw new PlacementError(path, `${file} is a file, and a directory is needed there`);
      }
    }
    return at;
  }
}

/** The names of an absolute path; none for the root. */
function components(path: ByteString): ByteString[] {
  if (path === "/") return [];
  if (!path.startsWith("/"))
    throw new PlacementError(path, "a guest path must be absolute, with a leading /");
  if (path.length > maxPathBytes) throw new PlacementError(path, `longer than ${maxPathBytes} bytes`);
  const names = path.slice(1).split("/");
  for (const name of names) {
    if (name === "") throw new PlacementError(path, "an empty component: // or a trailing /");
    if (name === "." || name === "..") throw new PlacementError(path, `the component ${name} is not allowed`);
    if (name.includes("\0")) throw new PlacementError(path, "a NUL character in the path");
    if (name.length > maxNameBytes)
      throw new PlacementError(path, `a name longer than ${maxNameBytes} bytes`);
  }
  return names;
}
