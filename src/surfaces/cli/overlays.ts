// Folders granted through `--overlay`: what the program changed is told after the run, and brought into the folder with `--commit`.
import { hostDirectory, type Overlay, type OverlayChange, overlay, SandboxError } from "../../index.ts";
import { printable } from "./printable.ts";

/** As the command line says it. */
export interface OverlayFlag {
  readonly guest: string;
  readonly host: string;
  readonly bytes: string;
}

export interface GrantedOverlay extends OverlayFlag {
  readonly place: Overlay;
}

const mostLines = 100;

/** Throws OptionError. The folder is granted for writing only where it is to be written to. */
export function grantOverlay(flag: OverlayFlag, commits: boolean): GrantedOverlay {
  const lower = hostDirectory(flag.host, commits ? "write" : "read");
  return { ...flag, place: overlay(lower, { bytes: flag.bytes }) };
}

/** Tells the changes, and commits them when that was asked for and the program ended well. Returns whether nothing went wrong. */
export async function settleOverlays(
  overlays: readonly GrantedOverlay[],
  commits: "no" | "yes" | "failed",
  write: (text: string) => void,
): Promise<boolean> {
  let isWell = true;
  for (const { guest, host, place } of overlays) {
    try {
      const changes = await place.changes();
      const what = commits === "failed" ? ", not committed because the program failed" : "";
      write(`sandboa: ${summary(`${guest} over ${host}`, changes)}${what}\n`);
      for (const { change, path } of changes.slice(0, mostLines))
        write(`  ${change}  ${printable(path, true)}\n`);
      if (changes.length > mostLines) write(`  and ${changes.length - mostLines} more\n`);
      if (commits === "yes") await place.commit();
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      isWell = false;
      write(`sandboa: ${printable(`${host}: ${error.message}`, true)}\n`);
    }
  }
  return isWell;
}

function summary(where: string, changes: readonly OverlayChange[]): string {
  const count = (wanted: OverlayChange["change"]): number =>
    changes.filter(({ change }) => change === wanted).length;
  const shown = printable(where, true);
  if (changes.length === 0) return `nothing changed in ${shown}`;
  return `${count("created")} created, ${count("changed")} changed, ${count("removed")} removed in ${shown}`;
}
