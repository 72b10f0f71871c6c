// Where the guest finds the folder that its program lies in, as far as that is granted: python imports from there.
import { realpathSync } from "node:fs";
import { dirname, isAbsolute, relative, sep } from "node:path";
import type { FileCapability } from "../../index.ts";
import type { OverlayFlag } from "./overlays.ts";

interface GrantedFolders {
  readonly files: ReadonlyMap<string, FileCapability>;
  readonly overlays: readonly OverlayFlag[];
}

/** Undefined where nothing of a readable folder leads to `file`. As for python, what counts is the file behind a link. */
export function scriptFolder(file: string, { files, overlays }: GrantedFolders): string | undefined {
  const overlaid = new Map(overlays.map(({ guest, host }) => [guest, host]));
  for (const [guest, capability] of files) {
    const isReadable = capability.kind === "hostDirectory" && capability.mode !== "create-only";
    const host = isReadable ? capability.path : overlaid.get(guest);
    const inside = host === undefined ? undefined : folderInside(host, file);
    if (inside !== undefined) return [guest, ...inside].join("/");
  }
  return undefined;
}

/** The names that lead from a folder to that of the file. */
function folderInside(folder: string, file: string): readonly string[] | undefined {
  let path: string;
  try {
    path = relative(realpathSync(folder), dirname(realpathSync(file)));
  } catch {
    // One of them is not there, which is told where it is opened.
    return undefined;
  }
  if (path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path)) return undefined;
  return path === "" ? [] : path.split(sep);
}
