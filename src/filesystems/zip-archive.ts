// Reads a zip file's table of contents, strictly: an archive that two readers could understand differently is refused.
// Layout after PKWARE's APPNOTE.TXT 6.3. Every number in the file is hostile until checked against the file's real size.
// Local headers are checked when an entry is extracted (zip-content.ts): reading them all would double the time taken here.
import { latin1 } from "../abi/guest-memory.ts";
import type { ByteString } from "../kernel/filesystem.ts";
import { isPlainPath } from "./archive-path.ts";

/** The archive is damaged, hostile, or uses a feature that we do not read. The message names the entry at fault. */
export class ArchiveFormatError extends Error {
  override readonly name = "ArchiveFormatError";
}

export interface ArchiveLimits {
  readonly maxEntries: number;
  /** Uncompressed, of one entry. */
  readonly maxEntryBytes: number;
  /** Uncompressed, of all entries together. */
  readonly maxTotalBytes: number;
}

export interface ZipEntry {
  /** Components joined by "/", none of them empty, "." or "..". */
  readonly path: ByteString;
  readonly isDirectory: boolean;
  /** `zipMethod`. */
  readonly method: number;
  readonly crc32: number;
  readonly compressedBytes: number;
  /** Uncompressed. */
  readonly sizeBytes: number;
  /** Offset of the local header in the archive. */
  readonly header: number;
  /** Offset that header and content must not reach beyond: where the next entry begins. */
  limit: number;
}

export const zipMethod = { STORED: 0, DEFLATED: 8 } as const;
export const localHeaderBytes = 30;

const endRecord = { signature: 0x06054b50, bytes: 22 } as const;
const centralRecord = { signature: 0x02014b50, bytes: 46 } as const;
const zip64Locator = { signature: 0x07064b50, bytes: 20 } as const;
const maxCommentBytes = 0xffff;
/** Bits of the general purpose flags that change nothing for us: deflate's effort, sizes after the content, UTF-8 names. */
const harmlessFlags = 0b110 | 0b1000 | 0x800;
/** Deflate cannot do better (a 258-byte match in two bits); a higher declared ratio is a lie. */
const maxDeflateRatio = 1032;

/** Throws ArchiveFormatError. Nothing is inflated here. */
export function readZipEntries(bytes: Uint8Array, limits: ArchiveLimits): readonly ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A plain view: taking a name out of a Buffer costs several times as much.
  const archive = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const directory = view.getUint32(end + 16, true);
  const locator = end - zip64Locator.bytes;
  const hasLocator = locator >= 0 && view.getUint32(locator, true) === zip64Locator.signature;
  if (hasLocator || count === 0xffff) refuse("zip64 is not supported");
  if (view.getUint32(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count) {
    refuse("archives in several parts are not supported");
  }
  if (count > limits.maxEntries) refuse(`${count} entries, and ${limits.maxEntries} are allowed`);
  if (directory + view.getUint32(end + 12, true) !== end) {
    refuse("the central directory does not end at the end record");
  }

  const entries: ZipEntry[] = [];
  let totalBytes = 0;
  let at = directory;
  for (let i = 0; i < count; i++) {
    const next = nextRecord(view, at, end);
    const entry = readRecord(archive, view, at, directory);
    checkSizes(entry, limits);
    totalBytes += entry.sizeBytes;
    if (totalBytes > limits.maxTotalBytes) refuse(`more than ${limits.maxTotalBytes} bytes uncompressed`);
    entries.push(entry);
    at = next;
  }
  if (at !== end) refuse("the central directory does not end with its last entry");
  limitToNext(entries, directory);
  return entries;
}

/** The end record is the one whose comment reaches exactly to the end of the file. */
function findEnd(view: DataView): number {
  const last = view.byteLength - endRecord.bytes;
  for (let at = last; at >= 0 && at >= last - maxCommentBytes; at--) {
    if (view.getUint32(at, true) !== endRecord.signature) continue;
    if (at + endRecord.bytes + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  return refuse("no end record: not a zip file, or a truncated one");
}

/** Checks that a central record begins before `end`; returns the offset of the one behind it. */
function nextRecord(view: DataView, at: number, end: number): number {
  if (at + centralRecord.bytes > end) refuse("the central directory is truncated");
  if (view.getUint32(at, true) !== centralRecord.signature) refuse("a central record has a wrong signature");
  const nameBytes = view.getUint16(at + 28, true);
  const extraBytes = view.getUint16(at + 30, true);
  const commentBytes = view.getUint16(at + 32, true);
  return at + centralRecord.bytes + nameBytes + extraBytes + commentBytes;
}

function readRecord(archive: Uint8Array, view: DataView, at: number, directory: number): ZipEntry {
  const nameStart = at + centralRecord.bytes;
  const name = latin1(archive.subarray(nameStart, nameStart + view.getUint16(at + 28, true)));
  const isDirectory = name.endsWith("/");
  const path = isDirectory ? name.slice(0, -1) : name;
  const method = view.getUint16(at + 10, true);
  const unixType = view.getUint16(at + 40, true) & 0o170000;
  if (!isPlainPath(path)) refuse("this name is not a plain relative path", name);
  if ((view.getUint16(at + 8, true) & ~harmlessFlags) !== 0) {
    refuse("encryption and patches are not supported", name);
  }
  if (method !== zipMethod.STORED && method !== zipMethod.DEFLATED) {
    refuse("only stored and deflated content is supported", name);
  }
  if (unixType !== 0 && unixType !== (isDirectory ? 0o040000 : 0o100000)) {
    refuse("only files and directories are supported", name);
  }
  return {
    path,
    isDirectory,
    method,
    crc32: view.getUint32(at + 16, true),
    compressedBytes: view.getUint32(at + 20, true),
    sizeBytes: view.getUint32(at + 24, true),
    header: view.getUint32(at + 42, true),
    limit: directory,
  };
}

function checkSizes(entry: ZipEntry, limits: ArchiveLimits): void {
  const { path, sizeBytes, compressedBytes } = entry;
  if (compressedBytes === 0xffffffff || sizeBytes === 0xffffffff || entry.header === 0xffffffff) {
    refuse("zip64 is not supported", path);
  }
  if (entry.isDirectory && sizeBytes !== 0) refuse("a directory with content", path);
  if (entry.method === zipMethod.STORED && compressedBytes !== sizeBytes) {
    refuse("its two sizes disagree", path);
  }
  if (sizeBytes > limits.maxEntryBytes) refuse(`larger than ${limits.maxEntryBytes} bytes`, path);
  if (sizeBytes > compressedBytes * maxDeflateRatio) refuse("declares more than deflate can hold", path);
}

/** Sets each entry's limit to where the next one begins, and refuses those that cannot keep it. */
function limitToNext(entries: readonly ZipEntry[], directory: number): void {
  let limit = directory;
  for (const entry of [...entries].sort((a, b) => b.header - a.header)) {
    const nameBytes = entry.path.length + (entry.isDirectory ? 1 : 0);
    if (entry.header + localHeaderBytes + nameBytes + entry.compressedBytes > limit) {
      refuse("its bytes overlap what follows, or lie outside of the archive", entry.path);
    }
    entry.limit = limit;
    limit = entry.header;
  }
}

export function refuse(reason: string, path?: ByteString): never {
  const place = path === undefined ? "archive" : `archive entry ${JSON.stringify(path)}`;
  throw new ArchiveFormatError(`${place}: ${reason}`);
}
