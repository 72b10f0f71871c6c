// A granted tree as the inside of a wall sees it: each call is one question.
import type { FirstLook } from "../../filesystems/first-look.ts";
import type { SyncTree, SyncTreeFile } from "../../filesystems/sync-tree.ts";
import type { NamedTreeEntry, TreeAccess, TreeChange, TreePath } from "../../filesystems/tree.ts";
import type { AskedLocks } from "./asked-locks.ts";
import { inPieces } from "./in-pieces.ts";
import type { AskedChange, AskTree } from "./tree-questions.ts";

export interface Asking {
  readonly ask: AskTree;
  readonly locks: AskedLocks;
  /** The most that one question may read or write. */
  readonly pieceBytes: number;
  /** Whether the guest has a signal: a transfer ends early then, as on Linux. */
  readonly isInterrupted: () => boolean;
  /** Where questions are waited for. */
  readonly look?: FirstLook | undefined;
}

export function askedTree(place: number, asking: Asking): SyncTree {
  const { ask, look } = asking;
  const open = (path: TreePath, access: TreeAccess): SyncTreeFile => {
    const reads = access.read && !access.write;
    const tells = look !== undefined && reads;
    const { file } = ask({ operation: "open", place, path, access, tells });
    return askedFile(file, !reads, asking);
  };
  return {
    open,
    stat: (path) => ask({ operation: "stat", place, path }),
    trail: (path, count) => ask({ operation: "trail", place, path, count }),
    list: (path) => {
      const entries: NamedTreeEntry[] = [];
      for (let from = 0; ; ) {
        const part = ask({ operation: "list", place, path, from });
        for (const entry of part.entries) entries.push(entry);
        if (part.next === 0) return entries;
        from = part.next;
      }
    },
    readLink: (path) => ask({ operation: "readLink", place, path }),
    makeDirectory: (path, mode) => ask({ operation: "makeDirectory", place, path, mode }),
    makeLink: (path, target) => ask({ operation: "makeLink", place, path, target }),
    remove: (path) => ask({ operation: "remove", place, path }),
    removeDirectory: (path) => ask({ operation: "removeDirectory", place, path }),
    rename: (path, to) => ask({ operation: "rename", place, path, to }),
    change: (path, change) => ask({ operation: "change", place, path, change: asked(change) }),
    room: () => ask({ operation: "room", place, path: "" }),
  };
}

function askedFile(file: number, writes: boolean, asking: Asking): SyncTreeFile {
  const { ask, locks, pieceBytes, isInterrupted, look } = asking;
  return {
    stat: () => look?.entry(file) ?? ask({ operation: "statFile", file }),
    read: (target, position) => {
      const seen = look?.read(file, target, position);
      if (seen !== undefined) return seen;
      const read = (piece: Uint8Array, done: number): number =>
        ask({ operation: "read", file, position: position + done, length: piece.length }, piece);
      return inPieces(target, pieceBytes, read, isInterrupted);
    },
    write: (source, position) => {
      const write = (piece: Uint8Array, done: number): number =>
        ask({ operation: "write", file, position: position + done }, piece);
      return inPieces(source, pieceBytes, write, isInterrupted);
    },
    truncate: (size) => ask({ operation: "truncate", file, size }),
    sync: () => ask({ operation: "sync", file }),
    change: (change) => ask({ operation: "changeFile", file, change: asked(change) }),
    lock: (request) => locks.lock({ file }, request),
    unlock: () => locks.unlock({ file }),
    close: () => ask({ operation: "close", file, isAwaited: writes }),
  };
}

function asked({ mode, accessedNs, modifiedNs }: TreeChange): AskedChange {
  return {
    ...(mode !== undefined && { mode }),
    ...(accessedNs !== undefined && { accessedNs: String(accessedNs) }),
    ...(modifiedNs !== undefined && { modifiedNs: String(modifiedNs) }),
  };
}
