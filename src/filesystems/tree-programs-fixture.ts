// Random programs over a tree of files: what every kind of tree is tried with.
import fc from "fast-check";

const names = fc.constantFrom("a", "b", "d", "e", "é", "\udcff", "__proto__");
const path = fc.oneof(
  fc.constantFrom("a", "d", "e", "d/a", "d/b", "d/d", "d/d/a", "e/d", "e/d/a"),
  fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
);
const offset = fc.oneof(fc.nat(300), fc.integer({ min: 65_400, max: 65_700 }), fc.nat(200_000));
const access = fc.record({
  append: fc.boolean(),
  truncate: fc.boolean(),
  create: fc.constantFrom("never", "missing", "always"),
});
const extent = { position: offset, size: offset, byte: fc.integer({ min: 1, max: 255 }) } as const;
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant("write"), path, access, ...extent }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("keep"), path, access }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("keptWrite"), which: fc.nat(5), ...extent }) },
  fc.record({ act: fc.constant("keptChange"), which: fc.nat(5), mode: fc.constantFrom(0o600, 0o755) }),
  fc.record({ act: fc.constant("truncate"), path, size: offset }),
  fc.record({ act: fc.constantFrom("remove", "removeDirectory", "list", "readLink"), path }),
  fc.record({ act: fc.constant("remove"), path }),
  fc.record({ act: fc.constant("makeDirectory"), path, mode: fc.constantFrom(0o700, 0o755) }),
  fc.record({ act: fc.constant("makeLink"), path, target: fc.constantFrom("a", "../é", "\udcff") }),
  { weight: 4, arbitrary: fc.record({ act: fc.constant("rename"), path, to: path }) },
  fc.record({ act: fc.constant("change"), path, mode: fc.constantFrom(0o600, 0o644, 0o700) }),
);
export interface Step {
  readonly act: string;
  readonly path?: string;
  readonly to?: string;
  readonly access?: { readonly append: boolean; readonly truncate: boolean; readonly create: string };
  readonly position?: number;
  readonly size?: number;
  readonly byte?: number;
  readonly which?: number;
  readonly mode?: number;
  readonly target?: string;
}

export const programs: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 1, maxLength: 40, size: "max" });

/** Something to work on from the start; random steps alone would mostly miss. */
export const prelude: readonly Step[] = [
  { act: "makeDirectory", path: "d", mode: 0o755 },
  { act: "makeDirectory", path: "d/d", mode: 0o755 },
  { act: "makeDirectory", path: "e", mode: 0o700 },
  { act: "makeLink", path: "é", target: "a" },
  ...["a", "d/a", "d/b", "d/d/a", "e/\udcff", "d/d/__proto__"].map((path, at) => ({
    act: "write",
    path,
    access: { append: false, truncate: false, create: "missing" },
    position: 0,
    size: at === 1 ? 150_000 : 30 * at + 10,
    byte: at + 1,
  })),
];
