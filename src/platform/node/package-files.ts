// Where the package's own files are: the guest's Python, the worker script, and Pyodide's two data files.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { distribution } from "../../interpreter/distribution.ts";

const resolver = createRequire(import.meta.url);
const packageRoot = dirname(resolver.resolve("sandboa/package.json"));

export const workerScript = join(packageRoot, "dist", "worker.cjs");
export const processScript = join(packageRoot, "dist", "process.cjs");

const guestNames = ["__init__.py", "_runner.py", "_survey.py", "_values.py"] as const;

/** The guest package, by path below the standard library. */
export function readGuestFiles(): ReadonlyMap<string, Uint8Array> {
  return new Map(
    guestNames.map((name) => [
      `sandboa/${name}`,
      new Uint8Array(readFileSync(join(packageRoot, "guest", "sandboa", name))),
    ]),
  );
}

export function readDistributionFile(part: "wasm" | "library"): Uint8Array {
  return readFileSync(resolver.resolve(`pyodide/${distribution[part].file}`));
}
