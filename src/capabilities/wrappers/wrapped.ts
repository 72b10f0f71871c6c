// Another place with one's own tree around its tree: what all wrappers are. The inner place is resolved with its own authority, and the
// wrapper sees every use of it by every sandbox that it is granted to.
import type { Tree } from "../../filesystems/tree.ts";
import type { FileCapability, PlaceEnvironment, Wrapped } from "../capability.ts";
import { checkWrapped } from "../place-check.ts";

/**
 * Another place with a tree of one's own around its tree. `wrap` is called whenever a sandbox begins a lifetime with this capability, that is when it is created and at each reset. It gets the
 * tree of `inner` and gives another one. A tree that it gives must close `tree` when it is closed. Throws
 * OptionError for a scratch that is not shared.
 */
export function wrapped(
  inner: FileCapability,
  wrap: (tree: Tree, environment: PlaceEnvironment) => Tree,
): Wrapped {
  checkWrapped((field) => `wrapped ${field === "inner" ? "capability" : field}`, { inner, wrap });
  return { kind: "wrapped", inner, wrap };
}
