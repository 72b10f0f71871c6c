// Entries of the guest's directories on their way out of a wall, as bytes: one record after the other, little-endian. A process may
// have been taken over, so the reader trusts no length, and takes nothing that could not be a name or a size.
import { fromLatin1, latin1 } from "../../abi/guest-memory.ts";
import { maxNameBytes } from "../../abi/limits.ts";
import type { ByteString, Node } from "../../kernel/filesystem.ts";

/** What a path of the guest's is. */
export type EntryKind = Node["kind"];

export interface PagedEntry {
  readonly kind: EntryKind;
  /** Empty for the answer about one path. */
  readonly name: ByteString;
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly modifiedNs: bigint;
  readonly ino: number;
  readonly links: number;
}

export const maxPageEntries = 256;

const kinds: readonly EntryKind[] = ["file", "directory", "link", "pipe", "device"];
/** u8 kind, u8 bytes of the name, u16 mode, f64 size, i64 modified, f64 number, f64 links. */
const headBytes = 36;

/** A name is at most 255 bytes long. */
export function encodeEntries(entries: readonly PagedEntry[]): Uint8Array<ArrayBuffer> {
  const total = entries.reduce((sum, { name }) => sum + headBytes + name.length, 0);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { kind, name, size, mode, modifiedNs, ino, links } of entries) {
    view.setUint8(at, kinds.indexOf(kind));
    view.setUint8(at + 1, name.length);
    view.setUint16(at + 2, mode, true);
    view.setFloat64(at + 4, size, true);
    view.setBigInt64(at + 12, BigInt.asIntN(64, modifiedNs), true);
    view.setFloat64(at + 20, ino, true);
    view.setFloat64(at + 28, links, true);
    bytes.set(fromLatin1(name), at + headBytes);
    at += headBytes + name.length;
  }
  return bytes;
}

/** Throws RangeError for anything that encodeEntries does not make. `named`: whether the entries have names. */
export function decodeEntries(bytes: Uint8Array, named: boolean): PagedEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: PagedEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (entries.length === maxPageEntries) throw new RangeError("a page of too many entries");
    const kind = kinds[view.getUint8(at)];
    const name = latin1(bytes.subarray(at + headBytes, at + headBytes + view.getUint8(at + 1)));
    const mode = view.getUint16(at + 2, true);
    const [size, ino, links] = [4, 20, 28].map((offset) => count(view.getFloat64(at + offset, true)));
    const modifiedNs = view.getBigInt64(at + 12, true);
    if (kind === undefined || mode > 0o7777 || size === undefined || ino === undefined || links === undefined)
      throw new RangeError("no entry");
    if (name.length !== view.getUint8(at + 1) || !(named ? isName(name) : name === ""))
      throw new RangeError("no name");
    entries.push({ kind, name, size, mode, modifiedNs, ino, links });
    at += headBytes + name.length;
  }
  return entries;
}

function count(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError("no count");
  return value;
}

function isName(name: ByteString): boolean {
  if (name === "" || name === "." || name === ".." || name.length > maxNameBytes) return false;
  return !name.includes("/") && !name.includes("\0");
}
