// Loads a bundle of ours with the bytecode that V8 made of it in an earlier process: to read and compile all of it anew takes 30 ms, a
// fifth of what the command needs above an empty process.
import { isAscii } from "node:buffer";
import { closeSync, fstatSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { cachedDataVersionTag } from "node:v8";
import { Script } from "node:vm";
import { crc32 } from "node:zlib";
import { ImageStore } from "../cache/image-store.ts";
import { readAll } from "../read-all.ts";

interface LoadedBundle {
  /** What the bundle exports. */
  readonly exports: unknown;
  readonly hadBytecode: boolean;
  /** What `keep` was told of the bytecode; 0 without any. */
  readonly parts: number;
  /** Whether V8's flags are what they were when it was loaded: threads of ours change them at times (engine-flags.ts). */
  canKeep(): boolean;
  /** Keeps what has been compiled by now, unless it is less than there was; false where that cannot be. `parts`: a number below 256. */
  keep(parts?: number): boolean;
}

/** A CommonJS file. As with the engine's other code (host/images/code-file.ts), bytecode comes from no folder that others can write to. */
export function loadBundle(file: string, store = new ImageStore()): LoadedBundle {
  const bytes = readWrapped(file);
  // V8 compares the length of the source, its own version and its flags. The bytecode holds the file's path, which stacks show.
  const tag = cachedDataVersionTag();
  const sum = crc32(bytes, crc32(file));
  const key = `${basename(file)}.${sum.toString(16)}.${tag.toString(16)}.bytecode`;
  const kept = store.isPrivate ? read(store, key) : undefined;
  const cachedData = kept?.subarray(0, -1);
  const source = bytes.toString(isAscii(bytes) ? "latin1" : "utf8");
  const script = new Script(source, { filename: file, ...(cachedData && { cachedData }) });
  const hadBytecode = cachedData !== undefined && script.cachedDataRejected === false;
  const module = { exports: {} as unknown };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  const canKeep = (): boolean => cachedDataVersionTag() === tag;
  const keep = (parts = 0): boolean => {
    if (!canKeep() || !store.isPrivate) return false;
    compileAgain(script);
    const compiled = script.createCachedData();
    if (hadBytecode && compiled.length <= cachedData.length) return false;
    return store.write(key, [compiled, Uint8Array.of(parts)]);
  };
  return {
    exports: module.exports,
    hadBytecode,
    parts: hadBytecode ? (kept?.at(-1) ?? 0) : 0,
    canKeep,
    keep,
  };
}

const head = "(function (exports, require, module, __filename, __dirname) {";
const tail = "\n})";

/** The file as the function that it is for Node. In one piece at once: each further copy of 700 KB costs most of a millisecond. */
function readWrapped(file: string): Buffer {
  const fd = openSync(file, "r");
  try {
    const end = head.length + fstatSync(fd).size;
    const bytes = Buffer.allocUnsafeSlow(end + tail.length);
    bytes.write(head);
    if (!readAll(fd, bytes.subarray(head.length, end), 0))
      throw new Error(`${file} changes while it is read`);
    bytes.write(tail, end);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/**
 * V8 drops the bytecode of what has not run for some collections of garbage, and of these functions that is the outermost: without it
 * the whole file is parsed at the next start as if nothing had been kept. Runs up to the first use of a name, since it is given none.
 */
function compileAgain(script: Script): void {
  try {
    script.runInThisContext()();
  } catch {}
}

function read(store: ImageStore, key: string): Buffer | undefined {
  const bytes = store.size(key);
  if (bytes === undefined || bytes <= 0) return undefined;
  const content = Buffer.alloc(bytes);
  return store.readInto(key, content) ? content : undefined;
}
