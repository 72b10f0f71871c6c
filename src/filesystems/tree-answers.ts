// What a tree has answered, made plain: each field is read once, and what no tree may say is a FaultyAnswer. Trees are code of the
// embedder's, which may be wrong in any way without the kernel noticing.
import { mode as modeBits } from "../abi/flags.ts";
import { maxPathBytes } from "../abi/limits.ts";
import { isBytes } from "../errors/object-kinds.ts";
import type { TreeEntry, TreeFile, TreeRoom } from "./tree.ts";
import { pathBytes } from "./tree-path.ts";

/** A tree broke its interface: a fault of the embedder's code. */
export class FaultyAnswer extends Error {
  override readonly name = "FaultyAnswer";
}

const kinds: readonly unknown[] = ["file", "directory", "link"] satisfies TreeEntry["kind"][];

export function refuse(what: string): never {
  throw new FaultyAnswer(`the tree answered ${what}`);
}

function count(value: unknown, what: string, least = 0): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least
    ? value
    : refuse(`with ${what} that is no whole number from ${least} on`);
}

function nanoseconds(value: unknown, what: string): bigint {
  return typeof value === "bigint" && BigInt.asIntN(80, value) === value
    ? value
    : refuse(`with ${what} that is no bigint of at most 80 bits`);
}

/** A plain copy. Throws FaultyAnswer. */
export function plainEntry(given: unknown): TreeEntry {
  if (typeof given !== "object" || given === null) refuse("with an entry that is no object");
  const { kind, size, mode, modifiedNs, accessedNs, changedNs, id, links } = given as Partial<TreeEntry>;
  if (kind === undefined || !kinds.includes(kind)) refuse("with an entry of no known kind");
  return {
    kind,
    size: kind === "directory" ? 0 : count(size, "a size"),
    ...(mode !== undefined && { mode: count(mode, "a mode") & modeBits.PERMISSIONS }),
    ...(modifiedNs !== undefined && { modifiedNs: nanoseconds(modifiedNs, "a modifiedNs") }),
    ...(accessedNs !== undefined && { accessedNs: nanoseconds(accessedNs, "an accessedNs") }),
    ...(changedNs !== undefined && { changedNs: nanoseconds(changedNs, "a changedNs") }),
    ...(id !== undefined && { id: count(id, "an id", 1) }),
    ...(links !== undefined && { links: Math.min(count(links, "links"), 2 ** 32 - 1) }),
  };
}

/** At most `length` of what was read. Throws FaultyAnswer. */
export function plainBytes(given: unknown, length: number): Uint8Array {
  return isBytes(given) ? given.subarray(0, length) : refuse("with bytes that are no Uint8Array");
}

/** How many of `length` bytes, which are more than none, were written. Throws FaultyAnswer. */
export function plainCount(given: unknown, length: number): number {
  return given === undefined ? length : Math.min(length, count(given, "a count of written bytes", 1));
}

/** A link's target. Throws FaultyAnswer. */
export function plainTarget(given: unknown): string {
  if (typeof given !== "string" || given === "" || given.includes("\0")) refuse("with a target that is none");
  try {
    if (pathBytes(given).length <= maxPathBytes) return given;
  } catch {
    // Told below.
  }
  return refuse("with a target that stands for no bytes, or too many");
}

export function plainRoom(given: unknown): TreeRoom | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== "object" || given === null) refuse("with room that is no object");
  const { bytes, freeBytes, files, freeFiles } = given as Partial<TreeRoom>;
  return {
    bytes: count(bytes, "bytes"),
    freeBytes: count(freeBytes, "freeBytes"),
    files: count(files, "files"),
    freeFiles: count(freeFiles, "freeFiles"),
  };
}

/** Throws FaultyAnswer. */
export function openedFile(given: unknown): TreeFile {
  return typeof given === "object" && given !== null && "stat" in given && typeof given.stat === "function"
    ? (given as TreeFile)
    : refuse("with no file");
}
