// `--learn`: the smallest policy that would have allowed what the program tried, as data for a person to read and cut. It holds the
// grants of this run and one for each refusal; paths of the host are taken to be those that the program named.
import type { Denial, DenialReport, FileCapability, FileDenial } from "../../index.ts";
import type { OverlayFlag } from "./overlays.ts";

/** docs/results-and-denials.md describes it. */
export interface LearnedPolicy {
  readonly sandboaPolicy: 1;
  /** Guest path to grant. */
  readonly files: Readonly<Record<string, FileGrant>>;
  readonly env: Readonly<Record<string, string>>;
  /** "host:port", or "host" where only a name was resolved. */
  readonly network: readonly string[];
  readonly modules: readonly string[];
  readonly stdin: "host" | "empty";
  readonly limits: Readonly<Record<string, unknown>>;
  /** What was refused and no grant of a policy allows. */
  readonly refused: readonly string[];
}

type FileMode = "read" | "write" | "append" | "create" | "update";
type FileGrant =
  | { readonly hostFile: string; readonly mode: FileMode; readonly bytes?: number }
  | {
      readonly hostDirectory: string;
      readonly mode: "read" | "write" | "create-only";
      readonly bytes?: number;
      readonly files?: number;
    }
  /** What is changed stays apart. */
  | { readonly overlay: string; readonly bytes: string }
  | { readonly scratch: { readonly bytes: number; readonly files: number } };

/** What the run was granted on the command line. */
export interface GivenGrants {
  readonly files: ReadonlyMap<string, FileCapability>;
  /** Of these files, the overlays. */
  readonly overlays: readonly OverlayFlag[];
  readonly env: ReadonlyMap<string, string>;
  readonly modules: readonly string[];
  readonly stdin: boolean;
  readonly limits: Readonly<Record<string, unknown>>;
}

/** Room for what the program makes where nothing was granted. */
const newScratch = { bytes: 10 * 2 ** 20, files: 10_000 } as const;

export function learnedPolicy(given: GivenGrants, { denials, dropped }: DenialReport): LearnedPolicy {
  const files = new Map<string, FileGrant>();
  for (const [path, capability] of given.files) {
    const grant = grantOf(capability);
    if (grant) files.set(path, grant);
  }
  for (const { guest, host, bytes } of given.overlays) files.set(guest, { overlay: host, bytes });
  const network = new Set<string>();
  const modules = new Set(given.modules);
  const refused: string[] = [];
  let stdin = given.stdin;
  // Folders first: what lies in one needs no grant of its own.
  for (const denial of [...denials].sort((a, b) => rank(a) - rank(b))) {
    switch (denial.kind) {
      case "file":
        if (!allowFile(files, denial)) refused.push(`${denial.access} ${denial.path}`);
        break;
      case "quota":
        if (!enlarge(files, denial.path, denial.option)) refused.push(`more ${denial.option}`);
        break;
      case "network":
        network.add(denial.port === undefined ? denial.host : `${bracketed(denial.host)}:${denial.port}`);
        break;
      case "module":
        modules.add(denial.name);
        break;
      case "library":
        refused.push(`load ${denial.name}`);
        break;
      case "stdin":
        stdin = true;
    }
  }
  if (dropped > 0) refused.push(`${dropped} more refusals, which were not kept`);
  return {
    sandboaPolicy: 1,
    files: record(files),
    env: record(given.env),
    network: [...network],
    modules: [...modules],
    stdin: stdin ? "host" : "empty",
    limits: given.limits,
    refused,
  };
}

