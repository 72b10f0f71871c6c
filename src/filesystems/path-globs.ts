// Which paths of a folder a grant is about: globs, matched name by name against the path below the root. Our own matcher, because it
// decides authority and reads names that a guest made: it never backtracks over more than one name, and folds no case.
import type { TreePath } from "./tree.ts";

const maxGlobLength = 4096;

/** What a glob may look like, for the embedder who wrote another one. */
export const globForm =
  'globs such as "*.csv" or "data/**/*.json": names joined by "/", "*" and "?" for characters within a name, "**" for any number of names';

/** Whether this is a glob. What other matchers know beyond it ({a,b}, [a-z], \\x, !x) is refused instead of matching nothing. */
export function isGlob(glob: unknown): glob is string {
  if (typeof glob !== "string" || glob.length > maxGlobLength) return false;
  if (/[\0\\[\]{}]/.test(glob) || glob.startsWith("!")) return false;
  return glob
    .split("/")
    .every((name) => !["", ".", ".."].includes(name) && (name === "**" || !name.includes("**")));
}

/** One name of a glob as its characters, or any number of names. */
type Piece = readonly string[] | "**";

export class PathGlobs {
  readonly #globs: readonly (readonly Piece[])[];

  constructor(globs: readonly string[]) {
    this.#globs = globs.map(pieces);
  }

  /** Whether the file at this path is there for the guest. */
  matches(path: TreePath): boolean {
    return this.#globs.some((glob) => reached(glob, path).has(glob.length));
  }

  /** Whether something below this path could match: then a directory there is visible. */
  leadsOn(path: TreePath): boolean {
    return this.#globs.some((glob) => [...reached(glob, path)].some((at) => at < glob.length));
  }
}

function pieces(glob: string): Piece[] {
  const names: Piece[] = glob.split("/").map((name) => (name === "**" ? name : [...name]));
  // "a/**" is everything below a, and not a itself.
  if (names.at(-1) === "**") names.push(["*"]);
  return names;
}

/** How many pieces of the glob can be used up by all names of the path. */
function reached(glob: readonly Piece[], path: TreePath): ReadonlySet<number> {
  let states = closure(glob, new Set([0]));
  for (const name of path === "" ? [] : path.split("/")) {
    const characters = [...name];
    const next = new Set<number>();
    for (const at of states) {
      const piece = glob[at];
      if (piece === "**") next.add(at);
      else if (piece !== undefined && nameMatches(piece, characters)) next.add(at + 1);
    }
    states = closure(glob, next);
    if (states.size === 0) break;
  }
  return states;
}

/** "**" may stand for no name at all. */
function closure(glob: readonly Piece[], states: Set<number>): Set<number> {
  // A set that grows while it is read is read on to its end.
  for (const at of states) if (glob[at] === "**") states.add(at + 1);
  return states;
}

/** The usual greedy match: only the last "*" is ever tried again, so the work is at most one length times the other. */
function nameMatches(pattern: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let starTook = 0;
  for (let i = 0; i < name.length; ) {
    if (pattern[at] === "*") {
      star = at++;
      starTook = i;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === name[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++starTook;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
