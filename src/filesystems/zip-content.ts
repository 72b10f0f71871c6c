// The content of one zip entry. Before anything is inflated its local header must tell the same as the central directory;
// afterwards size and checksum must be what was declared.
import { crc32 } from "./crc32.ts";
import { ArchiveFormatError, localHeaderBytes, refuse, type ZipEntry, zipMethod } from "./zip-archive.ts";

/**
 * Raw deflate (RFC 1951) of `compressed`; `sizeBytes` is at least 1. Must never allocate much more than `sizeBytes`: throw
 * as soon as there is more.
 */
export type Inflate = (compressed: Uint8Array, sizeBytes: number) => Uint8Array;

const localSignature = 0x04034b50;
/** Checksum and sizes come behind the content, and are zero in the local header. */
const sizesFollowFlag = 0b1000;

/** In fresh, unshared memory. Throws ArchiveFormatError. */
export function extractZipEntry(archive: Uint8Array, entry: ZipEntry, inflate: Inflate): Uint8Array {
  const start = contentStart(archive, entry);
  // A copy, since an inflater may not take shared memory, and so that what is checked is what was inflated.
  const compressed = new Uint8Array(archive.subarray(start, start + entry.compressedBytes));
  const content = decoded(compressed, entry, inflate);
  if (content.length !== entry.sizeBytes) refuse("its content does not have the declared size", entry.path);
  if (crc32(content) !== entry.crc32) refuse("its content does not match its checksum", entry.path);
  return content;
}

function decoded(compressed: Uint8Array, entry: ZipEntry, inflate: Inflate): Uint8Array {
  if (entry.method === zipMethod.STORED) return compressed;
  if (entry.sizeBytes === 0) return compressed.subarray(0, 0);
  try {
    // Copied, since an inflater may return a view of a larger buffer, which would be held as long as the file.
    return new Uint8Array(inflate(compressed, entry.sizeBytes));
  } catch (cause) {
    const place = JSON.stringify(entry.path);
    throw new ArchiveFormatError(`archive entry ${place}: its content does not inflate`, { cause });
  }
}

function contentStart(archive: Uint8Array, entry: ZipEntry): number {
  const { header, path, isDirectory } = entry;
  // Parsing has made sure that the header and a name of the right length lie within the archive.
  const view = new DataView(archive.buffer, archive.byteOffset + header, localHeaderBytes);
  if (view.getUint32(0, true) !== localSignature) refuse("its header has a wrong signature", path);
  const sizesFollow = (view.getUint16(6, true) & sizesFollowFlag) !== 0;
  const name = isDirectory ? `${path}/` : path;
  const same =
    view.getUint16(8, true) === entry.method &&
    (sizesFollow || view.getUint32(14, true) === entry.crc32) &&
    (sizesFollow || view.getUint32(18, true) === entry.compressedBytes) &&
    (sizesFollow || view.getUint32(22, true) === entry.sizeBytes) &&
    view.getUint16(26, true) === name.length &&
    archive
      .subarray(header + localHeaderBytes, header + localHeaderBytes + name.length)
      .every((byte, i) => byte === name.charCodeAt(i));
  if (!same) refuse("its header disagrees with the central directory", path);
  const start = header + localHeaderBytes + name.length + view.getUint16(28, true);
  if (start + entry.compressedBytes > entry.limit) refuse("its bytes overlap what follows", path);
  return start;
}
