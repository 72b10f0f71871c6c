// Which refusals are denials: what a grant would have allowed. Everything else is the ordinary life of a program, such as a file that
// is not in its own scratch, and is not kept. Runs inside of the wall, on each refusal: cheap, whatever the path.
import { errno as numbers } from "../../abi/errno.ts";
import { byteString } from "../../abi/guest-memory.ts";
import type { ByteString } from "../../kernel/filesystem.ts";
import type { Refusal } from "../../kernel/refusals.ts";
import { refusedByDefault } from "../images/library-choice.ts";
import { isOwnLook, isOwnPlace } from "../options/own-places.ts";
import type { SandboxPlan } from "../plan.ts";
import type { RawDenial } from "./raw-denial.ts";

/** Where guest/sandboa/_finders.py looks for a module that no finder has: the one way for it to tell. */
const modulePrefix = "/dev/sandboa/";
/** What functions of the host are imported from, where there are any. */
const hostModule = "host";
const noRoom: ReadonlySet<number> = new Set([numbers.ENOSPC, numbers.EDQUOT, numbers.EFBIG]);
const notAllowed: ReadonlySet<number> = new Set([numbers.EACCES, numbers.EPERM, numbers.EROFS]);
const refusedModules: ReadonlySet<string> = new Set(refusedByDefault);

/** Numbers of places count from 1, as in RawDenial. */
export class RefusalPolicy {
  readonly #plan: SandboxPlan;
  readonly #places: ReadonlyMap<ByteString, number>;
  /** "/" and whatever else stands above a place: there to be looked at, and the sandbox's own. */
  readonly #above = new Set<ByteString>(["/"]);
  readonly #mostNames: number;

  constructor(plan: SandboxPlan) {
    this.#plan = plan;
    const paths = plan.places.map(([path]) => byteString(path));
    this.#places = new Map(paths.map((path, index) => [path, index + 1]));
    for (const path of paths)
      for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1))
        this.#above.add(path.slice(0, end));
    this.#mostNames = Math.max(0, ...paths.map((path) => path.split("/").length - 1));
  }

  /** A path that was refused; undefined when no grant would change it. */
  path(refusal: Extract<Refusal, { kind: "path" }>): Omit<RawDenial, "count"> | undefined {
    const { path, access, errno, spent } = refusal;
    if (isOwnPlace(path)) return moduleDenial(path);
    if (this.#above.has(path) || hasNoFile(path)) return undefined;
    const place = this.#covering(path);
    if (place === 0 && access === "look" && isOwnLook(path)) return undefined;
    if (place === 0) return { kind: "file", access, name: path, port: 0, place, errno };
    const kind = this.#plan.places[place - 1]?.[1].kind;
    if (noRoom.has(errno)) return quotaDenial(place, errno, spent);
    // In scratch the permission bits are the guest's own.
    if (kind === "scratch" || !notAllowed.has(errno)) return undefined;
    return { kind: "file", access, name: path, port: 0, place, errno };
  }

  /** A file of this place could not grow. */
  room(
    place: number,
    { errno, spent }: Extract<Refusal, { kind: "room" }>,
  ): Omit<RawDenial, "count"> | undefined {
    const kind = this.#plan.places[place - 1]?.[1].kind;
    // No file in memory can be larger than that, whatever is granted.
    if (kind === undefined || (kind === "scratch" && errno === numbers.EFBIG)) return undefined;
    return quotaDenial(place, errno, spent);
  }

  /** The innermost place that the path is or leads into. */
  #covering(path: ByteString): number {
    let found = 0;
    let end = 0;
    for (let names = 0; names < this.#mostNames && end < path.length; names++) {
      const next = path.indexOf("/", end + 1);
      end = next < 0 ? path.length : next;
      found = this.#places.get(path.slice(0, end)) ?? found;
    }
    return found;
  }
}

/** CPython looks for the source of code that has none under the name that stands in its place, such as "<string>". */
function hasNoFile(path: ByteString): boolean {
  return /\/<[^/]*>$/.test(path);
}

/** Of bytes, `access` is filled in by whoever knows the account. */
function quotaDenial(
  place: number,
  errno: number,
  spent: "bytes" | "files" = "bytes",
): Omit<RawDenial, "count"> {
  return { kind: "quota", access: spent, name: "", port: 0, place, errno };
}

function moduleDenial(path: ByteString): Omit<RawDenial, "count"> | undefined {
  const name = path.startsWith(modulePrefix) ? path.slice(modulePrefix.length) : "";
  if (!refusedModules.has(name) && name !== hostModule) return undefined;
  // What the guest sees: there is no such module. That the question met a device is our way of asking.
  return { kind: "module", access: "import", name, port: 0, place: 0, errno: numbers.ENOENT };
}
