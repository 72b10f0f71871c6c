// Places that are made of the embedder's code: a folder behind the interface of trees, and one file behind a few functions.
import { isPlainObject } from "../errors/object-kinds.ts";
import { OptionError } from "../errors/option-error.ts";
import type { Later, Tree } from "../filesystems/tree.ts";
import { borrowedTree, treeMethods } from "./borrowed-tree.ts";
import type { TreeCapability } from "./capability.ts";
import { optionalFunction, optionFields } from "./option-fields.ts";
import { functionFile, generatedFile, type VirtualFileSource } from "./virtual-file.ts";

const fileMethods: readonly (keyof VirtualFileSource)[] = ["read", "write", "truncate", "sync", "modifiedNs"];

/**
 * A file whose content the embedder's functions provide: `source` has functions that read and write at a position, or is one function
 * that gives the whole content, each time that the guest opens the file. What they throw is the guest's OSError where it is a FileError,
 * else EIO and a fault for `onEvent`. Functions that give promises need isolation "worker" or "process". Throws
 * OptionError where there is neither `read` nor `write`.
 */
export function virtualFile(source: VirtualFileSource | (() => Later<Uint8Array | string>)): TreeCapability {
  if (typeof source === "function") return { kind: "tree", root: "file", open: () => generatedFile(source) };
  if (typeof source !== "object" || source === null)
    throw new OptionError("virtualFile", source, "{ read, size } or a function that gives the content");
  for (const name of fileMethods) optionalFunction(`virtualFile ${name}`, source[name]);
  demandKnownIfPlain("virtualFile", source, [...fileMethods, "size"]);
  const { size } = source;
  const isSize = typeof size === "number" && Number.isSafeInteger(size) && size >= 0;
  if (size !== undefined && typeof size !== "function" && !isSize)
    throw new OptionError("virtualFile size", size, "a number of bytes, or a function that gives it");
  if (source.read === undefined && source.write === undefined)
    throw new OptionError("virtualFile", source, "an object with read or write");
  return { kind: "tree", root: "file", open: () => functionFile(source) };
}

/**
 * A folder, or anything else with the interface of trees, that the embedder's code provides. An object is used in every lifetime and stays
 * the embedder's: it is not closed. A function is called for each lifetime, and what it gives is closed at the end of it. Throws OptionError for
 * what has no `stat` and `open`.
 */
export function virtualDirectory(tree: Tree | (() => Tree)): TreeCapability {
  if (typeof tree === "function") return { kind: "tree", open: () => demandTree(tree()) };
  demandTree(tree);
  return { kind: "tree", open: () => borrowedTree(tree) };
}

function demandTree(tree: Tree): Tree {
  if (
    typeof tree !== "object" ||
    tree === null ||
    typeof tree.stat !== "function" ||
    typeof tree.open !== "function"
  )
    throw new OptionError(
      "virtualDirectory",
      tree,
      "an object with at least the functions stat and open of a Tree",
    );
  for (const name of treeMethods) optionalFunction(`virtualDirectory ${name}`, tree[name]);
  demandKnownIfPlain("virtualDirectory", tree, treeMethods);
  return tree;
}

/** An instance of a class may have members of its own; in a plain object what nobody asks for is a mistake. */
function demandKnownIfPlain(option: string, value: object, names: readonly string[]): void {
  if (isPlainObject(value)) optionFields(option, value, names);
}
