// Record locks as the inside of a wall sees them: whoever could be in the way is known to the host alone, so each is one question. A guest
// that holds nothing closes its files without one.
import type { HeldLock, LockRequest } from "../../kernel/filesystem.ts";
import { fail } from "../../kernel/kernel-error.ts";
import type { AskTree, LockSubject } from "./tree-questions.ts";

export class AskedLocks {
  readonly #ask: AskTree;
  /** Whether anybody else can go on while the guest waits. */
  readonly #othersGoOn: boolean;
  #held = 0;

  constructor(ask: AskTree, othersGoOn: boolean) {
    this.#ask = ask;
    this.#othersGoOn = othersGoOn;
  }

  /** A lifetime is over: the host lets go of what it held. */
  forget(): void {
    this.#held = 0;
  }

  lock(of: LockSubject, { act, kind, first, last, waits }: LockRequest): HeldLock | undefined {
    const lock = { act, kind, first: String(first), last: String(last) };
    const { held, conflict } = this.#ask({ operation: "lock", of, lock });
    this.#held = held;
    if (conflict === undefined) return undefined;
    if (waits && !this.#othersGoOn) fail("EDEADLK");
    return { kind: conflict.kind, first: BigInt(conflict.first), last: BigInt(conflict.last) };
  }

  unlock(of: LockSubject): void {
    if (this.#held === 0) return;
    const lock = { act: "unlock", kind: "none", first: "0", last: "0" } as const;
    this.#held = this.#ask({ operation: "lock", of, lock }).held;
  }
}
