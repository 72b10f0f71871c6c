// Files and folders of the host, opened when they are granted; what cannot be opened is an option that is refused.
import type { HostDirectory, HostFile } from "../../capabilities/capability.ts";
import { OptionError } from "../../errors/option-error.ts";
import type { HostFileTicket } from "../../filesystems/host-file.ts";
import type { HostFolderTicket } from "../../filesystems/host-folder.ts";
import { grantHostFile, HostFileRefusal } from "../../platform/node/files/host-files.ts";
import { grantHostFolder, HostFolderRefusal } from "../../platform/node/files/host-folders.ts";

/** Throws OptionError for a file that cannot be granted. */
export function grantedTicket(option: string, { path, mode }: HostFile): HostFileTicket {
  try {
    return grantHostFile(path, mode);
  } catch (error) {
    if (!(error instanceof HostFileRefusal)) throw error;
    const accepted =
      mode === "create" ? "a path where nothing is yet" : `a regular file that can be opened to ${mode}`;
    throw new OptionError(option, path, `${accepted} (${error.message})`);
  }
}

/** Throws OptionError for a folder that cannot be granted. */
export function grantedFolder(option: string, folder: HostDirectory): HostFolderTicket {
  try {
    return grantHostFolder(folder);
  } catch (error) {
    if (!(error instanceof HostFolderRefusal)) throw error;
    throw new OptionError(option, folder.path, `a folder that can be granted (${error.message})`);
  }
}
