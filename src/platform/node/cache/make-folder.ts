// A folder with all that leads to it. Not mkdir's own `recursive`, which never ends where a parent exists and takes no folders (/proc).
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** Throws what the system said where it cannot be made; nothing happens where something of that name is there. */
export function makeFolder(path: string): void {
  try {
    make(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    make(path);
  }
}

function make(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it just now.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
