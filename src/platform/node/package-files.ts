// The package's own data: the guest's Python and its time zones, and Pyodide's two data files.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type DistributionPart, distribution } from "../../interpreter/distribution.ts";
import { packageRoot } from "./package-root.ts";
import { sha256 } from "./powers.ts";

const guestNames = [
  "__init__.py",
  "_builtins.py",
  "_ending.py",
  "_finders.py",
  "_hooks.py",
  "_host.py",
  "_host_functions.py",
  "_host_lent.py",
  "_host_loop.py",
  "_host_module.py",
  "_host_stream.py",
  "_host_things.py",
  "_library.py",
  "_report.py",
  "_restore.py",
  "_runner.py",
  "_session_loop.py",
  "_source.py",
  "_survey.py",
  "_values.py",
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

/** What the build has found (tools/build.mjs). */
declare const __guestDigest: string | undefined;

/**
 * Names the guest package by its content: SHA-256 of its files in the order of their names, in hexadecimal. Built code has it, and reads no
 * file for it; `readGuestFiles` gives what is there now.
 */
export function guestDigest(): string {
  return typeof __guestDigest === "string" ? __guestDigest : digestOf(readGuestFiles());
}

export function digestOf(files: ReadonlyMap<string, Uint8Array>): string {
  return sha256(...files.values());
}

export function readDistributionFile(part: DistributionPart): Uint8Array {
  if (part === "timeZones") return readFileSync(join(packageRoot, "guest", distribution.timeZones.file));
  return readFileSync(createRequire(import.meta.url).resolve(`pyodide/${distribution[part].file}`));
}
