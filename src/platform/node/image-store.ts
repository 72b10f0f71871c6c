// The cache of built images: one file per key, ending in the CRC-32 of what stands before it, which is there to notice damage: whoever
// can write to this folder could as well write any hash. Written to a temporary name and renamed, so that a reader never sees half a
// file; a folder that cannot be written only costs time.
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  read as readWithCallback,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
// A seventh of the time of SHA-256, for 14 MB at each start.
import { crc32 } from "node:zlib";

const readLater = promisify(readWithCallback);
const checksumBytes = 4;
/** Of what is read by other threads at once. */
const pieceBytes = 1 << 20;
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

export interface Stored {
  readonly content: Uint8Array<ArrayBuffer>;
  /** CRC-32 of the content, going on from that of what it belongs to. */
  readonly checksum: number;
}

export interface ReadChoice {
  /** Whether the content lies in shared memory. */
  readonly shared?: boolean;
  /** What it was written for: it is there for nothing else. */
  readonly belongsTo?: Promise<Stored | undefined>;
}

export class ImageStore {
  readonly #directory: string;

  constructor(directory: string = defaultCacheDirectory()) {
    this.#directory = directory;
  }

  /**
   * The content under `key`, or undefined when there is none or it is damaged. A thread of the system's reads: this one has code to load
   * meanwhile.
   */
  async read(key: string, { shared = false, belongsTo }: ReadChoice = {}): Promise<Stored | undefined> {
    const fd = this.#openFile(key);
    if (fd === undefined) return undefined;
    try {
      const contentBytes = fstatSync(fd).size - checksumBytes;
      if (contentBytes < 0) return undefined;
      // A buffer of its own, without what follows: V8 takes its code from no other (machine-code.ts).
      const buffer = shared ? new SharedArrayBuffer(contentBytes) : new ArrayBuffer(contentBytes);
      const content = new Uint8Array(buffer as ArrayBuffer);
      const last = Buffer.alloc(checksumBytes);
      // One piece is checked while the next ones are read. All are waited for: a file is not closed while it is read.
      const pieces = [...piecesOf(content), { bytes: last, at: contentBytes }];
      const reads = pieces.map((piece) => readWhole(fd, piece));
      const owner = await belongsTo;
      let checksum = owner?.checksum ?? 0;
      let isWhole = belongsTo === undefined || owner !== undefined;
      for (const [index, { bytes }] of pieces.entries()) {
        isWhole = (await reads[index]) === true && isWhole;
        if (isWhole && bytes !== last) checksum = crc32(bytes, checksum);
      }
      return isWhole && checksum === last.readUInt32LE() ? { content, checksum } : undefined;
    } catch {
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** Reads the content under `key`, whose size is known, into `target`; false when it is not there or damaged. */
  readInto(key: string, target: Uint8Array): boolean {
    return this.#open(key, (fd) => fill(fd, target)) ?? false;
  }

  /** Bytes of the content under `key`, undefined when there is none. Nothing is verified. */
  size(key: string): number | undefined {
    const size = statSync(this.#path(key), { throwIfNoEntry: false })?.size;
    return size === undefined ? undefined : size - checksumBytes;
  }

  /** Best effort: false when the folder cannot be written. `ownerChecksum`: of what it belongs to. */
  write(key: string, parts: readonly Uint8Array[], ownerChecksum = 0): boolean {
    const checksum = Buffer.alloc(checksumBytes);
    checksum.writeUInt32LE(parts.reduce((sum, part) => crc32(part, sum), ownerChecksum));
    const temporary = `${this.#path(key)}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(temporary, Buffer.concat([...parts, checksum]), { mode: 0o600, flag: "wx" });
      renameSync(temporary, this.#path(key));
      this.#sweep();
      return true;
    } catch {
      discard(temporary);
      return false;
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
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
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
      if (isLeft || (ours.test(name) && idleMs(file) > unusedMs)) discard(file);
    }
  }

  #openFile(key: string): number | undefined {
    try {
      return openSync(this.#path(key), "r");
    } catch {
      return undefined;
    }
  }

  #open<T>(key: string, use: (fd: number) => T): T | undefined {
    const fd = this.#openFile(key);
    if (fd === undefined) return undefined;
    try {
      return use(fd);
    } finally {
      closeSync(fd);
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

/** Whether the file holds as many bytes, and they are whole. */
function fill(fd: number, content: Uint8Array): boolean {
  const checksum = Buffer.alloc(checksumBytes);
  return (
    readAll(fd, content, 0) &&
    readAll(fd, checksum, content.length) &&
    fstatSync(fd).size === content.length + checksumBytes &&
    crc32(content) === checksum.readUInt32LE()
  );
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly at: number;
}

function piecesOf(content: Uint8Array): Piece[] {
  return Array.from({ length: Math.ceil(content.length / pieceBytes) }, (_, index) => {
    const at = index * pieceBytes;
    return { bytes: content.subarray(at, at + pieceBytes), at };
  });
}

/** Whether the file has these bytes there; never rejects. */
async function readWhole(fd: number, { bytes, at }: Piece): Promise<boolean> {
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await readLater(fd, bytes, done, bytes.length - done, at + done);
      if (bytesRead === 0) return false;
      done += bytesRead;
    }
    return true;
  } catch {
    return false;
  }
}

function readAll(fd: number, target: Uint8Array, position: number): boolean {
  for (let done = 0; done < target.length; ) {
    const count = readSync(fd, target, done, target.length - done, position + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It was never made, or the folder forbids it: either way there is nothing more to do.
  }
}
