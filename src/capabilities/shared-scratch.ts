// One room in memory for several sandboxes: it stands on the host's side, outlives them, and is charged to its own quota alone.
import { filesystemTree } from "../filesystems/filesystem-tree.ts";
import { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { guestOwner } from "../kernel/permissions.ts";
import { borrowedTree } from "./borrowed-tree.ts";
import type { PlaceEnvironment, Scratch, TreeCapability } from "./capability.ts";

export function sharedScratch(quotas: Omit<Scratch, "kind">): TreeCapability {
  let latest: PlaceEnvironment | undefined;
  let room: MemoryFileSystem | undefined;
  const { quotaBytes, maxFiles, maxDepth, maxNameBytes } = quotas;
  return {
    kind: "tree",
    open: (environment) => {
      latest = environment;
      room ??= new MemoryFileSystem({
        quotaBytes,
        maxInodes: maxFiles,
        maxDepth,
        maxNameBytes,
        // Milliseconds, so that no guest learns finer time from it than its own clock may show.
        now: () => BigInt(latest?.nowMs() ?? 0) * 1_000_000n,
        owner: guestOwner,
        rootMode: 0o755,
      });
      return borrowedTree(filesystemTree(room));
    },
  };
}
