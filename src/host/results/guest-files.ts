// `sandbox.files`: what the guest left, read by the host without granting anything. Everything that comes back is the guest's: names,
// sizes and content are hostile, and are bounded before they are held.
import { optionalFlag } from "../../capabilities/option-fields.ts";
import { bytes as byteQuantity, count, type Quantity } from "../../capabilities/quantity.ts";
import { GuestFileError } from "../../errors/guest-file-error.ts";
import { OptionError } from "../../errors/option-error.ts";
import { RunError, SandboxLostError } from "../../errors/run-errors.ts";
import { pathBytes, treePath } from "../../filesystems/tree-path.ts";
import type { ByteString } from "../../kernel/filesystem.ts";
import { nameOfErrno } from "../../kernel/kernel-error.ts";
import { optionRecord } from "../options/option-record.ts";
import { isOwnPlace } from "../options/own-places.ts";
import { maxTransferBytes } from "../walls/transfer-bytes.ts";
import { decodeEntries, type EntryKind, type PagedEntry } from "./entry-page.ts";
import type { FilesQuestion, FilesReply } from "./results.ts";

/** What stands at a path of the guest's. All of it may be hostile. */
export interface GuestFileStat {
  readonly kind: EntryKind;
  /** Bytes; of a file with holes, more than are held. */
  readonly size: number;
  /** Permission bits, which are the guest's own business. */
  readonly mode: number;
  /** Nanoseconds since the epoch, as the guest's clock had it or as the guest set it. */
  readonly modifiedNs: bigint;
  /** Tells files of one place apart. */
  readonly id: number;
  /** How many names the file has. */
  readonly links: number;
}

/** An entry of a folder. */
export interface GuestFileEntry extends GuestFileStat {
  /** Bytes that are not UTF-8 stand as lone surrogates U+DC80 to U+DCFF, as in Python (PEP 383). */
  readonly name: string;
}

/** What a walk has come to. */
export interface WalkedFile extends GuestFileEntry {
  /** Absolute, in the guest. */
  readonly path: string;
}

/** A bound for what is read of one file. */
export interface ReadOptions {
  /** The most to read; a larger file is refused with FILE_TOO_LARGE. Default "256 MiB". */
  readonly bytes?: Quantity | undefined;
}

/** A bound for how much is listed. */
export interface WalkOptions {
  /** The most entries; a tree with more is refused with FILE_TOO_LARGE when it comes to that. Default 100,000. */
  readonly entries?: number | undefined;
}

interface FilesSource {
  /** Throws RunError and SandboxLostError. */
  look(question: FilesQuestion): Promise<FilesReply>;
  /** A new object after each run and each reset: what was read before is of another time. */
  readonly time: object;
  /** Tells an OptionError what is left of the sandbox. */
  checked<T>(check: () => T): T;
  /** What the process that answers has become, when it answers what ours never does. */
  distrust(): Promise<SandboxLostError>;
}

/** In bytes; four times what a guest can say at once. */
const maxPathBytes = 16_384;

/**
 * The guest's files after a run: in scratch, in served folders, in granted files that it may read, whatever it was granted or has
 * made. Paths are absolute guest paths, as Python shows them. Links lead where they lead for the guest. All methods throw
 * OptionError for what is no path, GuestFileError, RunError while a run or reset goes on, and SandboxLostError when the sandbox and
 * all in it is gone.
 */
export class GuestFiles {
  readonly #source: FilesSource;
  /** Numbers of what is read in more than one question. */
  #lastReader = 0;

  /** For Sandbox. */
  constructor(source: FilesSource) {
    this.#source = source;
  }

