// Files of the real machine. A path is looked at once, when it is granted; from then on only the open descriptor counts. A
// file that does not exist yet is held as its open folder and one name. Tickets are plain data: descriptors belong to the
// process, so a worker thread can use what the main thread opened.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type ErrnoName, errno as errnoNumbers } from "../../abi/errno.ts";
import type { HostFilePower } from "../../filesystems/host-file.ts";
import { fail } from "../../kernel/kernel-error.ts";

export interface HostFileTicket {
  /** The open file; undefined while it does not exist. */
  readonly fd: number | undefined;
  readonly missing:
    | { readonly directoryFd: number; readonly directory: string; readonly name: string }
    | undefined;
}

/** Why a file cannot be granted, in words for the embedder. */
export class HostFileRefusal extends Error {}

/** Opens `path` for `mode`. Throws HostFileRefusal. */
export function grantHostFile(path: string, mode: "read" | "write" | "append" | "create"): HostFileTicket {
  const absolute = resolve(path);
  if (mode === "create") {
    if (lstatSync(absolute, { throwIfNoEntry: false })) throw new HostFileRefusal("the file exists already");
    return missingFile(absolute);
  }
  // O_NONBLOCK: opening a named pipe must not wait for its other end.
  const flags = (mode === "read" ? constants.O_RDONLY : constants.O_WRONLY) | constants.O_NONBLOCK;
  let fd: number;
  try {
    fd = openSync(absolute, flags);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" && mode !== "read") {
      if (lstatSync(absolute, { throwIfNoEntry: false }))
        throw new HostFileRefusal("it is a link to nothing");
      return missingFile(absolute);
    }
    throw new HostFileRefusal(
      code === "ENOENT" ? "there is no such file" : `the host refuses to open it (${code})`,
    );
  }
  if (!fstatSync(fd).isFile()) {
    closeSync(fd);
    throw new HostFileRefusal("it is not a regular file");
  }
  return { fd, missing: undefined };
}

function missingFile(absolute: string): HostFileTicket {
  try {
    const directory = realpathSync(dirname(absolute));
    const directoryFd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    return { fd: undefined, missing: { directoryFd, directory, name: basename(absolute) } };
  } catch {
    throw new HostFileRefusal("its folder does not exist or cannot be opened");
  }
}

export function releaseHostFile(ticket: HostFileTicket): void {
  closeSync(ticket.fd ?? ticket.missing?.directoryFd ?? -1);
}

export function openHostFile(ticket: HostFileTicket): HostFilePower | undefined {
  return ticket.fd === undefined ? undefined : new NodeFile(ticket.fd);
}

/** Makes the granted file: fails when anything stands under its name by now, a link included. */
export function createHostFile(ticket: HostFileTicket, readable: boolean): HostFilePower {
  const { missing } = ticket;
  if (missing === undefined) fail("EEXIST");
  // Through the folder's descriptor where the system offers that, so that renaming or replacing the folder redirects nothing.
  const viaDescriptor = `/proc/self/fd/${missing.directoryFd}`;
  const directory = existsSync(viaDescriptor) ? viaDescriptor : missing.directory;
  const access = readable ? constants.O_RDWR : constants.O_WRONLY;
  const flags = access | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  return new NodeFile(attempt(() => openSync(join(directory, missing.name), flags, 0o666)));
}

class NodeFile implements HostFilePower {
  readonly #fd: number;
  constructor(fd: number) {
    this.#fd = fd;
  }
  read(target: Uint8Array, position: number): number {
    return attempt(() => readSync(this.#fd, target, 0, target.length, position));
  }
  write(source: Uint8Array, position: number): number {
    return attempt(() => writeSync(this.#fd, source, 0, source.length, position));
  }
  size(): number {
    return attempt(() => fstatSync(this.#fd).size);
  }
  truncate(size: number): void {
    attempt(() => ftruncateSync(this.#fd, size));
  }
  sync(): void {
    attempt(() => fsyncSync(this.#fd));
  }
}

/** Host errors that mean the same to the guest; every other one is EIO. */
const shownErrors: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EEXIST", "EACCES", "EROFS"]);

function attempt<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    return fail(shownErrors.has(code) && code in errnoNumbers ? (code as ErrnoName) : "EIO");
  }
}
