// A folder of the host, opened once. Every path below it is walked name by name from its descriptor, without links. What was arrived at
// counts only when the system says, after it was opened, that it is below the folder and on the folder's own mount: so it does not
// matter what other processes rename, link or mount meanwhile.

import { closeSync, constants, opendirSync, openSync, readFileSync } from "node:fs";
import { maxPathBytes } from "../../../abi/limits.ts";
import { HostFault } from "../../../filesystems/host-fault.ts";
import { maxListedEntries } from "../../../filesystems/plain-list.ts";
import type { ByteString } from "../../../kernel/filesystem.ts";
import { fail, KernelError } from "../../../kernel/kernel-error.ts";
import { attempt, attemptFound } from "./host-errors.ts";
import { KeptDirectories } from "./kept-directories.ts";
import {
  directoryFlags,
  itself,
  mountOf,
  nameIn,
  openAt,
  pathOf,
  placeFlags,
  statAt,
  statOf,
  withOpen,
} from "./open-at.ts";

/** What one listing may hold of the host's memory: more than a tree may answer with are more than can be shown. */
const maxListed = maxListedEntries;
/** How often a renaming of the folder itself may come in between. */
const patience = 16;

interface Trail<T> {
  readonly found: readonly T[];
  /** Nothing has the name behind those. */
  readonly isMissing: boolean;
}

export class OpenedFolder {
  readonly fd: number;
  readonly #mount: string;
  readonly #kept: KeptDirectories;
  #keepers = 0;

  constructor(fd: number) {
    this.fd = fd;
    this.#mount = mountOf(fd);
    this.#kept = new KeptDirectories(fd);
  }

  /** From now on the last directory stays open, and the next walk may begin there; until what is returned is called. */
  keep(): () => void {
    this.#keepers += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#keepers -= 1;
      if (this.#keepers === 0) this.#kept.close();
    };
  }

  /** The folder's path on the host as it is now; ENOENT when it was removed. */
  path(): ByteString {
    return pathOf(this.fd);
  }

  /** The work is given what stands at the path, whatever it is, as a descriptor that permits nothing. ENOENT, ENOTDIR, EACCES. */
  place<T>(names: readonly ByteString[], work: (fd: number) => T): T {
    return this.#walk(names, (fd, name) => openAt(fd, name, placeFlags), work);
  }

  /**
   * As `place` for each prefix with at least `from` names, in one walk, as far as it leads. What was arrived at counts when it is exactly
   * where its names say, and with it all that led there; else nothing is told, and `place` finds out why.
   */
  trail<T>(names: readonly ByteString[], from: number, look: (fd: number) => T): Trail<T> {
    const found: T[] = [];
    let at = this.fd;
    let depth = 0;
    let isMissing = false;
    try {
      if (from === 0) found.push(look(at));
      for (const name of names) {
        const next = openAt(at, name, depth === names.length - 1 ? placeFlags : directoryFlags);
        if (at !== this.fd) closeSync(at);
        at = next;
        depth += 1;
        if (depth >= from) found.push(look(at));
      }
    } catch (error) {
      isMissing = error instanceof KernelError && error.name === "ENOENT";
    }
    try {
      return this.#isAt(at, names.slice(0, depth)) ? { found, isMissing } : { found: [], isMissing: false };
    } finally {
      if (at !== this.fd) closeSync(at);
    }
  }

  directory<T>(names: readonly ByteString[], work: (fd: number) => T): T {
    return this.#walk(names, (fd, name) => openAt(fd, name, directoryFlags), work);
  }

  /** The directory that holds the last name, and that name. The root itself has none: EBUSY. */
  parent<T>(names: readonly ByteString[], work: (directoryFd: number, name: ByteString) => T): T {
    const name = names.at(-1);
    if (name === undefined) fail("EBUSY");
    const above = names.slice(0, -1);
    const kept = this.#reachKept(above);
    if (kept !== undefined && this.#isSurelyAt(kept, above) && statOf(kept).nlink !== 0n)
      return this.#kept.during(() => work(kept, name));
    return this.#walk(above, enter, (fd) => work(fd, name));
  }

  /** Throws ENAMETOOLONG where a new thing would have a path that the system does not take in one piece: no program could use it. */
  demandReach(names: readonly ByteString[]): void {
    if (lengthOf(names) + this.path().length > maxPathBytes) fail("ENAMETOOLONG");
  }

  /** Throws ENOENT for what is not in here, or lies behind a mount. */
  demandInside(fd: number): void {
    if (mountOf(fd) !== this.#mount) fail("ENOENT");
    for (let tries = 0; tries < patience; tries++) {
      const root = this.path();
      if (isWithin(pathOf(fd), root)) return;
      if (this.path() === root) break;
    }
    fail("ENOENT");
  }

  /** The names in a directory of this folder, without what is mounted there. ENOENT when it was removed: it would seem empty. */
  names(directoryFd: number): ByteString[] {
    if (statOf(directoryFd).nlink === 0n) fail("ENOENT");
    return this.#names(directoryFd);
  }

  /**
   * What has these names in a directory of this folder, each with a descriptor that permits nothing: as it was at a moment when it was in
   * here, and not while the directory was somewhere else. What is not there any more is left out.
   */
  entries<T>(
    directoryFd: number,
    names: readonly ByteString[],
    look: (fd: number, name: ByteString) => T,
  ): T[] {
    const root = this.path();
    const found: T[] = [];
    for (const name of names) {
      const place = attemptFound(() => openSync(nameIn(directoryFd, name), placeFlags));
      if (place === undefined) continue;
      withOpen(place, (fd) => {
        if (isWithin(pathOf(fd), root)) found.push(look(fd, name));
      });
    }
    if (this.path() !== root) fail("EBUSY");
    return found;
  }

  #isAt(fd: number, names: readonly ByteString[]): boolean {
    if (statOf(this.fd).nlink === 0n) return false;
    if (names.length === 0) return true;
    const root = this.path();
    return mountOf(fd) === this.#mount && pathOf(fd) === `${root === "/" ? "" : root}/${names.join("/")}`;
  }

  #names(directoryFd: number): ByteString[] {
    const names: ByteString[] = [];
    attempt(() => {
      const stream = opendirSync(itself(directoryFd), { encoding: "latin1" as BufferEncoding });
      try {
        for (let entry = stream.readSync(); entry !== null; entry = stream.readSync()) {
          if (names.length === maxListed) fail("ENOMEM");
          names.push(entry.name);
        }
      } finally {
        stream.closeSync();
      }
    });
    const covered = this.#mountedIn(directoryFd);
    return covered.size === 0 ? names : names.filter((name) => !covered.has(name));
  }

