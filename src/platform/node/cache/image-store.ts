// The cache of built images: one file per key, with a checksum (stored-file.ts) that is there to notice damage: whoever can write to this
// folder could as well write any hash. Written to a temporary name and renamed, so that a reader never sees half a
// file; a folder that cannot be written only costs time, of which the process is warned where it is seconds.
import { closeSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { makeFolder } from "./make-folder.ts";
import { OpenedStored } from "./opened-stored.ts";
import {
  checksumBytes,
  fillFrom,
  readStoredLater,
  readUnverified,
  type Stored,
  sealOf,
  verified,
} from "./stored-file.ts";

/** No write takes this long: a temporary file that is older was left by a process that was killed. */
const staleMs = 3_600_000;
/** Versions that nobody starts any more. Systems note when a file was last read, if only once a day (mount(8), relatime). */
const unusedMs = 60 * 24 * 3_600_000;
/** Images and what belongs to them, by key, and the bytecode of our bundles: in a folder that was chosen there may be other files. */
const ours = /^([0-9a-f]{40}|(?:command|library|worker-main)\.cjs)\.[\w.-]+$/;

export function defaultCacheDirectory(): string {
  const chosen = process.env.SANDBOA_CACHE;
  if (chosen) return chosen;
  if (process.platform === "win32") return join(process.env.LOCALAPPDATA ?? homedir(), "sandboa", "cache");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "sandboa");
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sandboa");
}

let written = false;
let hasWarned = false;

/** Whether this process, or this bundle in it, has put anything into a cache. */
export function hasWritten(): boolean {
  return written;
}

export class ImageStore {
  readonly #directory: string;

  constructor(directory: string = defaultCacheDirectory()) {
    this.#directory = directory;
  }

  /** The content under `key`, in shared memory where asked; undefined when there is none or it is damaged. */
  async read(key: string, { shared = false } = {}): Promise<Stored | undefined> {
    const fd = this.#open(key);
    if (fd === undefined) return undefined;
    try {
      return await readStoredLater(fd, shared);
    } catch {
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** The same at once, by this thread; to be verified with `owner`, what it belongs to, when that has come. */
  async readNow(key: string, owner: Promise<Stored | undefined>): Promise<Stored | undefined> {
    const read = this.#readUnverified(key);
    const found = await owner;
    return found && verified(read, found);
  }

  #readUnverified(key: string) {
    const fd = this.#open(key);
    if (fd === undefined) return undefined;
    try {
      return readUnverified(fd);
    } catch {
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** Reads the content under `key`, whose size is known, into `target`; false when it is not there or damaged. */
  readInto(key: string, target: Uint8Array): boolean {
    const fd = this.#open(key);
    if (fd === undefined) return false;
    try {
      return fillFrom(fd, target);
    } finally {
      closeSync(fd);
    }
  }

  /** Descriptors for whoever reads them with stored-file.ts, and closes them; undefined when one of the files is not there. */
  openAll(keys: readonly string[]): readonly number[] | undefined {
    const opened: number[] = [];
    for (const key of keys) {
      const fd = this.#open(key);
      if (fd === undefined) {
        for (const each of opened) closeSync(each);
        return undefined;
      }
      opened.push(fd);
    }
    return opened;
  }

  /** One that the caller closes; undefined when it is not there. */
  open(key: string): OpenedStored | undefined {
    const fd = this.#open(key);
    return fd === undefined ? undefined : new OpenedStored(fd);
  }

  #open(key: string): number | undefined {
    try {
      return openSync(this.#path(key), "r");
    } catch {
      return undefined;
    }
  }

  /** Bytes of the content under `key`, undefined when there is none. Nothing is verified. */
  size(key: string): number | undefined {
    try {
      const size = statSync(this.#path(key), { throwIfNoEntry: false })?.size;
      return size === undefined ? undefined : size - checksumBytes;
    } catch {
      // The folder is no folder, or nobody may look into it.
      return undefined;
    }
  }

  /** Best effort: false when the folder cannot be written. `ownerChecksum`: of what it belongs to. */
  write(key: string, parts: readonly Uint8Array[], ownerChecksum?: number): boolean {
    return this.#fault(key, parts, ownerChecksum) === undefined;
  }

  /** As `write`, of what takes seconds to make: the process is warned once when it cannot be kept. */
  keep(key: string, parts: readonly Uint8Array[], ownerChecksum?: number): void {
    const fault = this.#fault(key, parts, ownerChecksum);
    if (fault === undefined || hasWarned) return;
    hasWarned = true;
    process.emitWarning(
      `the prepared interpreter cannot be kept in ${this.#directory} (${fault}), so each process prepares its own, which takes seconds; ` +
        "let SANDBOA_CACHE name a folder that can be written to",
      "SandboaWarning",
    );
  }

  /** Writes it. Gives what the system said where that failed. */
  #fault(key: string, parts: readonly Uint8Array[], ownerChecksum: number | undefined): string | undefined {
    const temporary = `${this.#path(key)}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
    try {
      makeFolder(this.#directory);
      const seal = sealOf(
        parts.reduce((sum, part) => crc32(part, sum), 0),
        ownerChecksum,
      );
      writeFileSync(temporary, Buffer.concat([...parts, seal]), {
        mode: 0o600,
        flag: "wx",
      });
      renameSync(temporary, this.#path(key));
      this.#sweep();
      written = true;
      return undefined;
    } catch (error) {
      discard(temporary);
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  /**
   * Whether nobody but this user and the system's administrator can write to the folder: what is run as the engine's own code comes from
   * no other. True when there is no folder yet, and where the system has no such owners.
   */
  get isPrivate(): boolean {
    const user = process.getuid?.();
    try {
      const found = statSync(this.#directory, { throwIfNoEntry: false });
      if (found === undefined || user === undefined) return true;
      return [user, 0].includes(found.uid) && (found.mode & 0o022) === 0;
    } catch {
      return false;
    }
  }

  /**
   * Whether the caller is the one to make what will stand under `key`: not when somebody does so already, or tried within the last hour
   * and came to no end, or where the folder cannot be written. To be given back with `release`.
   */
  claim(key: string): boolean {
    const file = this.#path(`${key}.claim`);
    try {
      makeFolder(this.#directory);
      if (ageMs(file) > staleMs) discard(file);
      writeFileSync(file, "", { mode: 0o600, flag: "wx" });
      return true;
    } catch {
      return false;
    }
  }

  release(key: string): void {
    discard(this.#path(`${key}.claim`));
  }

  remove(key: string): void {
    discard(this.#path(key));
  }

  #sweep(): void {
    for (const name of readdirSync(this.#directory)) {
      const file = this.#path(name);
      const isLeft = name.endsWith(".tmp") && ageMs(file) > staleMs;
      // The rest of a module is seldom read, but goes with the module.
      const used = this.#path(name.replace(/\.rest$/, ""));
      if (isLeft || (ours.test(name) && idleMs(used) > unusedMs)) discard(file);
    }
  }

  #path(key: string): string {
    return join(this.#directory, key);
  }
}

/** Milliseconds since it was written; 0 when it is not there. */
function ageMs(file: string): number {
  const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return written === undefined ? 0 : Date.now() - written;
}

/** Milliseconds since it was written or read; 0 when it is not there. */
function idleMs(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? 0 : Date.now() - Math.max(found.mtimeMs, found.atimeMs);
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It was never made, or the folder forbids it: either way there is nothing more to do.
  }
}
