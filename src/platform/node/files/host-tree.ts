// A granted folder of the host as a Tree. What the mode does not allow and what `match` does not name is refused here; that nothing
// outside of the folder is reached is the work of opened-folder.ts. Each operation starts again at the folder's descriptor.
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { errno } from "../../../abi/errno.ts";
import { HostFault } from "../../../filesystems/host-fault.ts";
import type { HostFolderTicket } from "../../../filesystems/host-folder.ts";
import { isSafeTarget } from "../../../filesystems/inner-links.ts";
import { listedAtOnce } from "../../../filesystems/plain-list.ts";
import type {
  NamedTreeEntry,
  TreeAccess,
  TreeChange,
  TreeEntry,
  TreePath,
  TreeRoom,
} from "../../../filesystems/tree.ts";
import { type KeepingTree, keeping } from "../../../filesystems/tree-keep.ts";
import { childPath, pathBytes, pathNames, treePath } from "../../../filesystems/tree-path.ts";
import { type TrailTree, type TreeTrail, trail } from "../../../filesystems/tree-trail.ts";
import type { ByteString } from "../../../kernel/filesystem.ts";
import { fail, KernelError } from "../../../kernel/kernel-error.ts";
import { FolderEntries, kindOf } from "./folder-entries.ts";
import { FolderRights } from "./folder-rights.ts";
import { attempt } from "./host-errors.ts";
import { HostTreeFile, isPrivileged, newTimes } from "./host-tree-file.ts";
import { MadeThings } from "./made-things.ts";
import { directoryFlags, itself, nameIn, openAt, statAt, statOf, targetAt, withOpen } from "./open-at.ts";
import { OpenedFolder } from "./opened-folder.ts";
import { linksStaySafe } from "./subtree-links.ts";

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;
const permissionBits = 0o777;
/** How often a name may come and go between two looks at it. */
const patience = 16;

export class HostTree implements TrailTree, KeepingTree {
  readonly ticket: HostFolderTicket;
  readonly #folder: OpenedFolder;
  readonly #rights: FolderRights;
  readonly #entries: FolderEntries;
  /** In the mode "create-only", what may be read and adorned. */
  readonly #made = new MadeThings();

  /** The ticket's descriptor stays the ticket's. */
  constructor(ticket: HostFolderTicket) {
    this.ticket = ticket;
    if (ticket.fd === undefined) throw new RangeError("the folder was released");
    this.#folder = new OpenedFolder(ticket.fd);
    this.#rights = new FolderRights(ticket);
    this.#entries = new FolderEntries(this.#folder);
  }

  [keeping](): () => void {
    return this.#folder.keep();
  }

  stat(path: TreePath): TreeEntry | undefined {
    const names = namesOf(path);
    try {
      if (names.length === 0)
        return this.#folder.directory(names, (fd) => this.#entries.entry(rootStats(fd)));
      for (let tries = 0; tries < patience; tries++) {
        const entry = this.#folder.place(names, (fd) => this.#entries.ofPlace(fd)) ?? this.#link(names);
        if (entry) return this.#rights.shows(path, entry.kind) ? entry : undefined;
      }
      return fail("EBUSY");
    } catch (error) {
      if (error instanceof HostFault) throw error;
      if (error instanceof KernelError && (error.name === "ENOENT" || error.name === "ENOTDIR"))
        return undefined;
      throw error;
    }
  }

