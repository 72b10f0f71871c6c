// What the inside of a wall asks of granted trees, and what it is answered: plain values that cross every wall. Places are numbers of
// the plan, open files are numbers of the server. Times travel as text, because a frame of the process wall has no bigint.

import type { NamedTreeEntry, TreeAccess, TreeEntry, TreePath, TreeRoom } from "../../filesystems/tree.ts";
import type { TreeTrail } from "../../filesystems/tree-trail.ts";
import type { HeldLock, LockRequest } from "../../kernel/filesystem.ts";
import type { Spent } from "../../kernel/kernel-error.ts";

export interface AskedChange {
  readonly mode?: number;
  /** Nanoseconds in decimal. */
  readonly accessedNs?: string;
  readonly modifiedNs?: string;
}

/** Offsets in decimal, at most 2^63 - 1. "unlock" ends all that the lifetime holds of the file. */
export interface AskedLock {
  readonly act: LockRequest["act"] | "unlock";
  readonly kind: LockRequest["kind"];
  readonly first: string;
  readonly last: string;
}

/**
 * What is locked: an open file of a tree; the granted file of the host at that place of the plan; or, from a thread that has opened it
 * itself, which file of the host it is (platform/node/files/file-identity.ts).
 */
export type LockSubject =
  | { readonly file: number }
  | { readonly granted: number }
  | { readonly hostFile: string };

export interface LockAnswer {
  /** How many locks the lifetime holds, of all files. */
  readonly held: number;
  /** Somebody else's that is in the way. */
  readonly conflict?: { readonly kind: HeldLock["kind"]; readonly first: string; readonly last: string };
}

interface OfPath {
  readonly place: number;
  readonly path: TreePath;
}
interface OfFile {
  readonly file: number;
}

/** Without the answers, which are below. */
export type TreeQuestion =
  | ({
      readonly operation: "stat" | "readLink" | "remove" | "removeDirectory" | "room";
    } & OfPath)
  /** A part of a listing: the first for 0, and then what the last part gave as `next`. */
  | ({ readonly operation: "list"; readonly from: number } & OfPath)
  /** Of the path's last `count` prefixes. */
  | ({ readonly operation: "trail"; readonly count: number } & OfPath)
  /** `tells`: of a file that is small enough the content travels beside the answer, see filesystems/first-look.ts. */
  | ({ readonly operation: "open"; readonly access: TreeAccess; readonly tells?: boolean } & OfPath)
  | ({ readonly operation: "makeDirectory"; readonly mode: number } & OfPath)
  | ({ readonly operation: "makeLink"; readonly target: string } & OfPath)
  | ({ readonly operation: "rename"; readonly to: TreePath } & OfPath)
  | ({ readonly operation: "change"; readonly change: AskedChange } & OfPath)
  | ({ readonly operation: "statFile" | "sync" } & OfFile)
  /** What was only read may be closed later, and nobody is told how that went. */
  | ({ readonly operation: "close"; readonly isAwaited: boolean } & OfFile)
  | ({ readonly operation: "read"; readonly position: number; readonly length: number } & OfFile)
  /** The bytes travel beside the question. */
  | ({ readonly operation: "write"; readonly position: number } & OfFile)
  | ({ readonly operation: "truncate"; readonly size: number } & OfFile)
  | ({ readonly operation: "changeFile"; readonly change: AskedChange } & OfFile)
  | { readonly operation: "lock"; readonly of: LockSubject; readonly lock: AskedLock };

export type TreeOperation = TreeQuestion["operation"];

export interface OpenedTreeFile {
  readonly file: number;
  /** Of one whose content travels beside. */
  readonly entry?: TreeEntry | undefined;
}

export interface ListedPart {
  readonly entries: readonly NamedTreeEntry[];
  /** Where the next part begins; 0 after the last one. */
  readonly next: number;
}

/** What is answered where there is more to say than "done". */
interface TreeAnswers {
  readonly stat: TreeEntry | undefined;
  readonly trail: TreeTrail;
  readonly statFile: TreeEntry;
  readonly list: ListedPart;
  readonly open: OpenedTreeFile;
  readonly readLink: string;
  readonly room: TreeRoom | undefined;
  /** How many bytes travel beside the answer. */
  readonly read: number;
  readonly write: number;
  readonly lock: LockAnswer;
}

type TreeAnswer<O extends TreeOperation> = O extends keyof TreeAnswers ? TreeAnswers[O] : undefined;

export interface TreeReply {
  /** Of a refusal; 0 for an answer. */
  readonly errno: number;
  readonly spent?: Spent | undefined;
  readonly answer?: unknown;
  readonly bytes?: Uint8Array;
}

/** The largest piece of a file that one question reads or writes, where nothing smaller is set by the wall. */
export const maxPieceBytes = 1 << 20;

/** Asks and waits for the answer. `bytes` is what is written, or where to read to. Throws KernelError, and what ends the guest. */
export type AskTree = <O extends TreeOperation>(
  question: TreeQuestion & { readonly operation: O },
  bytes?: Uint8Array,
) => TreeAnswer<O>;

/** How many bytes travel beside an answer. */
export function bytesBeside({ operation }: TreeQuestion, { errno, answer }: TreeReply): number {
  if (errno !== 0) return 0;
  if (operation === "read") return answer as TreeAnswer<"read">;
  return operation === "open" ? ((answer as TreeAnswer<"open">).entry?.size ?? 0) : 0;
}