function rank(denial: Denial): number {
  if (denial.kind !== "file") return 2;
  return denial.access === "makeDirectory" || denial.access === "list" ? 0 : 1;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function allowFile(files: Map<string, FileGrant>, { path, access, allowedBy }: FileDenial): boolean {
  const covering = [...files.keys()].find((place) => path === place || path.startsWith(`${place}/`));
  if (covering !== undefined) return widen(files, covering, access);
  // A path that no grant can name, such as one that is not UTF-8.
  if (allowedBy === undefined) return false;
  switch (access) {
    case "makeDirectory":
      return place(files, path, { scratch: newScratch });
    case "list":
      return place(files, path, { hostDirectory: path, mode: "read" });
    case "remove":
    case "change": {
      const folder = path.slice(0, path.lastIndexOf("/"));
      return folder !== "" && place(files, folder, { hostDirectory: folder, mode: "write" });
    }
    default:
      return place(files, path, { hostFile: path, mode: access === "look" ? "read" : access });
  }
}

/** False where a place below is granted by itself: one cannot lie in the other. A file that this run was about to learn is folded in. */
function place(files: Map<string, FileGrant>, path: string, grant: FileGrant): boolean {
  const below = [...files].filter(([other]) => other.startsWith(`${path}/`));
  const isLearned = ([other, learned]: [string, FileGrant]): boolean =>
    "hostFile" in learned && learned.hostFile === other && learned.bytes === undefined;
  if (!below.every(isLearned)) return false;
  const changes = below.some(([, learned]) => "hostFile" in learned && learned.mode !== "read");
  for (const [other] of below) files.delete(other);
  files.set(path, changes && "hostDirectory" in grant ? { ...grant, mode: "write" } : grant);
  return true;
}

function widen(files: Map<string, FileGrant>, path: string, access: FileDenial["access"]): boolean {
  const grant = files.get(path);
  if (grant === undefined) return false;
  if ("scratch" in grant || "overlay" in grant) return true;
  const reads = access === "look" || access === "read" || access === "list";
  if ("hostDirectory" in grant) {
    if (!(reads && grant.mode !== "create-only")) files.set(path, { ...grant, mode: "write" });
    return true;
  }
  if (access === "list" || access === "remove" || access === "change" || access === "makeDirectory")
    return false;
  files.set(path, { ...grant, mode: joined(grant.mode, access === "look" ? "read" : access) });
  return true;
}

/** The least mode that allows both. */
function joined(a: FileMode, b: FileMode): FileMode {
  if (a === b) return a;
  const both = new Set([a, b]);
  // What is created may be read and written afterwards.
  if (both.has("create")) return "create";
  return both.has("read") || both.has("update") ? "update" : "write";
}

/** Twice as much: how much the program wants, nobody knows. */
function enlarge(files: Map<string, FileGrant>, path: string | undefined, option: string): boolean {
  const grant = path === undefined ? undefined : files.get(path);
  if (path === undefined || grant === undefined || "overlay" in grant) return false;
  if ("scratch" in grant) {
    const { bytes, files: names } = grant.scratch;
    files.set(path, {
      scratch: option === "files" ? { bytes, files: 2 * names } : { bytes: 2 * bytes, files: names },
    });
    return true;
  }
  if (option === "files") {
    if (!("hostDirectory" in grant)) return false;
    files.set(path, { ...grant, files: 2 * (grant.files ?? 10_000) });
  } else files.set(path, { ...grant, bytes: 2 * (grant.bytes ?? 64 * 2 ** 20) });
  return true;
}

function grantOf(capability: FileCapability): FileGrant | undefined {
  switch (capability.kind) {
    case "hostFile":
      return { hostFile: capability.path, mode: capability.mode, bytes: capability.maxBytes };
    case "hostDirectory": {
      const { path, mode, growthBytes, maxFiles } = capability;
      return { hostDirectory: path, mode, bytes: growthBytes, files: maxFiles };
    }
    case "scratch":
      return { scratch: { bytes: capability.quotaBytes, files: capability.maxFiles } };
    default:
      // The command line grants no other kind.
      return undefined;
  }
}

/** Keys are the program's own words: without a prototype they are keys like any other. */
function record<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  const object: Record<string, T> = Object.create(null);
  for (const [key, value] of map) object[key] = value;
  return object;
}
