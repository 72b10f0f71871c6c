// What a place is made of: one rule for each kind, for the constructors and for whoever has built or spread a place by hand, which is looked
// at when it is granted. Data are copied by that, so that what is changed afterwards grants nothing.
import { maxNameBytes } from "../abi/limits.ts";
import { isBytes } from "../errors/object-kinds.ts";
import { OptionError } from "../errors/option-error.ts";
import { hostFileModes } from "../filesystems/host-file.ts";
import { hostDirectoryModes } from "../filesystems/host-folder.ts";
import { maxDepth } from "../filesystems/names.ts";
import { globForm, isGlob } from "../filesystems/path-globs.ts";
import type { FileCapability, HostDirectory, HostFile, MemoryFile, Scratch, Wrapped } from "./capability.ts";
import { demandFunction, oneOf } from "./option-fields.ts";
import { bytes, count } from "./quantity.ts";

/** How a field is called where it is complained of. */
type Named = (field: string) => string;
/** As an embedder gave it. */
type Given<T> = { readonly [F in Exclude<keyof T, "kind">]: unknown };

const mostGlobs = 1000;

export function checkedHostFile(named: Named, { path, mode, maxBytes }: Given<HostFile>): HostFile {
  return {
    kind: "hostFile",
    path: hostPath(named("path"), path, "the path of a file on the host"),
    mode: oneOf(named("mode"), mode, hostFileModes),
    maxBytes: bytes(named("maxBytes"), maxBytes),
  };
}

export function checkedHostDirectory(named: Named, given: Given<HostDirectory>): HostDirectory {
  const { path, mode, growthBytes, maxFiles, match } = given;
  return {
    kind: "hostDirectory",
    path: hostPath(named("path"), path, "the path of a folder on the host"),
    mode: oneOf(named("mode"), mode, hostDirectoryModes),
    growthBytes: bytes(named("growthBytes"), growthBytes),
    maxFiles: count(named("maxFiles"), maxFiles),
    match: match === undefined ? undefined : globs(named("match"), match),
  };
}

export function checkedScratch(named: Named, given: Given<Scratch>): Scratch {
  const { quotaBytes, maxFiles, maxDepth: depth, maxNameBytes: nameBytes } = given;
  return {
    kind: "scratch",
    quotaBytes: bytes(named("quotaBytes"), quotaBytes),
    maxFiles: count(named("maxFiles"), maxFiles, { from: 1 }),
    maxDepth: count(named("maxDepth"), depth, { to: maxDepth }),
    maxNameBytes: count(named("maxNameBytes"), nameBytes, { from: 1, to: maxNameBytes }),
  };
}

/** The bytes are shared, not copied: a place may be granted a thousand times. */
function checkedMemoryFile(named: Named, { bytes }: Given<MemoryFile>): MemoryFile {
  if (!isBytes(bytes)) throw new OptionError(named("bytes"), bytes, "a Uint8Array");
  return { kind: "memoryFile", bytes };
}

export function checkWrapped(named: Named, { inner, wrap }: Given<Wrapped>): void {
  const kind = kindOf(inner);
  if (kind === "scratch")
    throw new OptionError(named("inner"), "an unshared scratch", `${wrappable}; scratch with shared: true`);
  if (!wrappableKinds.includes(kind))
    throw new OptionError(named("inner"), inner, `what can be wrapped: ${wrappable}`);
  demandFunction(named("wrap"), wrap, "a function from tree to tree");
}

const wrappableKinds: readonly unknown[] = [
  "hostFile",
  "hostDirectory",
  "memoryFile",
  "tree",
  "wrapped",
  "overlay",
] satisfies FileCapability["kind"][];
const wrappable =
  "hostFile(…), hostDirectory(…), memoryFile(…), virtualFile(…), virtualDirectory(…), overlay(…), or one of these wrapped";

/** What an overlay lies over: everything that can be a folder, and stands on the host's side. */
export function checkLower(option: string, lower: unknown): void {
  const kind = kindOf(lower);
  const isFile = kind === "tree" && (lower as { readonly root?: unknown }).root === "file";
  if (!["hostDirectory", "tree", "wrapped", "overlay"].includes(kind ?? "") || isFile) {
    const found = kind === undefined ? lower : isFile ? "virtualFile(…)" : `${kind}(…)`;
    const accepted =
      "a folder: hostDirectory(…), virtualDirectory(…), scratch with shared: true, overlay(…), or one of these wrapped";
    throw new OptionError(option, found, accepted);
  }
}

/** Names of the fields of what is data; of places with code, which may be instances of a class, other members are no business of ours. */
const dataFields: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["hostFile", ["kind", "path", "mode", "maxBytes"]],
  ["hostDirectory", ["kind", "path", "mode", "growthBytes", "maxFiles", "match"]],
  ["memoryFile", ["kind", "bytes"]],
  ["scratch", ["kind", "quotaBytes", "maxFiles", "maxDepth", "maxNameBytes"]],
]);

/** The place as it is granted. `option` is where: `files["/in"]`. Throws OptionError. */
export function checkedPlace(option: string, place: FileCapability): FileCapability {
  const named = (field: string): string => `${option}.${field}`;
  const names = dataFields.get(kindOf(place));
  if (names) demandKnown(named, place, names);
  switch (place?.kind) {
    case "hostFile":
      return checkedHostFile(named, place);
    case "hostDirectory":
      return checkedHostDirectory(named, place);
    case "memoryFile":
      return checkedMemoryFile(named, place);
    case "scratch":
      return checkedScratch(named, place);
    case "tree":
      demandFunction(named("open"), place.open, "a function that gives a tree");
      if (place.root !== undefined) oneOf(named("root"), place.root, ["file", "directory"]);
      return place;
    case "wrapped":
      checkWrapped(named, place);
      return place;
    case "overlay":
      demandFunction(named("use"), place.use, "what overlay(…) gives");
      return place;
    default:
      throw new OptionError(option, place, `scratch(…), ${wrappable}`);
  }
}

function demandKnown(named: Named, place: object, names: readonly string[]): void {
  for (const name of Object.keys(place))
    if (!names.includes(name)) throw new OptionError(named(name), "an unknown field", names.join(", "));
}

function kindOf(place: unknown): string | undefined {
  const kind = typeof place === "object" && place !== null && "kind" in place ? place.kind : undefined;
  return typeof kind === "string" ? kind : undefined;
}

function hostPath(option: string, path: unknown, accepted: string): string {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return path;
  throw new OptionError(option, path, accepted);
}

function globs(option: string, given: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(given) ? [...given] : [given];
  if (list.length === 0 || list.length > mostGlobs)
    throw new OptionError(option, given, `from 1 to ${mostGlobs} ${globForm}`);
  return list.map((glob) => {
    if (isGlob(glob)) return glob;
    throw new OptionError(option, glob, globForm);
  });
}
