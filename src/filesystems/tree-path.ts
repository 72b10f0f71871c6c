// Paths of trees: names as text, in which every byte string has exactly one spelling. UTF-8 is decoded strictly (RFC 3629), and
// each byte that is part of nothing valid becomes a lone surrogate U+DC80 to U+DCFF, as Python's surrogateescape does (PEP 383).
// Invariant: pathBytes(treePath(bytes)) is bytes; text that would be a second spelling of the same bytes is no path.

import { maxNameBytes } from "../abi/limits.ts";
import type { ByteString } from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import type { TreePath } from "./tree.ts";

const rootPath: TreePath = "";

const ascii = /^[^\u0080-\uffff]*$/;
const encoder = new TextEncoder();

/** The text of a byte string, a name or a path. */
export function treePath(bytes: ByteString): TreePath {
  if (ascii.test(bytes)) return bytes;
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? escaped(bytes.charCodeAt(at)) : decoded(bytes, at, length);
    at += Math.max(length, 1);
  }
  return text;
}

/** The byte string of a text. EINVAL: a lone surrogate that stands for no byte, or a second spelling of what has another text. */
export function pathBytes(path: TreePath): ByteString {
  if (ascii.test(path)) return path;
  let bytes = "";
  let escapes = false;
  for (const character of path) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) {
      bytes += String.fromCharCode(code - 0xdc00);
      escapes = true;
    } else if (code >= 0xd800 && code <= 0xdfff) fail("EINVAL");
    else if (code < 0x80) bytes += character;
    else for (const byte of encoder.encode(character)) bytes += String.fromCharCode(byte);
  }
  if (escapes && treePath(bytes) !== path) fail("EINVAL");
  return bytes;
}

/** Whether this is a path below a tree's root, or the root: what every tree may be asked for. */
export function isTreePath(path: unknown): path is TreePath {
  return typeof path === "string" && (path === rootPath || path.split("/").every(isTreeName));
}

/** Whether this is one name: none that is empty, "." or "..", holds "/" or NUL, has more than 255 bytes, or stands for no bytes. */
export function isTreeName(name: unknown): name is string {
  if (typeof name !== "string" || name === "" || name === "." || name === "..") return false;
  if (name.includes("/") || name.includes("\0") || name.length > maxNameBytes) return false;
  try {
    return pathBytes(name).length <= maxNameBytes;
  } catch {
    return false;
  }
}

/** The names from the root on; none for the root. */
export function pathNames(path: TreePath): string[] {
  return path === rootPath ? [] : path.split("/");
}

/** Of the directory that holds this path; the root's is the root. */
export function parentPath(path: TreePath): TreePath {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The last name; "" of the root. */
export function lastName(path: TreePath): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function childPath(directory: TreePath, name: string): TreePath {
  return directory === rootPath ? name : `${directory}/${name}`;
}

/** Whether `path` is somewhere below `directory`, and not that one itself. */
export function isBelow(path: TreePath, directory: TreePath): boolean {
  return directory === rootPath ? path !== rootPath : path.startsWith(`${directory}/`);
}

function escaped(byte: number): string {
  return String.fromCharCode(0xdc00 + byte);
}

function decoded(bytes: ByteString, at: number, length: number): string {
  if (length === 1) return bytes.charAt(at);
  let code = bytes.charCodeAt(at) & (0x7f >> length);
  for (let i = 1; i < length; i++) code = code * 64 + (bytes.charCodeAt(at + i) & 0x3f);
  return String.fromCodePoint(code);
}

/** How many bytes the character at `at` has (RFC 3629, the table of section 4); 0 when there is none. */
function sequenceLength(bytes: ByteString, at: number): number {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first <= 0xdf ? 2 : first >> 4 === 0xe ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length === 0) return 0;
  const second = bytes.charCodeAt(at + 1);
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (!(second >= least && second <= most)) return 0;
  for (let i = 2; i < length; i++) if (bytes.charCodeAt(at + i) >> 6 !== 2) return 0;
  return length;
}
