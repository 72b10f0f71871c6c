// What the tests of this room share: a clock that ticks once per look, the errno of a refusal, and whole-file reads.
import type { DirectoryNode, FileAccess, FileHandle, FileNode, Node } from "../kernel/filesystem.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import { MemoryFileSystem, type MemoryFileSystemOptions } from "./memory-filesystem.ts";

export const owner = { uid: 1000, gid: 1000 };
export const readWrite: FileAccess = { read: true, write: true, append: false, truncate: false };
export const readOnly: FileAccess = { ...readWrite, write: false };

/** The errno name that `action` is refused with; "ok" when it is not. Other errors pass through. */
export function refusal(action: () => unknown): string {
  try {
    action();
    return "ok";
  } catch (error) {
    if (error instanceof KernelError) return error.name;
    throw error;
  }
}

/** A clock whose every look is one nanosecond later. */
export function tickingClock(): () => bigint {
  let ns = 1_000n;
  return () => {
    ns += 1n;
    return ns;
  };
}

export function scratch(options: Partial<MemoryFileSystemOptions> = {}): MemoryFileSystem {
  return new MemoryFileSystem({
    quotaBytes: 16 * 1024 * 1024,
    maxInodes: 1000,
    now: tickingClock(),
    owner,
    rootMode: 0o755,
    ...options,
  });
}

/** A new file's handle, for reading and writing. */
export function newFile(directory: DirectoryNode, name: string): FileHandle {
  return directory.createFile(name, 0o644, owner).open(readWrite);
}

export function contentOf(handle: FileHandle): Uint8Array {
  const content = new Uint8Array(handle.size());
  if (handle.read(content, 0) !== content.length) throw new Error("short read");
  return content;
}

export function readFile(node: FileNode): Uint8Array {
  return contentOf(node.open(readOnly));
}

export function fileAt(root: DirectoryNode, path: string): FileNode {
  const node = nodeAt(root, path);
  if (node?.kind !== "file") throw new Error(`no file at ${path}`);
  return node;
}

export function nodeAt(root: DirectoryNode, path: string): Node | undefined {
  let node: Node | undefined = root;
  for (const name of path.split("/")) node = node?.kind === "directory" ? node.lookup(name) : undefined;
  return node;
}

export function names(directory: DirectoryNode): string[] {
  return directory.list().map((entry) => entry.name);
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