  #walk<T>(names: readonly ByteString[], openLast: typeof enter, work: (fd: number) => T): T {
    if (lengthOf(names) > maxPathBytes) fail("ENAMETOOLONG");
    let at = this.fd;
    try {
      const near = this.#fromKept(names, openLast);
      if (near !== undefined) at = near;
      else {
        names.forEach((name, i) => {
          const next = (i === names.length - 1 ? openLast : enter)(at, name);
          const before = at;
          at = next;
          if (before !== this.fd) closeSync(before);
        });
        if (at !== this.fd) this.demandInside(at);
      }
      return work(at);
    } catch (error) {
      if (error instanceof KernelError && error.name === "ENOENT" && statOf(this.fd).nlink === 0n)
        throw new HostFault("ENOENT", new Error("the granted folder was removed"));
      throw error;
    } finally {
      if (at !== this.fd) closeSync(at);
    }
  }

  /** What the walk leads to, in fewer steps. Undefined where it is not seen to be exactly there: the walk from the root knows better. */
  #fromKept(names: readonly ByteString[], openLast: typeof enter): number | undefined {
    const above = names.slice(0, -1);
    const directory = this.#reachKept(above);
    if (directory === undefined) return undefined;
    let at: number;
    try {
      at = openLast(directory, names.at(-1) ?? "");
    } catch (error) {
      if (this.#isSurelyAt(directory, above)) throw error;
      return undefined;
    }
    if (this.#isSurelyAt(at, names)) return at;
    closeSync(at);
    return undefined;
  }

  #reachKept(names: readonly ByteString[]): number | undefined {
    return this.#keepers === 0 || names.length === 0 ? undefined : this.#kept.reach(names);
  }

  #isSurelyAt(fd: number, names: readonly ByteString[]): boolean {
    try {
      return this.#isAt(fd, names);
    } catch {
      return false;
    }
  }

  /** proc(5), mountinfo: the third to fifth columns are device, root and place; odd characters stand there as octal numbers. */
  #mountedIn(directoryFd: number): ReadonlySet<ByteString> {
    const directory = pathOf(directoryFd);
    const prefix = directory === "/" ? "/" : `${directory}/`;
    const found = new Set<ByteString>();
    for (const line of attempt(() => readFileSync("/proc/self/mountinfo", "latin1")).split("\n")) {
      const [, above, , , place] = line.split(" ");
      if (above !== this.#mount || place === undefined) continue;
      const path = place.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
      if (path.startsWith(prefix)) found.add(path.slice(prefix.length));
    }
    return found;
  }
}

/** On the way to something: a path that leads through a link does not exist (ENOENT). */
function enter(directoryFd: number, name: ByteString): number {
  try {
    return openAt(directoryFd, name, directoryFlags);
  } catch (error) {
    if (
      error instanceof KernelError &&
      error.name === "ENOTDIR" &&
      statAt(directoryFd, name).isSymbolicLink()
    )
      fail("ENOENT");
    throw error;
  }
}

function lengthOf(names: readonly ByteString[]): number {
  return names.reduce((sum, name) => sum + 1 + name.length, 0);
}

function isWithin(path: ByteString, root: ByteString): boolean {
  return path === root || path.startsWith(root === "/" ? "/" : `${root}/`);
}

/**
 * Whether this system can keep a guest inside a folder: Linux with /proc, which must be this process's own and say what is mounted.
 * `fd` is any open directory.
 */
export function canConfine(fd: number): boolean {
  try {
    mountOf(fd);
    return withOpen(openSync(itself(fd), constants.O_RDONLY | constants.O_DIRECTORY), (again) => {
      return mountOf(again) === mountOf(fd) && pathOf(again) === pathOf(fd);
    });
  } catch {
    return false;
  }
}
