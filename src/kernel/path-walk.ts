// From a path (bytes) to a node, as path_resolution(7) describes: links, "..", trailing slashes, search permission.
// Work per call is bounded: path and link-target length, and the number of links followed. A link of a file system that
// confines its links leads nowhere else: while its target is resolved, there is nothing above that file system's root.
import { access } from "../abi/flags.ts";
import { maxNameBytes, maxPathBytes } from "../abi/limits.ts";
import type { Attributes, ByteString, DirectoryNode, FileSystem, LookAhead, Node } from "./filesystem.ts";
import { fail, KernelError, Overtaken } from "./kernel-error.ts";
import type { Mounts } from "./mounts.ts";
import { demand } from "./permissions.ts";

const maxLinks = 40;
/** All components looked at in one walk, links included: bounds what a chain of long links can cost in time and memory. */
const maxSteps = 16_384;
/** How often a path is walked while others exchange what is there (Linux, too, goes back when a name is renamed under its walk). */
const patience = 8;

export interface WalkResult {
  /** The directory that holds the last component. */
  readonly parent: DirectoryNode;
  /** Of the parent, when the walk searched it; undefined where it was not asked for them. */
  readonly parentAttributes?: Attributes | undefined;
  /** The last component; "" when the path is "/" or ends in "." or "..". */
  readonly name: ByteString;
  /** What is there; undefined when the last component does not exist (every earlier one does). */
  readonly node: Node | undefined;
  /** The path ended in "/", so it must be a directory. */
  readonly mustBeDirectory: boolean;
}

interface WalkOptions {
  /** Whether a link in the last place is followed; a slash after it makes it be followed in any case. */
  readonly followLast: boolean;
  /** What is asked for is the name, to make, remove or move it: no slash makes a link in the last place be followed. Default false. */
  readonly byName?: boolean;
  /** A file is to be made if there is none: with a slash behind its name, whatever is there, it is EISDIR (open(2), O_CREAT). Default false. */
  readonly makesFile?: boolean;
  /** The host looks, not the guest: permission bits and the length of a path keep nothing from it. Default false. */
  readonly asHost?: boolean;
}

interface Step {
  readonly name: ByteString;
  /** Set for what a confined link's target is made of: the file system that it must stay in. */
  readonly within: FileSystem | undefined;
}

/** A walk and what is done with what it found, from the start again when that is something else by then. */
export function whileOvertaken<T>(work: () => T): T {
  for (let tries = 1; ; tries++) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (tries === patience) throw new KernelError(error.name);
    }
  }
}

export function walk(
  mounts: Mounts,
  start: DirectoryNode,
  path: ByteString,
  options: WalkOptions,
): WalkResult {
  return whileOvertaken(() => walkOnce(mounts, start, path, options));
}

function walkOnce(mounts: Mounts, start: DirectoryNode, path: ByteString, options: WalkOptions): WalkResult {
  if (path === "") fail("ENOENT");
  if (path.length > maxPathBytes && !options.asHost) fail("ENAMETOOLONG");
  let directory = path.startsWith("/") ? mounts.root : start;
  const remaining: Step[] = split(path, undefined);
  let mustBeDirectory = path.endsWith("/");
  const ahead: LookAhead = { names: () => namesAhead(remaining) };
  let links = 0;
  let steps = 0;
  let last: WalkResult = { parent: directory, name: "", node: directory, mustBeDirectory };

  // `remaining` is a stack: the next component is at its end.
  while (remaining.length > 0) {
    if (++steps + remaining.length > maxSteps) fail("ELOOP");
    if (!options.asHost) directory.enter?.(ahead);
    const { name, within } = remaining.pop() as Step;
    const isLast = remaining.length === 0;
    const attributes = options.asHost ? undefined : directory.attributes();
    if (attributes) demand(attributes, access.EXECUTE);
    if (name === "." || name === "..") {
      if (name === "..") {
        if (directory === within?.root) fail("ENOENT");
        directory = mounts.parent(directory) ?? fail("ENOENT");
      }
      last = { parent: directory, name: "", node: directory, mustBeDirectory };
      continue;
    }
    if (isLast && mustBeDirectory && options.makesFile) fail("EISDIR");
    if (name.length > maxNameBytes) fail("ENAMETOOLONG");
    const found = directory.lookup(name, ahead);
    const node = found && mounts.enter(found);
    if (node?.kind === "link" && (!isLast || options.followLast || (mustBeDirectory && !options.byName))) {
      if (++links > maxLinks) fail("ELOOP");
      const target = node.target;
      if (target === "") fail("ENOENT");
      const confined = node.fileSystem.confinesLinks ? node.fileSystem : within;
      if (target.startsWith("/")) directory = confined ? fail("ENOENT") : mounts.root;
      if (isLast && target.endsWith("/")) mustBeDirectory = true;
      remaining.push(...split(target, confined));
      last = { parent: directory, name: "", node: directory, mustBeDirectory };
      continue;
    }
    if (isLast) return { parent: directory, parentAttributes: attributes, name, node, mustBeDirectory };
    if (node === undefined) fail("ENOENT");
    if (node.kind !== "directory") fail("ENOTDIR");
    directory = node;
  }
  return { ...last, mustBeDirectory };
}

function namesAhead(remaining: readonly Step[]): ByteString[] {
  const names: ByteString[] = [];
  for (let at = remaining.length - 1; at >= 0; at--) {
    const name = remaining[at]?.name ?? "";
    if (name === "." || name === ".." || name.length > maxNameBytes) break;
    names.push(name);
  }
  return names;
}

/** Components in reverse order, empty ones dropped. */
function split(path: ByteString, within: FileSystem | undefined): Step[] {
  return path
    .split("/")
    .filter((component) => component !== "")
    .map((name) => ({ name, within }))
    .reverse();
}

/** Of the directory that holds the last component. */
export function attributesOfParent({ parent, parentAttributes }: WalkResult): Attributes {
  return parentAttributes ?? parent.attributes();
}

/** The node itself; ENOENT when it is not there, ENOTDIR when a trailing slash asked for a directory. */
export function existing(result: WalkResult): Node {
  const { node } = result;
  if (node === undefined) fail("ENOENT");
  if (result.mustBeDirectory && node.kind !== "directory") fail("ENOTDIR");
  return node;
}

/** The absolute path of a directory; ENOENT when it was removed meanwhile, ENAMETOOLONG when no path can name it. */
export function pathOf(mounts: Mounts, directory: DirectoryNode): ByteString {
  const names: ByteString[] = [];
  let pathBytes = 0;
  let current = directory;
  while (current !== mounts.root) {
    const named = mounts.nameplate(current);
    const parent = mounts.parent(current) ?? fail("ENOENT");
    const name = nameIn(parent, named) ?? fail("ENOENT");
    names.push(name);
    pathBytes += 1 + name.length;
    if (pathBytes > maxPathBytes) fail("ENAMETOOLONG");
    current = parent;
  }
  return `/${names.reverse().join("/")}`;
}

function nameIn(parent: DirectoryNode, child: DirectoryNode): ByteString | undefined {
  if (parent.nameOf) return parent.nameOf(child);
  return parent.list().find((candidate) => candidate.node === child)?.name;
}
