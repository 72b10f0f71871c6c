// A tree with one function around everything that can be asked of it and of its open files: what wrappers are made of. Each method is
// listed here by hand, and the types see to it that none is missing, so a method that is added to a tree is refused by every wrapper
// until somebody has thought about it.
import { canReadAhead, readsAhead } from "./first-look.ts";
import { now, run, type Steps } from "./later.ts";
import { isLockable, lockIdentity } from "./lock-identity.ts";
import type { Later, Tree, TreeAccess, TreeChange, TreeFile, TreePath } from "./tree.ts";
import { hasTrails, trail } from "./tree-trail.ts";

/** What is asked; `path` of an open file is the one under which it was opened. */
export type TreeRequest =
  | {
      readonly operation: "stat" | "list" | "readLink" | "remove" | "removeDirectory";
      readonly path: TreePath;
    }
  | { readonly operation: "open"; readonly path: TreePath; readonly access: TreeAccess }
  | { readonly operation: "makeDirectory"; readonly path: TreePath; readonly mode: number }
  | { readonly operation: "makeLink"; readonly path: TreePath; readonly target: string }
  | { readonly operation: "rename"; readonly path: TreePath; readonly to: TreePath }
  | { readonly operation: "change"; readonly path: TreePath; readonly change: TreeChange }
  | { readonly operation: "room" | "close"; readonly path: "" }
  | { readonly operation: "statFile" | "syncFile" | "closeFile"; readonly path: TreePath }
  | {
      readonly operation: "read";
      readonly path: TreePath;
      readonly position: number;
      readonly length: number;
    }
  | {
      readonly operation: "write";
      readonly path: TreePath;
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  | { readonly operation: "truncate"; readonly path: TreePath; readonly size: number }
  | { readonly operation: "changeFile"; readonly path: TreePath; readonly change: TreeChange };

/** The methods of a tree, and of an open file where both have one: `statFile`, `syncFile`, `changeFile`, `closeFile`. */
export type TreeOperation = TreeRequest["operation"];

/** Does what is asked with `proceed`, perhaps a little different, and gives its answer, perhaps another one; or refuses by throwing a FileError. */
export type Around = (
  request: TreeRequest,
  proceed: (asked: TreeRequest) => Later<unknown>,
) => Later<unknown>;

/** What an operation is about: `looks` at names and attributes, `reads` content, `changes` anything, `ends` a use. */
export const effects = {
  stat: "looks",
  list: "looks",
  readLink: "looks",
  open: "reads",
  makeDirectory: "changes",
  makeLink: "changes",
  remove: "changes",
  removeDirectory: "changes",
  rename: "changes",
  change: "changes",
  room: "looks",
  close: "ends",
  statFile: "looks",
  read: "reads",
  write: "changes",
  truncate: "changes",
  syncFile: "reads",
  changeFile: "changes",
  closeFile: "ends",
} as const satisfies Readonly<Record<TreeOperation, "looks" | "reads" | "changes" | "ends">>;

/**
 * The same tree with one function around everything that is asked of it and of its open files. What `tree` leaves out stays left out. `isTransparent`: looking and reading is as in `tree`, however often and by whom it is done; so what
 * trees of our own tell at once is told at once.
 */
export function aroundTree(tree: Tree, around: Around, isTransparent = false): Tree {
  const all: Required<Tree> = {
    stat: (path) => ask(around, { operation: "stat", path }, (asked) => tree.stat(asked.path)),
    list: (path) => ask(around, { operation: "list", path }, (asked) => tree.list?.(asked.path) ?? []),
    open: (path, access) => {
      const opened = (asked: { path: TreePath; access: TreeAccess }): Later<TreeFile> =>
        run(openAround(tree, asked.path, asked.access, around, isTransparent));
      return ask(around, { operation: "open", path, access }, opened);
    },
    readLink: (path) =>
      ask(around, { operation: "readLink", path }, (asked) => tree.readLink?.(asked.path) ?? ""),
    makeDirectory: (path, mode) =>
      ask(around, { operation: "makeDirectory", path, mode }, (asked) =>
        tree.makeDirectory?.(asked.path, asked.mode),
      ),
    makeLink: (path, target) =>
      ask(around, { operation: "makeLink", path, target }, (asked) =>
        tree.makeLink?.(asked.path, asked.target),
      ),
    remove: (path) => ask(around, { operation: "remove", path }, (asked) => tree.remove?.(asked.path)),
    removeDirectory: (path) =>
      ask(around, { operation: "removeDirectory", path }, (asked) => tree.removeDirectory?.(asked.path)),
    rename: (path, to) =>
      ask(around, { operation: "rename", path, to }, (asked) => tree.rename?.(asked.path, asked.to)),
    change: (path, change) =>
      ask(around, { operation: "change", path, change }, (asked) => tree.change?.(asked.path, asked.change)),
    room: () => ask(around, { operation: "room", path: "" }, () => tree.room?.() ?? noRoom),
    close: () => ask(around, { operation: "close", path: "" }, () => tree.close?.()),
  };
  const kept = only(all, tree);
  return isTransparent && hasTrails(tree)
    ? Object.assign(kept, { [trail]: (path: TreePath, count: number) => tree[trail](path, count) })
    : kept;
}

const noRoom = { bytes: 0, freeBytes: 0, files: 0, freeFiles: 0 };

function* openAround(
  tree: Tree,
  path: TreePath,
  access: TreeAccess,
  around: Around,
  isTransparent: boolean,
): Steps<TreeFile> {
  const file = yield* now(tree.open(path, access));
  const wrapped = fileAround(file, path, around);
  return isTransparent && canReadAhead(file) ? Object.assign(wrapped, { [readsAhead]: true }) : wrapped;
}

function fileAround(file: TreeFile, path: TreePath, around: Around): TreeFile {
  const nothing = new Uint8Array(0);
  const all: Required<TreeFile> = {
    stat: () => ask(around, { operation: "statFile", path }, () => file.stat()),
    read: (position, length) => {
      const request = { operation: "read", path, position, length } as const;
      return ask(around, request, (asked) => file.read?.(asked.position, asked.length) ?? nothing);
    },
    write: (position, bytes) => {
      const request = { operation: "write", path, position, bytes } as const;
      return ask(around, request, (asked) => file.write?.(asked.position, asked.bytes));
    },
    truncate: (size) =>
      ask(around, { operation: "truncate", path, size }, (asked) => file.truncate?.(asked.size)),
    sync: () => ask(around, { operation: "syncFile", path }, () => file.sync?.()),
    change: (change) =>
      ask(around, { operation: "changeFile", path, change }, (asked) => file.change?.(asked.change)),
    close: () => ask(around, { operation: "closeFile", path }, () => file.close?.()),
  };
  const kept = only(all, file);
  // Which file it is stays what it is, whatever is around it: otherwise two sandboxes would not meet.
  return isLockable(file) ? Object.assign(kept, { [lockIdentity]: () => file[lockIdentity]() }) : kept;
}

/** The answer is of the kind that was asked for, as far as `around` keeps to it; whoever asked checks answers anyway. */
function ask<Q extends TreeRequest, T>(
  around: Around,
  request: Q,
  proceed: (asked: Q) => Later<T>,
): Later<T> {
  const checked = (asked: TreeRequest): Later<T> => {
    if (asked.operation === request.operation) return proceed(asked as Q);
    throw new TypeError(`a wrapper was asked to ${request.operation} and goes on with ${asked.operation}`);
  };
  return around(request, checked) as Later<T>;
}

/** Of all methods those that the original has; `close` always, because what is around may have to end something. */
function only<T extends Tree | TreeFile>(all: Required<T>, original: T): T {
  const kept: Partial<T> = { ...all };
  for (const name of Object.keys(all) as (keyof T)[])
    if (original[name] === undefined && name !== "close") delete kept[name];
  return kept as T;
}
