// One file of the cache: a content, and behind it the CRC-32 of that, which is there to notice damage. What belongs to another file has a
// checksum that goes on from that one's.
import { fstatSync, read as readWithCallback } from "node:fs";
import { promisify } from "node:util";
// A seventh of the time of SHA-256, for 20 MB at each start.
import { crc32 } from "node:zlib";
import { readAll } from "../read-all.ts";

const readLater = promisify(readWithCallback);
export const checksumBytes = 4;
/** Of what is read by other threads at once. */
const pieceBytes = 1 << 20;

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

/** What is to stand behind the content. */
export function checksumOf(parts: readonly Uint8Array[], ownerChecksum: number): Uint8Array {
  const checksum = Buffer.alloc(checksumBytes);
  checksum.writeUInt32LE(parts.reduce((sum, part) => crc32(part, sum), ownerChecksum));
  return checksum;
}

/** Undefined when the file is damaged. Threads of the system's read: this one has code to load meanwhile. */
export async function readStoredLater(
  fd: number,
  { shared = false, belongsTo }: ReadChoice,
): Promise<Stored | undefined> {
  const contentBytes = contentBytesOf(fd);
  if (contentBytes < 0) return undefined;
  // A buffer of its own, without what follows: V8 takes its code from no other (machine-code.ts).
  const buffer = shared ? new SharedArrayBuffer(contentBytes) : new ArrayBuffer(contentBytes);
  const content = new Uint8Array(buffer as ArrayBuffer);
  const [checksum] = (await readScattered(fd, [content], belongsTo)) ?? [];
  return checksum === undefined ? undefined : { content, checksum };
}

/**
 * Reads all of the content into places of the caller's, one after the other, in the same way. Gives the checksums up to the end of each;
 * undefined when the file is damaged or has another size.
 */
export async function readScattered(
  fd: number,
  places: readonly Uint8Array[],
  belongsTo?: Promise<Stored | undefined>,
): Promise<readonly number[] | undefined> {
  const contentBytes = places.reduce((sum, place) => sum + place.length, 0);
  if (contentBytesOf(fd) !== contentBytes) return undefined;
  let end = 0;
  const parts = places.map((place) => {
    const pieces = piecesOf(place, end);
    end += place.length;
    return pieces.map((piece) => ({ bytes: piece.bytes, read: readWhole(fd, piece) }));
  });
  const last = Buffer.alloc(checksumBytes);
  const reads = [...parts.flat().map(({ read }) => read), readWhole(fd, { bytes: last, at: end })];
  const owner = await belongsTo;
  let checksum = owner?.checksum ?? 0;
  const checksums: number[] = [];
  for (const part of parts) {
    // One piece is checked while the next ones are read.
    for (const { read, bytes } of part) if (await read) checksum = crc32(bytes, checksum);
    checksums.push(checksum);
  }
  // All are waited for: a file is not closed while it is read.
  const areWhole = (await Promise.all(reads)).every((isWhole) => isWhole);
  const isOwned = belongsTo === undefined || owner !== undefined;
  return areWhole && isOwned && checksum === last.readUInt32LE() ? checksums : undefined;
}

/** The same at once. */
export function readStored(fd: number, owner?: Stored): Stored | undefined {
  const contentBytes = contentBytesOf(fd);
  if (contentBytes < 0) return undefined;
  const content = new Uint8Array(contentBytes);
  const checksum = readInto(fd, content, owner?.checksum);
  return checksum === undefined ? undefined : { content, checksum };
}

/** Whether the file has a content of that size, which is whole. */
export function fillFrom(fd: number, content: Uint8Array): boolean {
  return contentBytesOf(fd) === content.length && readInto(fd, content) !== undefined;
}

/** The checksum, or undefined when it is not the one that the file tells. */
function readInto(fd: number, content: Uint8Array, ownerChecksum = 0): number | undefined {
  const last = Buffer.alloc(checksumBytes);
  if (!readAll(fd, content, 0) || !readAll(fd, last, content.length)) return undefined;
  const checksum = crc32(content, ownerChecksum);
  return checksum === last.readUInt32LE() ? checksum : undefined;
}

/** Negative of what is no such file. */
export const contentBytesOf = (fd: number): number => fstatSync(fd).size - checksumBytes;

interface Piece {
  readonly bytes: Uint8Array;
  readonly at: number;
}

function piecesOf(content: Uint8Array, start: number): Piece[] {
  return Array.from({ length: Math.ceil(content.length / pieceBytes) }, (_, index) => {
    const at = index * pieceBytes;
    return { bytes: content.subarray(at, at + pieceBytes), at: start + at };
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