  /** The content of a file. */
  async read(path: string, options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let total = 0;
    for await (const chunk of this.#content(path, options)) {
      chunks.push(chunk);
      total += chunk.length;
    }
    const whole = new Uint8Array(total);
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  /** The content as text: UTF-8, in which U+FFFD stands for what is none. */
  async readText(path: string, options: ReadOptions = {}): Promise<string> {
    const bytes = await this.read(path, options);
    try {
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    } catch {
      throw new GuestFileError("FILE_TOO_LARGE", path, "the file is longer than any text, which has 512 MiB");
    }
  }

  /**
   * The content in chunks, which come as they are asked for. Cancelled, at any time, or not, nothing stays open. A run or a reset in the middle
   * ends it with FILE_CHANGED.
   */
  stream(path: string, options: ReadOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    const content = this.#content(path, options);
    return new ReadableStream(
      {
        async pull(controller) {
          const next = await content.next();
          if (next.done) controller.close();
          else controller.enqueue(next.value);
        },
        async cancel() {
          // Not awaited: it comes after what is being asked, and a place may not answer. Nothing is held meanwhile.
          void content.return();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** What stands there: a link is followed, unless `followLinks` is false. */
  async stat(
    path: string,
    options: { readonly followLinks?: boolean | undefined } = {},
  ): Promise<GuestFileStat> {
    const [bytes, followLinks] = this.#source.checked(() => [checkPath(path), checkFollow(options)] as const);
    return statOf(await this.#stat(path, bytes, followLinks));
  }

  /** The entries of a directory, links as links, in the order of their names' code units. No more than `entries`. */
  async list(path: string, options: WalkOptions = {}): Promise<GuestFileEntry[]> {
    const [room, bytes] = this.#source.checked(() => [roomFor(options), checkPath(path)] as const);
    const entries: GuestFileEntry[] = [];
    for await (const entry of this.#list(path, bytes)) {
      room.take(path);
      entries.push(shown(entry));
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Everything below a directory, each directory before what is in it; links are told, and not followed. What is the sandbox's own
   * (/dev, the library) is left out when it is come to from above.
   */
  async *walk(path = "/", options: WalkOptions = {}): AsyncGenerator<WalkedFile, void, undefined> {
    const [room, bytes] = this.#source.checked(() => [roomFor(options), checkPath(path)] as const);
    const { time } = this.#source;
    const start = bytes.replace(/\/+$/, "");
    // A stack of listings would hold a page for each level; paths that wait are bounded by the same count as all entries.
    const waiting: ByteString[] = [start];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const below: ByteString[] = [];
      for await (const entry of this.#list(treePath(at === "" ? "/" : at), at === "" ? "/" : at, time)) {
        const bytes = `${at}/${entry.name}`;
        if (isOwnPlace(bytes)) continue;
        room.take(path);
        yield { path: treePath(bytes), ...shown(entry) };
        if (entry.kind === "directory") below.push(bytes);
      }
      waiting.push(...below.reverse());
    }
  }

  async *#content(
    path: string,
    options: ReadOptions,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const [most, bytes] = this.#source.checked(() => [checkMost(options), checkPath(path)] as const);
    const { time } = this.#source;
    const tooLarge = (): GuestFileError =>
      new GuestFileError("FILE_TOO_LARGE", path, `the file has more than ${most} bytes`);
    const { kind, size } = await this.#stat(path, bytes, true);
    if (kind === "file" && size > most) throw tooLarge();
    const reader = this.#newReader();
    let isOpen = true;
    try {
      for (let position = 0; ; ) {
        const question = {
          operation: "read",
          path: bytes,
          position,
          length: maxTransferBytes,
          reader,
        } as const;
        const { bytes: chunk } = await this.#ask(path, question, time);
        if (chunk.length === 0) {
          isOpen = false;
          return;
        }
        position += chunk.length;
        if (position > most) throw tooLarge();
        yield chunk;
      }
    } finally {
      if (isOpen) await this.#close(reader, time);
    }
  }

  async *#list(
    path: string,
    bytes: ByteString,
    time: object = this.#source.time,
  ): AsyncGenerator<PagedEntry, void, undefined> {
    const reader = this.#newReader();
    let isOpen = true;
    try {
      for (let after = 0; isOpen; ) {
        const reply = await this.#ask(path, { operation: "list", path: bytes, after, reader }, time);
        isOpen = reply.next !== 0;
        yield* await this.#entries(reply, true);
        // A process that was taken over could go in circles.
        if (isOpen && (reply.next <= after || reply.bytes.length === 0)) throw await this.#source.distrust();
        after = reply.next;
      }
    } finally {
      if (isOpen) await this.#close(reader, time);
    }
  }

  #newReader(): number {
    this.#lastReader += 1;
    return this.#lastReader;
  }

  /** Lets go of what was not read to its end. */
  async #close(reader: number, time: object): Promise<void> {
    // A run or a reset has closed it.
    if (this.#source.time !== time) return;
    try {
      await this.#source.look({ operation: "close", reader });
    } catch (error) {
      // With the sandbox everything in it is gone, too.
      if (!(error instanceof RunError || error instanceof SandboxLostError)) throw error;
    }
  }

  async #stat(path: string, bytes: ByteString, follow: boolean): Promise<PagedEntry> {
    const reply = await this.#ask(path, { operation: "stat", path: bytes, follow }, this.#source.time);
    const [entry, ...more] = await this.#entries(reply, false);
    if (entry === undefined || more.length > 0) throw await this.#source.distrust();
    return entry;
  }

  async #entries(reply: FilesReply, named: boolean): Promise<PagedEntry[]> {
    try {
      return decodeEntries(reply.bytes, named);
    } catch (error) {
      if (error instanceof RangeError) throw await this.#source.distrust();
      throw error;
    }
  }

  async #ask(path: string, question: FilesQuestion, time: object): Promise<FilesReply> {
    if (this.#source.time !== time) throw changed(path);
    const reply = await this.#source.look(question);
    if (reply.errno !== 0) throw refusal(path, nameOfErrno(reply.errno));
    return reply;
  }
}

function changed(path: string): GuestFileError {
  return new GuestFileError("FILE_CHANGED", path, "a run or a reset came between two parts of it");
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "the grant does not allow reading",
  EISDIR: "it is a directory",
  ENOTDIR: "it is no directory",
  EINVAL: "it is a named pipe or a device",
  ELOOP: "its links lead nowhere",
};

function refusal(path: string, errno: string): GuestFileError {
  if (errno === "ENOENT")
    return new GuestFileError("FILE_NOT_FOUND", path, "there is no such file", { errno });
  return new GuestFileError("FILE_NOT_READABLE", path, reasons[errno] ?? errno, { errno });
}

function checkFollow(options: { readonly followLinks?: boolean | undefined }): boolean {
  optionRecord("", options, ["followLinks"]);
  return optionalFlag("followLinks", options.followLinks, true);
}

function checkMost(options: ReadOptions): number {
  optionRecord("", options, ["bytes"]);
  const { bytes = "256 MiB" } = options;
  return byteQuantity("bytes", bytes);
}

/** Counts entries. */
function roomFor(options: WalkOptions): { take(path: string): void } {
  optionRecord("", options, ["entries"]);
  const { entries = 100_000 } = options;
  const most = count("entries", entries);
  let left = most;
  return {
    take(path) {
      if (left-- === 0) throw new GuestFileError("FILE_TOO_LARGE", path, `more than ${most} entries`);
    },
  };
}

function checkPath(path: string): ByteString {
  const accepted = "an absolute guest path such as /out/report.md";
  if (typeof path !== "string" || !path.startsWith("/") || path.includes("\0"))
    throw new OptionError("path", path, accepted);
  if (path.length > maxPathBytes)
    throw new OptionError("path", path, `a path of ${maxPathBytes} bytes at most`);
  try {
    return pathBytes(path);
  } catch {
    throw new OptionError("path", path, `${accepted}, in which lone surrogates stand for bytes`);
  }
}

function statOf({ kind, size, mode, modifiedNs, ino, links }: PagedEntry): GuestFileStat {
  return { kind, size, mode, modifiedNs, id: ino, links };
}

function shown(entry: PagedEntry): GuestFileEntry {
  return { name: treePath(entry.name), ...statOf(entry) };
}
