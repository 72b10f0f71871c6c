// Another place with one's own tree around its tree: what all wrappers are. The inner place is resolved with its own authority, and the
// wrapper sees every use of it by every sandbox that it is granted to.
import { OptionError } from "../../errors/option-error.ts";
import type { Tree } from "../../filesystems/tree.ts";
import type { FileCapability, PlaceEnvironment, Wrapped } from "../capability.ts";

/**
 * `wrap` is called whenever a sandbox begins a lifetime with this capability, that is when it is created and at each reset. It gets the
 * tree of `inner` and gives another one. A tree that it gives must close `tree` when it is closed.
 */
export function wrapped(
  inner: FileCapability,
  wrap: (tree: Tree, environment: PlaceEnvironment) => Tree,
): Wrapped {
  if (typeof inner !== "object" || inner === null || typeof inner.kind !== "string")
    throw new OptionError("wrapped capability", inner, "a capability such as hostDirectory(…)");
  if (typeof wrap !== "function") throw new OptionError("wrapped wrap", wrap, "a function from tree to tree");
  return { kind: "wrapped", inner, wrap };
}
