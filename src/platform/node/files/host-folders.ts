// Granting a folder of the host: its path is looked at once, with the embedder's rights, and opened; from then on only the descriptor
// counts, wherever the folder is moved and whatever takes its place.
import { closeSync, constants, openSync } from "node:fs";
import { allowanceWords } from "../../../filesystems/allowance.ts";
import type { HostDirectoryMode, HostFolderTicket } from "../../../filesystems/host-folder.ts";
import { hostCode } from "./host-errors.ts";
import { canConfine } from "./opened-folder.ts";

/** Why a folder cannot be granted, in words for the embedder. */
export class HostFolderRefusal extends Error {}

interface HostFolderWish {
  readonly path: string;
  readonly mode: HostDirectoryMode;
  readonly match: readonly string[] | undefined;
  readonly growthBytes: number;
  readonly maxFiles: number;
}

/** Throws HostFolderRefusal. */
export function grantHostFolder({
  path,
  mode,
  match,
  growthBytes,
  maxFiles,
}: HostFolderWish): HostFolderTicket {
  if (process.platform !== "linux")
    throw new HostFolderRefusal(
      "only Linux can keep a guest inside of a folder whatever other programs do to it",
    );
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const code = hostCode(error);
    const reasons = new Map([
      ["ENOENT", "there is no such folder"],
      ["ENOTDIR", "it is not a folder"],
    ]);
    throw new HostFolderRefusal(reasons.get(code) ?? `the host refuses to open it (${code})`);
  }
  if (!canConfine(fd)) {
    closeSync(fd);
    throw new HostFolderRefusal("folders can be granted only where /proc is mounted");
  }
  return { fd, mode, match, growth: allowanceWords(growthBytes), names: allowanceWords(maxFiles) };
}

/** Closes the folder and empties the ticket: the number will soon be that of another file. */
export function releaseHostFolder(ticket: HostFolderTicket): void {
  const { fd } = ticket;
  ticket.fd = undefined;
  if (fd !== undefined) closeSync(fd);
}
