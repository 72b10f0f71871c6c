// A place that can be looked at and read, and in no way changed.

import { aroundTree, effects, type TreeRequest } from "../../filesystems/around-tree.ts";
import { now, run, type Steps } from "../../filesystems/later.ts";
import type { Later, Tree } from "../../filesystems/tree.ts";
import { fail } from "../../kernel/kernel-error.ts";
import type { FileCapability, Wrapped } from "../capability.ts";
import { wrapped } from "./wrapped.ts";

type OpenRequest = Extract<TreeRequest, { readonly operation: "open" }>;

/** The same place, to be looked at and read only: the guest gets EROFS for whatever would change something. */
export function readOnly(capability: FileCapability): Wrapped {
  return wrapped(capability, readOnlyTree);
}

function readOnlyTree(tree: Tree): Tree {
  const isTransparent = true;
  return aroundTree(
    tree,
    (request, proceed) => {
      if (request.operation === "open") return run(open(tree, request, proceed));
      return effects[request.operation] === "changes" ? fail("EROFS") : proceed(request);
    },
    isTransparent,
  );
}

function* open(
  tree: Tree,
  request: OpenRequest,
  proceed: (asked: OpenRequest) => Later<unknown>,
): Steps<unknown> {
  const { path, access } = request;
  if (access.write || access.truncate || access.create !== "never") {
    const there = (yield* now(tree.stat(path))) !== undefined;
    // As on a file system that is mounted read-only: what is there is told first (open(2)).
    if (there && access.create === "always") fail("EEXIST");
    if (access.write || access.truncate || !there) fail("EROFS");
  }
  return yield* now(proceed({ ...request, access: { ...access, create: "never" } }));
}