  [trail](path: TreePath, count: number): TreeTrail {
    const names = pathNames(path);
    const from = names.length - count + 1;
    const { found, isMissing } = this.#folder.trail(names.map(pathBytes), from, (fd) =>
      this.#entries.ofPlace(fd),
    );
    const entries: TreeEntry[] = [];
    for (const [index, entry] of found.entries()) {
      // A link needs its name as well.
      if (entry === undefined) return { entries, errno: 0 };
      const isShown = this.#rights.shows(names.slice(0, from + index).join("/"), entry.kind);
      if (!isShown) return { entries, errno: errno.ENOENT };
      entries.push(entry);
    }
    return { entries, errno: isMissing ? errno.ENOENT : 0 };
  }

  /** Of a large directory all that comes behind the first entries is looked at when it is iterated: each time anew, and nothing is held meanwhile. */
  list(path: TreePath): Iterable<NamedTreeEntry> {
    return this.#folder.directory(namesOf(path), (fd) => {
      this.#rights.demandShown(path, "directory");
      const names = this.#folder.names(fd);
      const first = this.#listed(path, fd, names.slice(0, listedAtOnce));
      if (names.length <= listedAtOnce) return first;
      const { dev, ino } = statOf(fd);
      const isSame = (stats: BigIntStats): boolean => stats.ino === ino && stats.dev === dev;
      return { [Symbol.iterator]: () => this.#listing(path, first, names, isSame) };
    });
  }

  *#listing(
    path: TreePath,
    first: readonly NamedTreeEntry[],
    names: readonly ByteString[],
    isSame: (directory: BigIntStats) => boolean,
  ): Generator<NamedTreeEntry, void> {
    yield* first;
    for (let at = listedAtOnce; at < names.length; at += listedAtOnce)
      yield* this.#folder.directory(namesOf(path), (fd) => {
        if (!isSame(statOf(fd))) fail("ENOENT");
        return this.#listed(path, fd, names.slice(at, at + listedAtOnce));
      });
  }

  #listed(path: TreePath, fd: number, names: readonly ByteString[]): NamedTreeEntry[] {
    const depth = pathNames(path).length;
    const found = this.#folder.entries(fd, names, (place, bytes): NamedTreeEntry[] => {
      const entry = this.#entries.ofPlace(place) ?? this.#entries.link(fd, bytes, depth);
      const name = treePath(bytes);
      return entry && this.#rights.shows(childPath(path, name), entry.kind) ? [{ ...entry, name }] : [];
    });
    return found.flat();
  }

  open(path: TreePath, access: TreeAccess): HostTreeFile {
    const names = namesOf(path);
    if (names.length === 0) fail("EISDIR");
    if (access.create === "never") return this.#openPresent(path, names, access);
    for (let tries = 0; tries < patience; tries++) {
      try {
        // Whoever asks for what may be missing has mostly just seen that it is.
        return this.#openNew(path, names, access);
      } catch (refusal) {
        if (!(refusal instanceof KernelError) || access.create === "always") throw refusal;
        const present = this.#openIfPresent(path, names, access);
        if (present) return present;
        if (refusal.name !== "EEXIST") throw refusal;
      }
    }
    return fail("EBUSY");
  }

  readLink(path: TreePath): string {
    const names = namesOf(path);
    this.#rights.demandShown(path, "link");
    return this.#folder.parent(names, (fd, name) => {
      const target = treePath(this.#entries.target(fd, name, names.length - 1));
      if (names.length > 1) this.#folder.demandInside(fd);
      return target;
    });
  }

  makeDirectory(path: TreePath, mode: number): void {
    const names = namesOf(path);
    this.#demandMaking(path, names, "directory");
    this.#folder.parent(names, (fd, name) => {
      this.#rights.making(() => attempt(() => mkdirSync(nameIn(fd, name), mode & permissionBits)));
      if (this.#rights.addsOnly) this.#made.add(statAt(fd, name));
    });
  }

  makeLink(path: TreePath, target: string): void {
    if (this.#rights.addsOnly) fail("EPERM");
    const names = namesOf(path);
    this.#demandMaking(path, names, "link");
    const bytes = pathBytes(target);
    if (!isSafeTarget(bytes, names.length - 1)) fail("EPERM");
    this.#folder.parent(names, (fd, name) => {
      this.#rights.making(() => attempt(() => symlinkSync(Buffer.from(bytes, "latin1"), nameIn(fd, name))));
    });
  }

  remove(path: TreePath): void {
    this.#rights.demandMoving();
    this.#folder.parent(namesOf(path), (fd, name) => {
      const kind = kindOf(statAt(fd, name));
      this.#rights.demandShown(path, kind);
      if (kind === "directory") fail("EISDIR");
      attempt(() => unlinkSync(nameIn(fd, name)));
    });
  }

  removeDirectory(path: TreePath): void {
    this.#rights.demandMoving();
    this.#folder.parent(namesOf(path), (fd, name) => {
      this.#rights.demandShown(path, kindOf(statAt(fd, name)));
      attempt(() => rmdirSync(nameIn(fd, name)));
    });
  }

  rename(from: TreePath, to: TreePath): void {
    this.#rights.demandMoving();
    const [oldNames, newNames] = [namesOf(from), namesOf(to)];
    this.#folder.parent(oldNames, (oldFd, oldName) => {
      const kind = kindOf(statAt(oldFd, oldName));
      this.#rights.demandShown(from, kind);
      this.#folder.parent(newNames, (newFd, newName) => {
        if (!this.#rights.shows(to, kind)) fail("EACCES");
        this.#folder.demandReach(newNames);
        // Linux says ENOTEMPTY of every name above, and the rest of the world EISDIR.
        if (kind !== "directory" && from.startsWith(`${to}/`)) fail("EISDIR");
        // What is hidden in a directory would come along, and might be visible in another place.
        if (kind === "directory" && this.#rights.hides) fail("EXDEV");
        const depth = newNames.length - 1;
        if (kind === "directory" && newNames.length < oldNames.length) {
          const moved = openAt(oldFd, oldName, directoryFlags);
          if (!withOpen(moved, (fd) => linksStaySafe(this.#folder, fd, depth + 1))) fail("EXDEV");
        }
        if (kind === "link" && depth < oldNames.length - 1) {
          const target = targetAt(oldFd, oldName);
          if (!target.startsWith("/") && !isSafeTarget(target, depth)) fail("EPERM");
        }
        attempt(() => renameSync(nameIn(oldFd, oldName), nameIn(newFd, newName)));
      });
    });
  }

  change(path: TreePath, change: TreeChange): void {
    if (!this.#rights.makes) fail("EROFS");
    const names = namesOf(path);
    const kind = this.#folder.place(names, (fd) => {
      const stats = names.length === 0 ? rootStats(fd) : statOf(fd);
      const found = kindOf(stats);
      this.#rights.demandShown(path, found);
      if (this.#rights.addsOnly && !this.#made.has(stats)) fail("EPERM");
      if (found === "link") return found;
      if (isSpecial(stats)) fail("EACCES");
      if (change.mode !== undefined) {
        if (isPrivileged(stats)) fail("EPERM");
        const mode = (Number(stats.mode) & 0o7000) | (change.mode & permissionBits);
        attempt(() => chmodSync(itself(fd), mode));
      }
      const times = newTimes(change, stats);
      if (times) attempt(() => utimesSync(itself(fd), ...times));
      return found;
    });
    if (kind !== "link") return;
    this.#folder.parent(names, (fd, name) => {
      const times = newTimes(change, statAt(fd, name));
      if (times) attempt(() => lutimesSync(nameIn(fd, name), ...times));
    });
  }

  /** What the grant leaves, not what the disk has: that is the host's own affair. */
  room(): TreeRoom {
    const writable = this.#rights.makes;
    return {
      bytes: writable ? this.#rights.growth.limit : 0,
      freeBytes: writable ? this.#rights.growth.left : 0,
      files: writable ? this.#rights.names.limit : 0,
      freeFiles: writable ? this.#rights.names.left : 0,
    };
  }

  /** Undefined when it is no link any more. */
  #link(names: readonly ByteString[]): TreeEntry | undefined {
    return this.#folder.parent(names, (fd, name) => this.#entries.link(fd, name, names.length - 1));
  }

  #openIfPresent(path: TreePath, names: readonly ByteString[], access: TreeAccess): HostTreeFile | undefined {
    try {
      return this.#openPresent(path, names, access);
    } catch (error) {
      if (error instanceof KernelError && error.name === "ENOENT") return undefined;
      throw error;
    }
  }

  #openPresent(path: TreePath, names: readonly ByteString[], access: TreeAccess): HostTreeFile {
    return this.#folder.place(names, (place) => {
      const stats = statOf(place);
      const kind = kindOf(stats);
      this.#rights.demandShown(path, kind);
      if (kind === "directory") fail("EISDIR");
      if (kind === "link") fail("ELOOP");
      if (isSpecial(stats)) fail("EACCES");
      const writes = access.write || access.append || access.truncate;
      if (writes && !this.#rights.makes) fail("EROFS");
      if (this.#rights.addsOnly && (writes || !this.#made.has(stats))) fail("EACCES");
      if (writes && isPrivileged(stats)) fail("EPERM");
      // What the place stands for, not what may have its name by now.
      const flags = flagsOf(access) | (access.truncate ? O_TRUNC : 0) | O_NONBLOCK;
      const fd = attempt(() => openSync(itself(place), flags));
      return this.#file(fd, access.append, this.#rights.makes && !this.#rights.addsOnly);
    });
  }

  #openNew(path: TreePath, names: readonly ByteString[], access: TreeAccess): HostTreeFile {
    this.#demandMaking(path, names, "file");
    return this.#folder.parent(names, (directoryFd, name) => {
      const flags = flagsOf(access) | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK;
      const fd = this.#rights.making(() => openAt(directoryFd, name, flags, access.mode & permissionBits));
      try {
        this.#folder.demandInside(fd);
        if (this.#rights.addsOnly) this.#made.add(statOf(fd));
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      return this.#file(fd, access.append, true);
    });
  }

  #file(fd: number, appends: boolean, changeable: boolean): HostTreeFile {
    return new HostTreeFile(fd, { appends, changeable, growth: this.#rights.growth, entries: this.#entries });
  }

  #demandMaking(path: TreePath, names: readonly ByteString[], kind: TreeEntry["kind"]): void {
    this.#rights.demandMaking(path, kind);
    this.#folder.demandReach(names);
  }
}

/** A removed directory is still open, and has no name. */
function rootStats(fd: number): BigIntStats {
  const stats = statOf(fd);
  return stats.nlink === 0n ? fail("ENOENT") : stats;
}

function namesOf(path: TreePath): ByteString[] {
  return pathNames(path).map(pathBytes);
}

function flagsOf({ read, write, append }: TreeAccess): number {
  const access = write || append ? (read ? O_RDWR : O_WRONLY) : O_RDONLY;
  return access | (append ? O_APPEND : 0);
}

function isSpecial(stats: BigIntStats): boolean {
  return kindOf(stats) === "file" && !stats.isFile();
}
