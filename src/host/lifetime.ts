// One lifetime of a sandbox's grants: its plan, and the server of its trees. A lifetime begins when a sandbox is created or reset, and
// is over when the guest is: then everything that was opened is closed.

import { FileError } from "../errors/file-error.ts";
import { isError } from "../errors/object-kinds.ts";
import { OptionError } from "../errors/option-error.ts";
import { isPending } from "../filesystems/later.ts";
import type { Later, Tree } from "../filesystems/tree.ts";
import { plainEntry } from "../filesystems/tree-answers.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import { HostTree } from "../platform/node/files/host-tree.ts";
import { nowMs } from "../platform/node/powers.ts";
import { CallServer } from "./calls/call-server.ts";
import { LockHolder } from "./locks/lock-holder.ts";
import { processLocks } from "./locks/lock-table.ts";
import type { CheckedGrants } from "./options/options.ts";
import type { SandboxPlan, TreeRoot } from "./plan.ts";
import { LockServer } from "./trees/lock-server.ts";
import { type ServedPlace, TreeServer } from "./trees/tree-server.ts";

export interface Lifetime {
  readonly plan: SandboxPlan;
  /** Undefined where neither a tree nor a file of the host was granted. */
  readonly trees: TreeServer | undefined;
  /** Undefined where no function was granted. */
  readonly calls: CallServer | undefined;
}

/** How long a tree may take to say what its root is. */
const rootMs = 60_000;

/** Opens the granted trees; at once where there are none. Throws OptionError for one that cannot say what its root is. */
export function beginLifetime(grants: CheckedGrants): Later<Lifetime> {
  const calls = openCalls(grants);
  if (grants.trees.size > 0) return openTrees(grants, calls);
  const { plan } = grants;
  // Only for their locks: the inside uses them itself.
  const hasFiles = plan.places.some(([, { kind }]) => kind === "hostFile");
  return { plan, trees: hasFiles ? serverOf(grants, new Map()) : undefined, calls };
}

function serverOf({ plan, onEvent }: CheckedGrants, served: ReadonlyMap<number, ServedPlace>): TreeServer {
  const locks = new LockServer(new LockHolder(processLocks), plan);
  return new TreeServer(served, plan.limits.openFiles, onEvent, locks);
}

function openCalls({ functions, plan, canWait, onEvent }: CheckedGrants): CallServer | undefined {
  if (functions.size === 0) return undefined;
  const { valueBytes, hostMemoryBytes } = plan.limits;
  return new CallServer(functions, { valueBytes, heldBytes: hostMemoryBytes, canWait, nowMs, onEvent });
}

/** Nothing of it is answered any more; resolves when what was opened is closed. */
export async function endLifetime({ trees, calls }: Lifetime): Promise<void> {
  calls?.end();
  await trees?.end();
}

async function openTrees(grants: CheckedGrants, calls: CallServer | undefined): Promise<Lifetime> {
  const { plan, trees, onEvent } = grants;
  const served = new Map<number, ServedPlace>();
  const server = serverOf(grants, served);
  try {
    const places = [...plan.places];
    for (const [number, grant] of trees) {
      const guestPath = places[number]?.[0] ?? "";
      const fault = (error: unknown): void =>
        onEvent({ type: "fault", path: guestPath, operation: "wrap", error });
      const tree = grant.open({ nowMs, fault });
      const folder = tree instanceof HostTree ? tree.ticket : undefined;
      served.set(number, { guestPath, tree, folder, lockedBy: grant.lockedBy });
      const root =
        grant.root ??
        (await rootOf(tree).catch((cause: unknown) => {
          throw unusable(guestPath, cause);
        }));
      places[number] = [guestPath, { kind: "tree", root, confinesLinks: grant.confinesLinks ?? false }];
    }
    return { plan: { ...plan, places }, trees: server, calls };
  } catch (error) {
    await server.end();
    throw error;
  }
}

async function rootOf(tree: Tree): Promise<TreeRoot> {
  try {
    const entry = await inTime(tree.stat(""));
    if (entry === undefined) return "missing";
    const { kind } = plainEntry(entry);
    if (kind === "link") throw new TypeError("its root is a link");
    return kind;
  } catch (error) {
    const code =
      error instanceof FileError ? error.code : error instanceof KernelError ? error.name : undefined;
    if (code === "ENOENT") return "missing";
    // Its use was ended, which must not keep a sandbox from beginning anew: the guest is refused, whatever it asks.
    if (code === "EACCES") return "directory";
    throw error;
  }
}

async function inTime<T>(answer: Later<T>): Promise<T> {
  if (!isPending(answer)) return answer;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it did not answer")), rootMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(cause: unknown): string {
  if (isError(cause)) return cause.message;
  if (!(cause instanceof KernelError)) return String(cause);
  return cause.name === "ENOTDIR" ? "ENOTDIR: what an overlay lies over must be a folder" : cause.name;
}

function unusable(guestPath: string, cause: unknown): OptionError {
  const accepted = `a place that can say what its root is (${reasonOf(cause)})`;
  return new OptionError(`files[${JSON.stringify(guestPath)}]`, guestPath, accepted, { cause });
}
