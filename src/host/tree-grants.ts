// From a capability to the tree that stands behind it. A grant resolves authority once, when the sandbox is created, and is released
// when the sandbox closes; each lifetime opens the tree anew.
import type { FileCapability } from "../capabilities/capability.ts";
import { OptionError } from "../errors/option-error.ts";
import type { HostFolderTicket } from "../filesystems/host-folder.ts";
import type { Tree } from "../filesystems/tree.ts";
import { releaseHostFile } from "../platform/node/host-files.ts";
import { releaseHostFolder } from "../platform/node/host-folders.ts";
import { HostTree } from "../platform/node/host-tree.ts";
import { hostFileTree, memoryFileTree } from "./local-trees.ts";
import { grantedFolder, grantedTicket } from "./places-option.ts";

export interface TreeGrant {
  /** Links of the tree lead only to what is below its root. Default false. */
  readonly confinesLinks?: boolean;
  /** Where nothing is wrapped around a folder of the host: the folder. */
  readonly folder?: HostFolderTicket | undefined;
  /** The tree of one lifetime, which closes it. */
  open(): Tree;
  /** Lets go of what was resolved; no lifetime goes on. */
  release(): void;
}

/** Throws OptionError for what cannot be granted; then nothing is held. */
export function grantTree(option: string, capability: FileCapability): TreeGrant {
  switch (capability?.kind) {
    case "tree":
      return { open: () => demandTree(option, capability.open()), release: () => {} };
    case "wrapped": {
      const inner = grantTree(option, capability.inner);
      return { ...inner, folder: undefined, open: () => demandTree(option, capability.wrap(inner.open())) };
    }
    case "memoryFile":
      return { open: () => memoryFileTree(capability.bytes), release: () => {} };
    case "hostFile": {
      const { mode, maxBytes } = capability;
      const ticket = grantedTicket(option, capability);
      const place = { kind: "hostFile", mode, maxBytes, ticket } as const;
      return { open: () => hostFileTree(place), release: () => releaseHostFile(ticket) };
    }
    case "hostDirectory": {
      const ticket = grantedFolder(option, capability);
      return {
        confinesLinks: true,
        folder: ticket,
        open: () => new HostTree(ticket),
        release: () => releaseHostFolder(ticket),
      };
    }
    default:
      throw new OptionError(option, capability, "a place that can be wrapped");
  }
}

function demandTree(option: string, tree: unknown): Tree {
  const { stat, open } = (tree ?? {}) as Partial<Tree>;
  if (typeof stat !== "function" || typeof open !== "function")
    throw new OptionError(option, tree, "a place whose tree has at least the functions stat and open");
  return tree as Tree;
}
