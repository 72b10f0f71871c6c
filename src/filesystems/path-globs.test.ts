// Globs against a second, slower reading of the same rules, and what an embedder is told is none.
import fc from "fast-check";
import { expect, test } from "vitest";
import { isGlob, PathGlobs } from "./path-globs.ts";

const matches = (glob: string, path: string): boolean => new PathGlobs([glob]).matches(path);

test.each([
  ["*.csv", ["a.csv", ".csv"], ["a.csv.gz", "A.CSV", "x/a.csv", "csv", ""]],
  ["**/*.csv", ["a.csv", "x/a.csv", "x/y/.csv"], ["x/a.tsv", "a.csv/x"]],
  ["data/**", ["data/x", "data/x/y"], ["data", "datax", "x/data/y"]],
  ["**", ["a", "a/b"], [""]],
  ["a/**/z", ["a/z", "a/b/z", "a/b/c/z", "a/z/z"], ["a", "z", "a/zz", "a/z/y"]],
  ["?", ["a", "é", "🐍", "\udcff", "*"], ["", "ab", "e\u0301"]],
  ["*a*b", ["ab", "xaxb", "aab", "abab"], ["ba", "a", "abx"]],
])("%s", (glob, good, bad) => {
  expect(isGlob(glob)).toBe(true);
  expect(good.filter((path) => !matches(glob, path))).toEqual([]);
  expect(bad.filter((path) => matches(glob, path))).toEqual([]);
});

test("a directory leads on when something below it could match", () => {
  const globs = new PathGlobs(["a/b/*.csv", "x/**/y"]);
  const leads = ["", "a", "a/b", "x", "x/q", "x/q/r", "x/y"];
  expect(leads.filter((path) => !globs.leadsOn(path))).toEqual([]);
  expect(["b", "a/b/c.csv", "a/c", "ab", "a/b/c"].filter((path) => globs.leadsOn(path))).toEqual([]);
});

/** Names by recursion, characters by a regular expression. */
function slowly(glob: readonly string[], path: readonly string[]): boolean {
  const [piece, ...rest] = glob;
  if (piece === undefined) return path.length === 0;
  if (piece === "**") {
    const least = rest.length === 0 ? 1 : 0;
    const some = path.map((_, i) => i + 1).concat(0);
    return some.some((taken) => taken >= least && slowly(rest, path.slice(taken)));
  }
  const name = path[0];
  if (name === undefined) return false;
  const pattern = piece.replace(/\*/g, "[^]*").replace(/\?/g, "[^]");
  return new RegExp(`^${pattern}$`, "u").test(name) && slowly(rest, path.slice(1));
}

test("as by the slow reading", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "b", "🐍"), minLength: 1, maxLength: 4 });
  const part = fc.oneof(
    fc.constant("**"),
    fc
      .string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 4 })
      .filter((text) => !text.includes("**")),
  );
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.array(name, { maxLength: 4 }),
      (glob, path) => {
        expect(matches(glob.join("/"), path.join("/"))).toBe(slowly(glob, path));
      },
    ),
    { numRuns: 3000 },
  );
});

test("a long name does not take long", () => {
  expect(matches(`${"*a".repeat(100)}b`, "a".repeat(255))).toBe(false);
});

test("what other matchers know is refused, not taken as a name", () => {
  const refused = [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "a/../b",
    "..",
    "{a,b}",
    "[ab]",
    "a\\*",
    "!a",
    "a\0",
    "a**",
    "**a/b",
    "x".repeat(5000),
    1,
  ];
  expect(refused.filter(isGlob)).toEqual([]);
});
