// The ways to get a pristine interpreter, for the groups that compare them. A new wall is one more entry.
import { Sandbox, type SandboxOptions } from "sandboa";

export interface Lease {
  readonly sandbox: Sandbox;
  giveBack(): Promise<void>;
}

/** Where pristine sandboxes come from. */
export interface Source {
  checkout(): Promise<Lease>;
  close(): Promise<void>;
}

export interface Wall {
  readonly name: string;
  open(options?: SandboxOptions): Promise<Source>;
}

export const walls: readonly Wall[] = [
  { name: "worker, kept and reset", open: openKept },
  { name: "worker, a new one each time", open: openNew },
];

/** One sandbox that is reset after each use: what a pool of one does. */
async function openKept(options: SandboxOptions = {}): Promise<Source> {
  const sandbox = await Sandbox.create(options);
  return {
    checkout: async () => ({ sandbox, giveBack: () => sandbox.reset() }),
    close: () => sandbox.close(),
  };
}

async function openNew(options: SandboxOptions = {}): Promise<Source> {
  return {
    checkout: async () => {
      const sandbox = await Sandbox.create(options);
      return { sandbox, giveBack: () => sandbox.close() };
    },
    close: async () => {},
  };
}
