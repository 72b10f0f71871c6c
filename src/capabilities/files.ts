// The constructors for places: one file of the host, one file of given bytes, room in memory.
import { maxNameBytes } from "../abi/limits.ts";
import { isBytes } from "../errors/object-kinds.ts";
import { OptionError } from "../errors/option-error.ts";
import { maxDepth } from "../filesystems/names.ts";
import type { HostFile, HostFileMode, MemoryFile, Scratch, TreeCapability } from "./capability.ts";
import { optionalFlag, optionFields } from "./option-fields.ts";
import { checkedHostFile, checkedScratch } from "./place-check.ts";
import type { Quantity } from "./quantity.ts";
import { sharedScratch } from "./shared-scratch.ts";

/**
 * One file of the host's file system.
 *
 * **Ambient authority**: `path` is resolved with the embedder's own rights, once, when the sandbox is created. Links and
 * renames on the host afterwards redirect nothing, and nothing beside that file can be reached, made or replaced.
 *
 * - `read`: the file exists; the guest reads it.
 * - `write`: the guest replaces or changes the content, and cannot read it. A missing file is made when the guest does so.
 * - `update`: the file exists; the guest reads it and changes its content.
 * - `append`: the guest adds at the end and can do nothing else. A missing file is made when the guest does so.
 * - `create`: the file must not exist; the guest may make it, once, and then write and read it.
 *
 * `bytes` caps the size of the file (default "64 MiB"); a guest that writes beyond gets EFBIG. Throws OptionError; what is wrong with the
 * file itself is told when a sandbox is created with it.
 */
export function hostFile(
  path: string,
  mode: HostFileMode,
  options: { readonly bytes?: Quantity | undefined } = {},
): HostFile {
  optionFields("hostFile", options, ["bytes"]);
  const { bytes = "64 MiB" } = options;
  const named = (field: string): string => `hostFile ${field === "maxBytes" ? "bytes" : field}`;
  return checkedHostFile(named, { path, mode, maxBytes: bytes });
}

/** A read-only file with this content; a string is encoded as UTF-8. The bytes are copied now. Throws OptionError for other content. */
export function memoryFile(content: Uint8Array | string): MemoryFile {
  if (typeof content === "string") return { kind: "memoryFile", bytes: new TextEncoder().encode(content) };
  if (isBytes(content)) return { kind: "memoryFile", bytes: new Uint8Array(content) };
  throw new OptionError("memoryFile content", content, "a Uint8Array or a string");
}

/** The room of a folder in memory. */
export interface ScratchOptions {
  /** Everything that is held for it. */
  readonly bytes: Quantity;
  /** Names: files, folders, links and pipes. Default 10,000. */
  readonly files?: number | undefined;
  /** How deep folders may be nested: 1 is a folder in it. Default and most: 2048. */
  readonly depth?: number | undefined;
  /** Of one name, in bytes. Default and most: 255. */
  readonly nameBytes?: number | undefined;
}

/**
 * An empty folder in memory. Each sandbox has its own, empty again after a reset, and what is in it counts for `limits.hostMemory`, too.
 *
 * With `shared: true` it is one room for all sandboxes that it is granted to, at the same time or one after the other; resets leave it as
 * it is. It belongs to the embedder: it counts for no sandbox's `hostMemory`, only for its own `bytes`, and is gone when nobody has the
 * capability any more. Sandboxes that share it can tell each other anything. Throws OptionError.
 */
export function scratch(options: ScratchOptions & { readonly shared: true }): TreeCapability;
export function scratch(options: ScratchOptions & { readonly shared?: false | undefined }): Scratch;
export function scratch(
  options: ScratchOptions & { readonly shared?: boolean | undefined },
): Scratch | TreeCapability {
  optionFields("scratch", options, ["bytes", "files", "depth", "nameBytes", "shared"]);
  const { bytes, files = 10_000, depth = maxDepth, nameBytes = maxNameBytes } = options;
  const shared = optionalFlag("scratch shared", options.shared, false);
  const room = checkedScratch((field) => `scratch ${scratchOptions.get(field)}`, {
    quotaBytes: bytes,
    maxFiles: files,
    maxDepth: depth,
    maxNameBytes: nameBytes,
  });
  return shared ? sharedScratch(room) : room;
}

const scratchOptions: ReadonlyMap<string, keyof ScratchOptions> = new Map([
  ["quotaBytes", "bytes"],
  ["maxFiles", "files"],
  ["maxDepth", "depth"],
  ["maxNameBytes", "nameBytes"],
]);
