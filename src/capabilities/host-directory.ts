// The constructor for a folder of the host.
import type { HostDirectory, HostDirectoryMode } from "./capability.ts";
import { optionFields } from "./option-fields.ts";
import { checkedHostDirectory } from "./place-check.ts";
import type { Quantity } from "./quantity.ts";

/** How much a granted folder may grow, and what of it is there. */
export interface HostDirectoryOptions {
  /** By how much the folder may grow through this grant, over all of its lifetime (default "64 MiB"). */
  readonly bytes?: Quantity | undefined;
  /** How many names the grant may make: files, folders and links (default 10,000). */
  readonly files?: number | undefined;
  /** Only what one of these globs names is there, by its path below the folder: "*.csv", "data/**". Default: everything. */
  readonly match?: string | readonly string[] | undefined;
}

/**
 * A folder of the host's file system. Linux only.
 *
 * **Ambient authority**: `path` is resolved with the embedder's own rights, once, when the sandbox is created. From then on the guest can
 * reach what lies below that folder, wherever it is moved, and nothing else: no link, mount or ".." leads out, whatever other programs do
 * meanwhile. A file that has another name outside of the folder (a hard link) is the same file here, and granted with it.
 *
 * - `read`: the guest lists and reads.
 * - `write`: the guest makes, changes, renames and removes everything below the folder.
 * - `create-only`: the guest adds files and folders, and writes each file through the descriptor that made it. What was there is listed,
 *   and neither read, changed, renamed nor removed; what the guest added it may read, and change in mode and times.
 *
 * A guest that grows the folder by more than `bytes`, or makes more than `files` names, gets EDQUOT. What was removed is not given back.
 * Throws OptionError; what is wrong with the folder itself is told when a sandbox is created with it.
 */
export function hostDirectory(
  path: string,
  mode: HostDirectoryMode,
  options: HostDirectoryOptions = {},
): HostDirectory {
  optionFields("hostDirectory", options, ["bytes", "files", "match"]);
  const { bytes = "64 MiB", files = 10_000, match } = options;
  return checkedHostDirectory((field) => `hostDirectory ${optionOf.get(field) ?? field}`, {
    path,
    mode,
    growthBytes: bytes,
    maxFiles: files,
    match,
  });
}

const optionOf: ReadonlyMap<string, keyof HostDirectoryOptions> = new Map([
  ["growthBytes", "bytes"],
  ["maxFiles", "files"],
]);
