// The cache of built images: one file per key, ending in the SHA-256 of what stands before it. Written to a temporary name
// and renamed, so that a reader never sees half a file; a folder that cannot be written only costs time.
import { createHash } from "node:crypto";
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const digestBytes = 32;
/** No write takes this long: a temporary file that is older was left by a process that was killed. */
const staleMs = 3_600_000;

export function defaultCacheDirectory(): string {
  const chosen = process.env.SANDBOA_CACHE;
  if (chosen) return chosen;
  if (process.platform === "win32") return join(process.env.LOCALAPPDATA ?? homedir(), "sandboa", "cache");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "sandboa");
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sandboa");
}

export class ImageStore {
  readonly #directory: string;

  constructor(directory: string = defaultCacheDirectory()) {
    this.#directory = directory;
  }

  /** The content under `key`, or undefined when there is none or it is damaged. With `shared` it lies in shared memory. */
  read(key: string, shared: boolean): Uint8Array | undefined {
    let fd: number;
    try {
      fd = openSync(this.#path(key), "r");
    } catch {
      return undefined;
    }
    try {
      const size = fstatSync(fd).size;
      const all = new Uint8Array(shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size));
      for (let done = 0; done < size; ) {
        const count = readSync(fd, all, done, size - done, done);
        if (count === 0) return undefined;
        done += count;
      }
      const content = all.subarray(0, Math.max(0, size - digestBytes));
      const digest = createHash("sha256").update(content).digest();
      return size > digestBytes && digest.equals(all.subarray(content.length)) ? content : undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** Best effort: false when the folder cannot be written. */
  write(key: string, parts: readonly Uint8Array[]): boolean {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    const temporary = `${this.#path(key)}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(temporary, Buffer.concat([...parts, hash.digest()]), { mode: 0o600, flag: "wx" });
      renameSync(temporary, this.#path(key));
      this.#sweep();
      return true;
    } catch {
      discard(temporary);
      return false;
    }
  }

  #sweep(): void {
    for (const name of readdirSync(this.#directory)) {
      const file = this.#path(name);
      const age = (): number =>
        Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (name.endsWith(".tmp") && age() > staleMs) discard(file);
    }
  }

  #path(key: string): string {
    return join(this.#directory, key);
  }
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It was never made, or the folder forbids it: either way there is nothing more to do.
  }
}
