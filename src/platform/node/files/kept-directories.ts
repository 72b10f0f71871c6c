// Directories in which the last steps of some long work were taken, still open: the next one is reached from there and not from the root.
// Two, since copying goes to and fro between two places. Other processes may have moved anything meanwhile, so what this gives is only
// what once had these names. Whoever asks has to see that it is exactly there before it counts; until then nothing may be done in it
// but to open places.
import { closeSync, openSync } from "node:fs";
import type { ByteString } from "../../../kernel/filesystem.ts";
import { directoryFlags, itself, openAt } from "./open-at.ts";

interface Kept {
  names: readonly ByteString[];
  fd: number | undefined;
  /** How many are busy in it, whatever else is asked for meanwhile. */
  users: number;
}

/** So many steps away is near: the folder above, one below, one beside. */
const nearSteps = 4;

export class KeptDirectories {
  readonly #root: number;
  /** The one that was used last is the last. */
  #kept: Kept[] = [];

  constructor(root: number) {
    this.#root = root;
  }

  /** A descriptor that stays this object's, until the next call. Undefined: nothing is there, or all are busy elsewhere. */
  reach(names: readonly ByteString[]): number | undefined {
    if (this.#kept.length === 0)
      this.#kept = Array.from({ length: 2 }, () => ({ names: [], fd: undefined, users: 0 }));
    const kept =
      this.#kept.find((each) => stepsTo(each, names) === 0) ??
      this.#kept.find((each) => each.users === 0 && stepsTo(each, names) <= nearSteps) ??
      this.#kept.find((each) => each.users === 0);
    if (kept === undefined || !this.#move(kept, names)) return undefined;
    this.#kept = [...this.#kept.filter((each) => each !== kept), kept];
    return kept.fd;
  }

  /** The directory that was reached last stays open during the work. */
  during<T>(work: () => T): T {
    const kept = this.#kept.at(-1);
    if (kept !== undefined) kept.users += 1;
    try {
      return work();
    } finally {
      if (kept !== undefined) kept.users -= 1;
    }
  }

  close(): void {
    for (const { fd } of this.#kept) if (fd !== undefined) closeSync(fd);
    this.#kept = [];
  }

  /** Returns whether it came to something. If not, it stays where it was. */
  #move(kept: Kept, names: readonly ByteString[]): boolean {
    const steps = stepsTo(kept, names);
    if (steps === 0) return true;
    const isNear = kept.fd !== undefined && steps < names.length;
    const start = isNear && kept.fd !== undefined ? kept.fd : this.#root;
    const shared = isNear ? sharedNames(kept.names, names) : 0;
    let at = start;
    const goOn = (next: number): void => {
      if (at !== start) closeSync(at);
      at = next;
    };
    try {
      if (isNear)
        for (let up = kept.names.length; up > shared; up--)
          goOn(openSync(`${itself(at)}/..`, directoryFlags));
      for (const name of names.slice(shared)) goOn(openAt(at, name, directoryFlags));
    } catch {
      if (at !== start) closeSync(at);
      return false;
    }
    if (kept.fd !== undefined) closeSync(kept.fd);
    kept.fd = at;
    kept.names = names;
    return true;
  }
}

function sharedNames(some: readonly ByteString[], others: readonly ByteString[]): number {
  let shared = 0;
  while (shared < some.length && shared < others.length && some[shared] === others[shared]) shared += 1;
  return shared;
}

/** How many directories have to be opened on the way. */
function stepsTo({ fd, names: from }: Kept, to: readonly ByteString[]): number {
  return fd === undefined ? Number.POSITIVE_INFINITY : from.length + to.length - 2 * sharedNames(from, to);
}
