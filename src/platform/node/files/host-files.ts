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
import type { HostFileMode, HostFilePower, HostFileTicket } from "../../../filesystems/host-file.ts";
import { fail, KernelError } from "../../../kernel/kernel-error.ts";
import { attempt } from "./host-errors.ts";

/** Why a file cannot be granted, in words for the embedder. */
export class HostFileRefusal extends Error {}

/** What is added to a file that others add to as well must not come over theirs: the system itself finds the end. */
const accessOf = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR,
  create: constants.O_RDWR,
  write: constants.O_WRONLY,
  append: constants.O_WRONLY | constants.O_APPEND,
} as const satisfies Record<HostFileMode, number>;

/** Opens `path` for `mode`. Throws HostFileRefusal. */
export function grantHostFile(path: string, mode: HostFileMode): HostFileTicket {
  const absolute = absoluteOf(path);
  if (mode === "create") {
    if (lstatSync(absolute, { throwIfNoEntry: false })) throw new HostFileRefusal("the file exists already");
    return missingFile(absolute);
  }
  // O_NONBLOCK: opening a named pipe must not wait for its other end.
  const flags = accessOf[mode] | constants.O_NONBLOCK;
  let fd: number;
  try {
    fd = openSync(absolute, flags);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" && mode !== "read" && mode !== "update") {
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

function absoluteOf(path: string): string {
  try {
    return resolve(path);
  } catch {
    // What is relative needs the working folder, which may have been removed.
    throw new HostFileRefusal("the working folder does not exist any more");
  }
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

/** Closes what the ticket holds and empties it: the numbers will soon be those of other files. */
export function releaseHostFile(ticket: HostFileTicket): void {
  const held = [ticket.fd, ticket.missing?.directoryFd];
  ticket.fd = undefined;
  ticket.missing = undefined;
  for (const fd of held) if (fd !== undefined) closeSync(fd);
}

/** The file behind an open descriptor of this process. */
export function openHostFile(fd: number): HostFilePower {
  return new NodeFile(fd);
}

/**
 * Makes the granted file and gives its descriptor, which the ticket keeps. Fails when anything stands under its name by now, a link
 * included. Throws KernelError.
 */
export function createHostFile(ticket: HostFileTicket, mode: HostFileMode): number {
  const { missing } = ticket;
  if (missing === undefined || ticket.fd !== undefined) fail("EEXIST");
  // Through the folder's descriptor where the system offers that, so that renaming or replacing the folder redirects nothing.
  const viaDescriptor = `/proc/self/fd/${missing.directoryFd}`;
  const directory = existsSync(viaDescriptor) ? viaDescriptor : missing.directory;
  const flags = accessOf[mode] | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  ticket.fd = attempt(() => openSync(join(directory, missing.name), flags, 0o666));
  return ticket.fd;
}

/** As createHostFile, for an answer that travels: the descriptor, or the negative errno. */
export function createHostFileReply(ticket: HostFileTicket, mode: HostFileMode): number {
  try {
    return createHostFile(ticket, mode);
  } catch (error) {
    if (error instanceof KernelError) return -error.errno;
    throw error;
  }
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
