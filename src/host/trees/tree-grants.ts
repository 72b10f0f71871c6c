// From a capability to the tree that stands behind it. A grant resolves authority once, when the sandbox is created, and is released
// when the sandbox closes; each lifetime opens the tree anew.
import { treeMethods } from "../../capabilities/borrowed-tree.ts";
import type { FileCapability, PlaceEnvironment, PlaceUse, Wrapped } from "../../capabilities/capability.ts";
import { optionalFunction } from "../../capabilities/option-fields.ts";
import { checkedPlace } from "../../capabilities/place-check.ts";
import { OptionError } from "../../errors/option-error.ts";
import type { Tree } from "../../filesystems/tree.ts";
import { releaseHostFile } from "../../platform/node/files/host-files.ts";
import { releaseHostFolder } from "../../platform/node/files/host-folders.ts";
import { HostTree } from "../../platform/node/files/host-tree.ts";
import { grantedFolder, grantedTicket } from "../options/host-places.ts";
import { hostFileTree, memoryFileTree } from "./local-trees.ts";

/** Released when no lifetime goes on. */
export type TreeGrant = PlaceUse;

/** Throws OptionError for what cannot be granted; then nothing is held. */
export function grantTree(option: string, place: FileCapability): TreeGrant {
  return grantCheckedTree(option, checkedPlace(option, place), place);
}

/** `given` is what was checked, as the embedder has it, who may have granted the same to others. */
export function grantCheckedTree(
  option: string,
  capability: FileCapability,
  given: FileCapability,
): TreeGrant {
  switch (capability.kind) {
    case "tree":
      return {
        root: capability.root,
        lockedBy: { within: capability, word: "id" },
        open: (environment) => demandTree(option, capability.open(environment)),
        release: () => {},
      };
    case "wrapped": {
      const inner = grantTree(option, capability.inner);
      return {
        ...inner,
        root: undefined,
        open: (environment) => wrap(option, capability, inner.open(environment), environment),
      };
    }
    case "overlay":
      return { ...capability.use(option), lockedBy: { within: capability, word: "id" } };
    case "memoryFile":
      return { open: () => memoryFileTree(capability.bytes), release: () => {} };
    case "hostFile": {
      const { mode, maxBytes } = capability;
      const ticket = grantedTicket(option, capability);
      const place = { kind: "hostFile", mode, maxBytes, ticket } as const;
      const lockedBy = { within: given, word: "path" } as const;
      return { lockedBy, open: () => hostFileTree(place), release: () => releaseHostFile(ticket) };
    }
    case "hostDirectory": {
      const ticket = grantedFolder(option, capability);
      return {
        root: "directory",
        confinesLinks: true,
        // Its numbers are others in each lifetime.
        lockedBy: { within: given, word: "path" },
        open: () => new HostTree(ticket),
        release: () => releaseHostFolder(ticket),
      };
    }
    case "scratch":
      throw new Error("checked before: it has no tree of the host's side");
  }
}

/** What cannot be wrapped is closed. */
function wrap(option: string, { wrap: around }: Wrapped, tree: Tree, environment: PlaceEnvironment): Tree {
  try {
    return demandTree(option, around(tree, environment));
  } catch (error) {
    Promise.resolve(tree.close?.()).catch(environment.fault);
    throw error;
  }
}

function demandTree(option: string, tree: unknown): Tree {
  const { stat, open } = (tree ?? {}) as Partial<Tree>;
  if (typeof stat !== "function" || typeof open !== "function")
    throw new OptionError(option, tree, "a place whose tree has at least the functions stat and open");
  for (const name of treeMethods) optionalFunction(`${option}.${name}`, (tree as Tree)[name]);
  return tree as Tree;
}
