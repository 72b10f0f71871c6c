// Where the package is, and in it the bundles that are files of their own.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One to three folders up, in the package as in its source. The resolver would read and parse what stands there. */
export const packageRoot = above(dirname(fileURLToPath(import.meta.url)));

/** Throws when nothing above is a package, rather than climbing for ever. */
function above(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("this file does not stand in a package");
  return above(parent);
}

export const workerEntryScript = join(packageRoot, "dist", "worker.cjs");
export const workerMainScript = join(packageRoot, "dist", "worker-main.cjs");
export const libraryScript = join(packageRoot, "dist", "library.cjs");
export const commandScript = join(packageRoot, "dist", "command.cjs");
export const processScript = join(packageRoot, "dist", "process.cjs");
