// The host's side of record locks, for one lifetime: finds out which file it is that the guest locks, and asks the holder.

import { now, type Steps } from "../../filesystems/later.ts";
import { isLockable, type LockIdentity, lockIdentity } from "../../filesystems/lock-identity.ts";
import type { TreeFile } from "../../filesystems/tree.ts";
import { plainEntry } from "../../filesystems/tree-answers.ts";
import { hostFileIdentity } from "../../platform/node/files/file-identity.ts";
import type { LockHolder } from "../locks/lock-holder.ts";
import { hostFileAt, type SandboxPlan } from "../plan.ts";
import type { AskedLock, LockAnswer, LockSubject } from "./tree-questions.ts";

/** By what files are told apart that do not say it themselves. */
export interface LockedBy {
  /** The same object for all sandboxes that have the place. */
  readonly within: object;
  /** "id" where the tree tells one that is the same in every lifetime. */
  readonly word: "id" | "path";
}

/** An open file of a tree. */
export interface LockedFile {
  readonly path: string;
  readonly file: TreeFile;
  readonly place: { readonly lockedBy?: LockedBy | undefined; readonly tree: object };
  /** What was locked last: files of a place whose use has ended do not say it any more. */
  lockedAs?: LockIdentity | undefined;
}

export class LockServer {
  readonly #holder: LockHolder;
  readonly #plan: SandboxPlan;

  constructor(holder: LockHolder, plan: SandboxPlan) {
    this.#holder = holder;
    this.#plan = plan;
  }

  /** `open`: where the question is about an open file of a tree. Throws KernelError, and what the embedder's code throws. */
  *answer(of: LockSubject, lock: AskedLock, open: LockedFile | undefined): Steps<LockAnswer> {
    const { act, kind } = lock;
    // What holds nothing has nothing to end, and nobody's code is asked for it.
    if (act === "unlock" && this.#holder.held === 0) return { held: 0 };
    const identity = open ? yield* this.#ofTree(open, act) : this.#ofHost(of);
    if (identity === undefined) return { held: this.#holder.held };
    if (act === "unlock") {
      this.#holder.unlock(identity);
      return { held: this.#holder.held };
    }
    if (open) open.lockedAs = identity;
    const range = { act, kind, first: BigInt(lock.first), last: BigInt(lock.last) };
    const conflict = this.#holder.lock(identity, range);
    const { held } = this.#holder;
    if (conflict === undefined) return { held };
    const { first, last } = conflict;
    return { held, conflict: { kind: conflict.kind, first: String(first), last: String(last) } };
  }

  end(): void {
    this.#holder.end();
  }

  *#ofTree(open: LockedFile, act: AskedLock["act"]): Steps<LockIdentity | undefined> {
    if (act === "unlock" && open.lockedAs !== undefined) return open.lockedAs;
    return yield* identityOf(open);
  }

  #ofHost(of: LockSubject): LockIdentity | undefined {
    if ("hostFile" in of) return of.hostFile;
    if (!("granted" in of)) throw new RangeError("no such open file");
    const { fd } = hostFileAt(this.#plan, of.granted).ticket;
    if (fd === undefined) throw new RangeError("a lock of a file that was not made");
    return hostFileIdentity(fd);
  }
}

export function* identityOf({ path, file, place }: LockedFile): Steps<LockIdentity | undefined> {
  if (isLockable(file)) return file[lockIdentity]();
  const { within, word } = place.lockedBy ?? { within: place.tree, word: "path" };
  const id = word === "id" ? plainEntry(yield* now(file.stat())).id : undefined;
  return { within, word: id === undefined ? `path ${path}` : `id ${id}` };
}
