// A tree in memory as an embedder would write one, with everything that the interface has: content in arrays, nodes by path. Answers now,
// or later, and counts what is opened and closed.
import {
  FileError,
  type Later,
  Sandbox,
  type Tree,
  type TreeAccess,
  type TreeEntry,
  type TreeFile,
  virtualDirectory,
} from "sandboa";

/** The tree under /d. */
export const openTree = (tree: Tree, more: Parameters<typeof Sandbox.create>[0] = {}): Promise<Sandbox> =>
  Sandbox.create({ files: { "/d": virtualDirectory(tree) }, ...more });

/** Python: what an operation gives, or the name of its errno. */
export const attempt = `
import errno, os
def attempt(operation):
    try: return operation()
    except OSError as error: return errno.errorcode[error.errno]
`;

export const walls = ["inline", "worker", "process"] as const;

interface Node {
  kind: TreeEntry["kind"];
  bytes: Uint8Array;
  mode: number;
  modifiedNs: bigint;
  id: number;
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

export class MapTree implements Tree {
  readonly nodes = new Map<string, Node>();
  readonly asked: string[] = [];
  opened = 0;
  closed = 0;
  treesClosed = 0;
  /** Milliseconds until an answer; 0: at once. */
  delayMs: number;
  #lastId = 0;

  constructor(files: Readonly<Record<string, string>> = {}, delayMs = 0) {
    this.delayMs = delayMs;
    this.#put("", "directory", 0o755);
    for (const [path, text] of Object.entries(files)) {
      for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1))
        if (!this.nodes.has(path.slice(0, at))) this.#put(path.slice(0, at), "directory", 0o755);
      this.#put(path, "file", 0o644, new TextEncoder().encode(text));
    }
  }

  text(path: string): string {
    return new TextDecoder().decode(this.nodes.get(path)?.bytes);
  }

  stat(path: string): Later<TreeEntry | undefined> {
    return this.#later(`stat ${path}`, () => {
      const node = this.nodes.get(path);
      return node && entryOf(node);
    });
  }

  list(path: string): Later<(TreeEntry & { name: string })[]> {
    return this.#later(`list ${path}`, () =>
      [...this.nodes]
        .filter(([at]) => at !== "" && parentOf(at) === path)
        .map(([at, node]) => ({ name: nameOf(at), ...entryOf(node) })),
    );
  }

  open(path: string, access: TreeAccess): Later<TreeFile> {
    return this.#later(`open ${path}`, () => {
      let node = this.nodes.get(path);
      if (node !== undefined && access.create === "always") throw new FileError("EEXIST");
      if (node === undefined && access.create === "never") throw new FileError("ENOENT");
      node ??= this.#put(path, "file", access.mode);
      if (access.truncate) node.bytes = new Uint8Array(0);
      this.opened += 1;
      return this.#file(node, access);
    });
  }

  readLink(path: string): Later<string> {
    return this.#later(`readLink ${path}`, () => this.text(path));
  }

  makeDirectory(path: string, mode: number): Later<void> {
    return this.#later(`makeDirectory ${path}`, () => void this.#put(path, "directory", mode));
  }

  makeLink(path: string, target: string): Later<void> {
    return this.#later(
      `makeLink ${path}`,
      () => void this.#put(path, "link", 0o777, new TextEncoder().encode(target)),
    );
  }

  remove(path: string): Later<void> {
    return this.#later(`remove ${path}`, () => void this.nodes.delete(path));
  }

  removeDirectory(path: string): Later<void> {
    return this.#later(`removeDirectory ${path}`, () => {
      if ([...this.nodes.keys()].some((at) => at.startsWith(`${path}/`))) throw new FileError("ENOTEMPTY");
      this.nodes.delete(path);
    });
  }

  rename(from: string, to: string): Later<void> {
    return this.#later(`rename ${from} ${to}`, () => {
      for (const [at, node] of [...this.nodes]) {
        if (at !== from && !at.startsWith(`${from}/`)) continue;
        this.nodes.delete(at);
        this.nodes.set(`${to}${at.slice(from.length)}`, node);
      }
    });
  }

  change(path: string, change: { mode?: number; modifiedNs?: bigint }): Later<void> {
    return this.#later(`change ${path}`, () => void Object.assign(this.nodes.get(path) ?? {}, change));
  }

  room(): Later<{ bytes: number; freeBytes: number; files: number; freeFiles: number }> {
    return this.#later("room", () => ({ bytes: 8192_000, freeBytes: 4096_000, files: 1000, freeFiles: 990 }));
  }

  close(): void {
    this.treesClosed += 1;
  }

  #file(node: Node, { append }: TreeAccess): TreeFile {
    return {
      stat: () => this.#later("file.stat", () => entryOf(node)),
      read: (position, length) =>
        this.#later(`file.read ${position}`, () => node.bytes.subarray(position, position + length)),
      write: (position, bytes) =>
        this.#later(`file.write ${position}`, () => {
          const at = append ? node.bytes.length : position;
          const next = new Uint8Array(Math.max(node.bytes.length, at + bytes.length));
          next.set(node.bytes);
          next.set(bytes, at);
          node.bytes = next;
          return bytes.length;
        }),
      truncate: (size) =>
        this.#later("file.truncate", () => {
          const next = new Uint8Array(size);
          next.set(node.bytes.subarray(0, size));
          node.bytes = next;
        }),
      sync: () => this.#later("file.sync", () => {}),
      change: (change) => this.#later("file.change", () => void Object.assign(node, change)),
      close: () =>
        this.#later("file.close", () => {
          this.closed += 1;
        }),
    };
  }

  #put(path: string, kind: Node["kind"], mode: number, bytes = new Uint8Array(0)): Node {
    this.#lastId += 1;
    const node = { kind, bytes, mode, modifiedNs: 1_700_000_000_000_000_000n, id: this.#lastId };
    this.nodes.set(path, node);
    return node;
  }

  #later<T>(asked: string, answer: () => T): Later<T> {
    this.asked.push(asked);
    if (this.delayMs === 0) return answer();
    return new Promise((resolve) => setTimeout(resolve, this.delayMs)).then(answer);
  }
}

function entryOf({ kind, bytes, mode, modifiedNs, id }: Node): TreeEntry {
  return { kind, size: bytes.length, mode, modifiedNs, id };
}
