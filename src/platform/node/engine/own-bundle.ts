// The bundles of the package that start anew in each process: the library and the command.
import { loadBundle } from "./bytecode.ts";

/** What such a bundle exports beside what it is for. */
interface OwnBundle {
  /** Whether this process has put anything into the cache. */
  hasWritten(): boolean;
  /** See used-parts.ts. */
  usedParts(): number;
}

/**
 * What the file exports. Its bytecode is kept at the end of the first process that has prepared nothing, when all that it takes to run a
 * program has been compiled and nothing else: with what prepares an image in it, each later process would read a third more. The first
 * process that uses another part adds to it.
 */
export function loadOwnBundle<T extends OwnBundle>(file: string): T {
  const bundle = loadBundle(file);
  const exports = bundle.exports as T;
  process.once("exit", () => {
    const used = exports.usedParts();
    const isMore = (used & ~bundle.parts) !== 0;
    if (!exports.hasWritten() && (isMore || !bundle.hadBytecode)) bundle.keep(bundle.parts | used);
  });
  return exports;
}
