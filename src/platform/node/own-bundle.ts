// The bundles of the package that start anew in each process: the library and the command.
import { loadBundle } from "./bytecode.ts";

/** What such a bundle exports beside what it is for. */
export interface OwnBundle {
  /** Whether this process has put anything into the cache. */
  hasWritten(): boolean;
}

/**
 * What the file exports. Its bytecode is kept at the end of the first process that needs no other, when all that it takes to run a program
 * has been compiled and nothing else: with what prepares an image in it, each later process would read a third more.
 */
export function loadOwnBundle<T extends OwnBundle>(file: string): T {
  const bundle = loadBundle(file);
  const exports = bundle.exports as T;
  if (!bundle.hadBytecode) process.once("exit", () => exports.hasWritten() || bundle.keep());
  return exports;
}
