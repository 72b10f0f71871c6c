// A place of which only a part is there. A path is there when the embedder's function says so of it and of every folder above it, so that
// hiding a folder hides all that is in it. Folders cannot be renamed (EXDEV, and programs copy instead): what is hidden in them
// would come to light under another path.
import { OptionError } from "../../errors/option-error.ts";
import { aroundTree, effects, type TreeOperation } from "../../filesystems/around-tree.ts";
import { isPending, now, run, type Steps } from "../../filesystems/later.ts";
import type { Later, NamedTreeEntry, Tree, TreePath } from "../../filesystems/tree.ts";
import { childPath, parentPath } from "../../filesystems/tree-path.ts";
import { fail } from "../../kernel/kernel-error.ts";
import type { FileCapability, Wrapped } from "../capability.ts";
import { type FilterPace, filteredList } from "./filtered-list.ts";
import { wrapped } from "./wrapped.ts";

/** What is asked of a filtered place. */
export interface FilterRequest {
  /** `stat` also stands for whether a name is listed, and whether a folder may be gone through. */
  readonly operation: Exclude<TreeOperation, "room" | "close">;
  /** Below the place's own root. Hostile text: the guest's. */
  readonly path: TreePath;
}

/** Whether it is there, or may be done: only `true` is a yes. What it throws is the guest's as from any place of the embedder's. */
export type Filter = (request: FilterRequest) => Later<boolean>;

/**
 * A place of which only a part is there. What is filtered out does not exist for who looks, and cannot be opened, made or changed (EACCES). The
 * root is always there, and a place that is one file can be refused by operation. Folders cannot be renamed (EXDEV).
 */
export function filtered(capability: FileCapability, filter: Filter): Wrapped {
  if (typeof filter !== "function") throw new OptionError("filtered filter", filter, "a function");
  const pace: FilterPace = { isWaitedFor: false };
  return wrapped(capability, (tree) => filteredTree(tree, filter, pace));
}

function filteredTree(tree: Tree, filter: Filter, pace: FilterPace): Tree {
  function* passes(operation: FilterRequest["operation"], path: TreePath): Steps<boolean> {
    for (let at = path; at !== ""; at = parentPath(at))
      if ((yield* now(filter({ operation: "stat", path: at }))) !== true) return false;
    if (operation === "stat" || (path === "" && effects[operation] === "looks")) return true;
    return (yield* now(filter({ operation, path }))) === true;
  }

  return aroundTree(tree, (request, proceed) => {
    const { operation, path } = request;
    if (operation === "room" || effects[operation] === "ends") return proceed(request);
    const asked = operation as FilterRequest["operation"];
    const passing = run(passes(asked, path));
    pace.isWaitedFor ||= isPending(passing);
    // Bytes are only valid during the call.
    const kept =
      request.operation === "write" && isPending(passing)
        ? { ...request, bytes: request.bytes.slice() }
        : request;
    function* steps(): Steps<unknown> {
      if (!(yield* now(passing))) {
        if (asked === "stat") return undefined;
        fail(asked === "list" || asked === "readLink" ? "ENOENT" : "EACCES");
      }
      if (request.operation === "rename") {
        if (!(yield* passes("rename", request.to))) fail("EACCES");
        if ((yield* now(tree.stat(path)))?.kind === "directory") fail("EXDEV");
      }
      const answer = yield* now(proceed(kept));
      if (operation !== "list") return answer;
      const isShown = ({ name }: NamedTreeEntry): Later<boolean> =>
        run(passes("stat", childPath(path, name)));
      return yield* filteredList(answer as Iterable<NamedTreeEntry>, isShown, pace);
    }
    return run(steps());
  });
}
