// One file of the cache: a content, and behind it the CRC-32 of that, which is there to notice damage. What belongs to another file has a
// checksum of both.
import { fstatSync, readv } from "node:fs";
import { promisify } from "node:util";
// A seventh of the time of SHA-256, for 20 MB at each start.
import { crc32 } from "node:zlib";
import { readAll } from "../read-all.ts";

const readvLater = promisify(readv);
export const checksumBytes = 4;

export interface Stored {
  readonly content: Uint8Array<ArrayBuffer>;
  /** CRC-32 of the content. */
  readonly checksum: number;
}

/** What stands behind a content with that checksum. `owner`: the checksum of what it was written for; it is there for nothing else. */
export function sealOf(checksum: number, owner?: number): Buffer {
  const seal = Buffer.alloc(checksumBytes);
  seal.writeUInt32LE(owner === undefined ? checksum : crc32(sealOf(owner), checksum));
  return seal;
}

/**
 * Read by one thread of the system's, in one go: several of them touch new pages in each other's way, and on two processors they take
 * twice as long together. Undefined when the file is damaged.
 */
export async function readStoredLater(fd: number, shared = false): Promise<Stored | undefined> {
  const contentBytes = contentBytesOf(fd);
  if (contentBytes < 0) return undefined;
  const content = new Uint8Array(
    (shared ? new SharedArrayBuffer(contentBytes) : new ArrayBuffer(contentBytes)) as ArrayBuffer,
  );
  const [checksum] = (await readScattered(fd, [content])) ?? [];
  return checksum === undefined ? undefined : { content, checksum };
}

/**
 * Reads all of the content into places of the caller's, one after the other, in the same way. Gives the checksums up to the end of each;
 * undefined when the file is damaged or has another size.
 */
export async function readScattered(
  fd: number,
  places: readonly Uint8Array[],
): Promise<readonly number[] | undefined> {
  const contentBytes = places.reduce((sum, place) => sum + place.length, 0);
  const seal = Buffer.alloc(checksumBytes);
  if (contentBytesOf(fd) !== contentBytes || !(await readWhole(fd, [...places, seal]))) return undefined;
  let checksum = 0;
  const checksums = places.map((place) => {
    // Of no bytes, without an address, zlib gives the checksum at the start (crc32_z).
    if (place.length > 0) checksum = crc32(place, checksum);
    return checksum;
  });
  return seal.equals(sealOf(checksum)) ? checksums : undefined;
}

/** False where the file ends before the places do. */
async function readWhole(fd: number, places: readonly Uint8Array[]): Promise<boolean> {
  let rest = places;
  // One call fills as many as the system takes at once (libuv, uv__fs_read).
  for (let at = 0; rest.length > 0; ) {
    const { bytesRead } = await readvLater(fd, rest, at);
    if (bytesRead === 0) return false;
    at += bytesRead;
    rest = behind(rest, bytesRead);
  }
  return true;
}

/** What is left of places of which the first bytes are filled. */
function behind(places: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  const index = places.findIndex((place) => {
    if (left < place.length) return true;
    left -= place.length;
    return false;
  });
  const [first, ...others] = index < 0 ? [] : places.slice(index);
  return first === undefined ? [] : [first.subarray(left), ...others];
}

/** A file as it was read, and not verified yet. */
interface Unverified extends Stored {
  readonly seal: Uint8Array;
}

/** At once, by this thread. */
export function readUnverified(fd: number): Unverified | undefined {
  const contentBytes = contentBytesOf(fd);
  if (contentBytes < 0) return undefined;
  // A buffer of its own, without the seal: V8 takes its code from no other (machine-code.ts).
  const content = new Uint8Array(contentBytes);
  const seal = Buffer.alloc(checksumBytes);
  if (!readAll(fd, content, 0) || !readAll(fd, seal, contentBytes)) return undefined;
  return { content, checksum: crc32(content), seal };
}

/** `owner`: what it has to belong to. Undefined when it does not, or is damaged. */
export function verified(read: Unverified | undefined, owner?: Stored): Stored | undefined {
  return read && sealOf(read.checksum, owner?.checksum).equals(read.seal) ? read : undefined;
}

/** Whether the file has a content of that size, which is whole, and of that owner: it stands in `content` then. */
export function fillFrom(fd: number, content: Uint8Array, owner?: number): boolean {
  const seal = Buffer.alloc(checksumBytes);
  return (
    contentBytesOf(fd) === content.length &&
    readAll(fd, content, 0) &&
    readAll(fd, seal, content.length) &&
    sealOf(crc32(content), owner).equals(seal)
  );
}

/** Negative of what is no such file. */
export const contentBytesOf = (fd: number): number => fstatSync(fd).size - checksumBytes;
