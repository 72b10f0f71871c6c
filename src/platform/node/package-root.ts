// Where the package is, and in it the bundles that are files of their own.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** In every copy of the package, built or not; a package.json above us is somebody else's when we were bundled into an application. */
const ourOwn = join("guest", "sandboa", "__init__.py");

/** One to three folders up, in the package as in its source. The resolver would read and parse what stands there. */
export const packageRoot = above(thisFile());

/** A bundler that writes CommonJS leaves no address. */
function thisFile(): string | undefined {
  const address = import.meta.url as string | undefined;
  return address?.startsWith("file:") ? fileURLToPath(address) : undefined;
}

/** Throws when nothing above is ours. */
function above(file: string | undefined): string {
  for (let at = file; at !== undefined && at !== dirname(at); at = dirname(at))
    if (existsSync(join(dirname(at), ourOwn))) return dirname(at);
  throw new Error(
    `sandboa does not find its own files from ${file ?? "here"}: it cannot be part of a bundle. ` +
      'Leave it outside, where Node finds it in node_modules (most bundlers: external: ["sandboa"])',
  );
}

export const workerEntryScript = join(packageRoot, "dist", "worker.cjs");
export const workerMainScript = join(packageRoot, "dist", "worker-main.cjs");
export const libraryScript = join(packageRoot, "dist", "library.cjs");
export const commandScript = join(packageRoot, "dist", "command.cjs");
export const processScript = join(packageRoot, "dist", "process.cjs");
