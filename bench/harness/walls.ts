// The ways to get a pristine interpreter, for the groups that compare them. A new wall is one more entry.
import { type GrantOptions, type Isolation, Pool, type Programs, Sandbox } from "sandboa";

/** Where pristine sandboxes come from; closing one gives it back. */
export interface Source {
  checkout(grants?: GrantOptions): Promise<Sandbox>;
  /** Resolves when nothing is being made pristine any more. */
  readonly ready?: () => Promise<void>;
  close(): Promise<void>;
}

export interface Wall {
  readonly name: string;
  /** Room for `size` at a time. */
  open(size: number): Promise<Source>;
}

const isolations: readonly Isolation[] = ["inline", "worker", "process"];

const all: readonly Wall[] = [
  ...isolations.map(
    (isolation): Wall => ({
      name: `${isolation}, from a pool`,
      open: (size) => openPool(isolation, size),
    }),
  ),
  // The other kind than the default.
  ...isolations.map((isolation): Wall => {
    const programs = isolation === "inline" ? "long" : "short";
    return {
      name: `${isolation}, from a pool for ${programs} programs`,
      open: (size) => openPool(isolation, size, programs),
    };
  }),
  ...isolations.map(
    (isolation): Wall => ({
      name: `${isolation}, a new one each time`,
      open: async () => ({
        checkout: (grants) => Sandbox.create({ ...grants, isolation }),
        close: async () => {},
      }),
    }),
  ),
];

/** WALLS=worker,process leaves out the others. */
export const walls = all.filter(({ name }) => {
  const chosen = process.env.WALLS?.split(",");
  return chosen === undefined || chosen.some((isolation) => name.startsWith(isolation));
});

async function openPool(isolation: Isolation, size: number, programs?: Programs): Promise<Source> {
  const pool = await Pool.create({ isolation, size, ...(programs && { programs }) });
  return {
    checkout: (grants) => pool.checkout(grants),
    ready: async () => {
      do await new Promise((resolve) => setImmediate(resolve));
      while (pool.state().idle < size);
    },
    close: () => pool.close({ grace: 0 }),
  };
}
