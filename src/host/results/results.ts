// Answers the host's questions about the guest's files, inside of every wall and while no run goes on. It looks at the kernel's tree
// as the kernel does, with the guest's links and never beyond the guest's world; permission bits, which are the guest's own, hide
// nothing, and what a grant does not let the guest read is not read here either. No code of the guest runs.
import { mode as modeBits } from "../../abi/flags.ts";
import type {
  ByteString,
  DirectoryNode,
  DirectoryReader,
  FileHandle,
  Node,
} from "../../kernel/filesystem.ts";
import { GuestStop } from "../../kernel/guest-stop.ts";
import { fail, KernelError } from "../../kernel/kernel-error.ts";
import type { Mounts } from "../../kernel/mounts.ts";
import { existing, walk, whileOvertaken } from "../../kernel/path-walk.ts";
import { maxTransferBytes } from "../walls/transfer-bytes.ts";
import { encodeEntries, maxPageEntries, type PagedEntry } from "./entry-page.ts";

/**
 * Paths are absolute. `reader` is the asker's number for one reading of one thing: that is open from the first question with this number to
 * its end, a refusal or "close", so that what is read is one content, whatever else is asked or changes meanwhile.
 */
export type FilesQuestion =
  | { readonly operation: "stat"; readonly path: ByteString; readonly follow: boolean }
  /** A page of the directory, from position `after` on; 0 is its beginning. */
  | {
      readonly operation: "list";
      readonly path: ByteString;
      readonly after: number;
      readonly reader: number;
    }
  | {
      readonly operation: "read";
      readonly path: ByteString;
      readonly position: number;
      readonly length: number;
      readonly reader: number;
    }
  | { readonly operation: "close"; readonly reader: number };

export interface FilesReply {
  /** Why not, or 0. */
  readonly errno: number;
  /** Where a listing goes on; 0 at its end. */
  readonly next: number;
  /** Entries (entry-page.ts) or content; no more than maxTransferBytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const nothing = new Uint8Array(0);

interface Listing {
  readonly directory: DirectoryNode;
  readonly reader: DirectoryReader;
}

export class Results {
  readonly #mounts: Mounts;
  /** By the asker's numbers. */
  readonly #files = new Map<number, FileHandle>();
  readonly #listings = new Map<number, Listing>();

  constructor(mounts: Mounts) {
    this.#mounts = mounts;
  }

  answer(question: FilesQuestion): FilesReply {
    try {
      switch (question.operation) {
        case "stat": {
          const node = this.#node(question.path, question.follow);
          return { errno: 0, next: 0, bytes: encodeEntries([entryOf("", node)]) };
        }
        case "list":
          return this.#list(question);
        case "read": {
          const target = new Uint8Array(Math.min(question.length, maxTransferBytes));
          const count = this.#file(question).read(target, question.position);
          if (count === 0) this.#close(question.reader);
          return { errno: 0, next: 0, bytes: target.subarray(0, count) };
        }
        case "close":
          this.#close(question.reader);
          return { errno: 0, next: 0, bytes: nothing };
      }
    } catch (error) {
      if ("reader" in question) this.#close(question.reader);
      if (error instanceof KernelError) return { errno: error.errno, next: 0, bytes: nothing };
      // A place that the host serves was waited for, and the guest's own end came up instead.
      if (error instanceof GuestStop)
        return { errno: new KernelError("EINTR").errno, next: 0, bytes: nothing };
      throw error;
    }
  }

  /** Before anything else happens to the files. */
  letGo(): void {
    this.#listings.clear();
    for (const number of [...this.#files.keys()]) this.#close(number);
  }

  #close(number: number): void {
    this.#listings.delete(number);
    const file = this.#files.get(number);
    this.#files.delete(number);
    try {
      file?.close();
    } catch (error) {
      // A place that cannot even close was told so where it is served; nobody waits for this.
      if (!(error instanceof KernelError || error instanceof GuestStop)) throw error;
    }
  }

  #list(question: Extract<FilesQuestion, { operation: "list" }>): FilesReply {
    const { directory, reader } = this.#listing(question);
    const entries: PagedEntry[] = [];
    let next = question.after;
    while (entries.length < maxPageEntries) {
      const placed = reader.after(next);
      if (placed === undefined) {
        this.#close(question.reader);
        return { errno: 0, next: 0, bytes: encodeEntries(entries) };
      }
      next = placed.position;
      const found = directory.lookup(placed.name);
      if (found !== undefined) entries.push(entryOf(placed.name, this.#mounts.enter(found)));
    }
    return { errno: 0, next, bytes: encodeEntries(entries) };
  }

  #node(path: ByteString, follow: boolean): Node {
    return existing(walk(this.#mounts, this.#mounts.root, path, { followLast: follow, asHost: true }));
  }

  #file({ path, reader }: Extract<FilesQuestion, { operation: "read" }>): FileHandle {
    const known = this.#files.get(reader);
    if (known !== undefined) return known;
    const file = whileOvertaken(() => {
      const node = this.#node(path, true);
      if (node.kind === "directory") fail("EISDIR");
      // A named pipe or a device would wait, or answer without end.
      if (node.kind !== "file") fail("EINVAL");
      return node.open({ read: true, write: false, append: false, truncate: false });
    });
    this.#files.set(reader, file);
    return file;
  }

  #listing({ path, reader }: Extract<FilesQuestion, { operation: "list" }>): Listing {
    const known = this.#listings.get(reader);
    if (known !== undefined) return known;
    const directory = this.#node(path, true);
    if (directory.kind !== "directory") fail("ENOTDIR");
    const fresh = { directory, reader: readerOf(directory) };
    this.#listings.set(reader, fresh);
    return fresh;
  }
}

function readerOf(directory: DirectoryNode): DirectoryReader {
  const own = directory.reader?.();
  if (own) return own;
  const names = directory.list().map(({ name, node }) => ({ name, kind: node.kind }));
  return {
    after: (position) => {
      const entry = names[position];
      return entry && { ...entry, ino: 0, position: position + 1 };
    },
  };
}

function entryOf(name: ByteString, node: Node): PagedEntry {
  const { mode, size, mtimeNs, ino, nlink } = node.attributes();
  return {
    kind: node.kind,
    name,
    size,
    mode: mode & modeBits.PERMISSIONS,
    modifiedNs: mtimeNs,
    ino,
    links: nlink,
  };
}
