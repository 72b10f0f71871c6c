// Whole subtrees from one tree into another, and away: what commits are made of. A copy has the permission bits and times of what it
// was made from, as far as that tells them.
import { fail } from "../../kernel/kernel-error.ts";
import { now, type Steps } from "../later.ts";
import type { Tree, TreeChange, TreeEntry, TreePath } from "../tree.ts";
import { childPath } from "../tree-path.ts";
import { reading } from "./lower-tree.ts";
import { listed } from "./overlay-changes.ts";

const pieceBytes = 2 ** 20;
const making = {
  read: false,
  write: true,
  append: false,
  truncate: false,
  create: "always",
  mode: 0o600,
} as const;

/** What the owner needs to list a folder, and to change names in it. */
const ownerMay = 0o700;

/**
 * Copies what stands at `from` to a path where nothing is, and says before each thing where in `source` it is. ENOENT, and whatever
 * the trees refuse with; then a part may be there.
 */
export function* copyTree(
  source: Tree,
  from: TreePath,
  target: Required<Tree>,
  to: TreePath,
  comesTo: (path: TreePath) => void,
): Steps<void> {
  comesTo(from);
  const entry = (yield* now(source.stat(from))) ?? fail("ENOENT");
  if (entry.kind === "link") {
    if (source.readLink === undefined) fail("EACCES");
    yield* now(target.makeLink(to, yield* now(source.readLink(from))));
    return;
  }
  if (entry.kind === "file") yield* copyFile(source, from, target, to);
  else {
    yield* now(target.makeDirectory(to, ownerMay));
    for (const { name } of yield* listed(source, from))
      yield* copyTree(source, childPath(from, name), target, childPath(to, name), comesTo);
    comesTo(from);
  }
  yield* now(target.change(to, attributesOf(entry)));
}

/** Removes what stands there, with all that is in it. */
export function* removeTree(tree: Required<Tree>, path: TreePath): Steps<void> {
  const entry = yield* now(tree.stat(path));
  if (entry === undefined) return;
  if (entry.kind !== "directory") return yield* now(tree.remove(path));
  if (entry.mode !== undefined && (entry.mode & ownerMay) !== ownerMay)
    yield* now(tree.change(path, { mode: entry.mode | ownerMay }));
  for (const { name } of yield* listed(tree, path)) yield* removeTree(tree, childPath(path, name));
  yield* now(tree.removeDirectory(path));
}

/** The same for a folder that is still worked in. */
export function unlocked(change: TreeChange): TreeChange {
  return change.mode === undefined ? change : { ...change, mode: change.mode | ownerMay };
}

export function attributesOf({ mode, modifiedNs, accessedNs }: TreeEntry): TreeChange {
  return {
    ...(mode !== undefined && { mode }),
    ...(modifiedNs !== undefined && { modifiedNs }),
    ...(accessedNs !== undefined && { accessedNs }),
  };
}

function* copyFile(source: Tree, from: TreePath, target: Required<Tree>, to: TreePath): Steps<void> {
  const input = yield* now(source.open(from, reading));
  try {
    const output = yield* now(target.open(to, making));
    try {
      if (input.read === undefined) fail("EACCES");
      if (output.write === undefined) fail("EROFS");
      for (let position = 0; ; ) {
        const bytes = yield* now(input.read(position, pieceBytes));
        if (bytes.length === 0) break;
        for (let done = 0; done < bytes.length; ) {
          const rest = bytes.subarray(done);
          done += (yield* now(output.write(position + done, rest))) ?? rest.length;
        }
        position += bytes.length;
      }
      if (output.sync !== undefined) yield* now(output.sync());
    } finally {
      if (output.close !== undefined) yield* now(output.close());
    }
  } finally {
    if (input.close !== undefined) yield* now(input.close());
  }
}
