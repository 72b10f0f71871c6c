// Where the package's own files are: the guest's Python and its time zones, the worker script, and Pyodide's two data files.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DistributionPart, distribution } from "../../interpreter/distribution.ts";

/** One to three folders up, in the package as in its source. The resolver would read and parse what stands there. */
const packageRoot = above(dirname(fileURLToPath(import.meta.url)));

/** Throws when nothing above is a package, rather than climbing for ever. */
function above(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("this file does not stand in a package");
  return above(parent);
}

export const workerScript = join(packageRoot, "dist", "worker.cjs");
export const commandScript = join(packageRoot, "dist", "command.cjs");
export const processScript = join(packageRoot, "dist", "process.cjs");

const guestNames = [
  ...["__init__.py", "_host.py", "_host_functions.py", "_host_lent.py", "_host_loop.py", "_host_module.py"],
  ...["_host_stream.py", "_host_things.py", "_restore.py", "_runner.py", "_survey.py", "_values.py"],
] as const;

/** The guest package, by path below the standard library. */
export function readGuestFiles(): ReadonlyMap<string, Uint8Array> {
  return new Map(
    guestNames.map((name) => [
      `sandboa/${name}`,
      new Uint8Array(readFileSync(join(packageRoot, "guest", "sandboa", name))),
    ]),
  );
}

export function readDistributionFile(part: DistributionPart): Uint8Array {
  if (part === "timeZones") return readFileSync(join(packageRoot, "guest", distribution.timeZones.file));
  return readFileSync(createRequire(import.meta.url).resolve(`pyodide/${distribution[part].file}`));
}
