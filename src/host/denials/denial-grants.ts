// Which grant would allow what was refused, in the words of TypeScript and of the command line. A suggestion names the least that
// allows this one thing; whether it should be allowed is for a person to say.
import type { FileCapability } from "../../capabilities/capability.ts";
import type { PathAccess } from "../../kernel/refusals.ts";

export interface Suggestion {
  readonly allowedBy: string;
  /** Undefined where the command line cannot say it. */
  readonly flag: string | undefined;
}

type Granted = readonly [string, FileCapability];
type FileMode = "read" | "write" | "append" | "create" | "update";

const fileModes: ReadonlyMap<PathAccess, FileMode> = new Map<PathAccess, FileMode>([
  ["look", "read"],
  ["read", "read"],
  ["write", "write"],
  ["append", "append"],
  ["create", "create"],
  ["update", "update"],
]);

/** Undefined for a path that no grant can name: one with bytes that are not UTF-8, or with control characters in a flag. */
export function fileGrantFor(
  path: string,
  access: PathAccess,
  granted: Granted | undefined,
): Suggestion | undefined {
  if (!path.isWellFormed()) return undefined;
  if (granted) return widened(granted, access);
  const mode = fileModes.get(access);
  if (mode) return hostPlace("hostFile", path, path, mode);
  if (access === "list") return hostPlace("hostDirectory", path, path, "read");
  if (access === "makeDirectory")
    return {
      allowedBy: `files: { ${quoted(path)}: scratch({ bytes: "10 MiB" }) }`,
      flag: flagOf("--scratch", `${path}=10MiB`),
    };
  // To remove or to change something is to change its folder.
  const folder = path.slice(0, path.lastIndexOf("/"));
  return folder === "" ? undefined : hostPlace("hostDirectory", folder, folder, "write");
}

/** The same grant, with a mode that allows this as well. */
function widened([guest, capability]: Granted, access: PathAccess): Suggestion | undefined {
  const changes = access !== "look" && access !== "read" && access !== "list";
  switch (capability.kind) {
    case "hostFile": {
      const had = capability.mode;
      if (access === "change" || access === "remove" || access === "makeDirectory") return undefined;
      const both = changes ? had === "read" : had === "write" || had === "append";
      const mode = access === "update" || both ? "update" : "write";
      return mode === had ? undefined : hostPlace("hostFile", guest, capability.path, mode);
    }
    case "hostDirectory":
      return capability.mode === "write"
        ? undefined
        : hostPlace("hostDirectory", guest, capability.path, "write");
    case "memoryFile":
      if (access === "change" || access === "remove" || access === "makeDirectory") return undefined;
      return changes
        ? { allowedBy: `files: { ${quoted(guest)}: hostFile("…", "update") }`, flag: undefined }
        : undefined;
    default:
      // The embedder's own place has its own reasons.
      return undefined;
  }
}

function hostPlace(
  call: "hostFile" | "hostDirectory",
  guest: string,
  host: string,
  mode: FileMode,
): Suggestion {
  return {
    allowedBy: `files: { ${quoted(guest)}: ${call}(${quoted(host)}, "${mode}") }`,
    flag: flagOf(`--${mode}`, host === guest ? host : `${host}:${guest}`),
  };
}

export function quotaGrantFor(
  option: "bytes" | "files" | "limits.hostMemory",
  granted: Granted | undefined,
): Suggestion | undefined {
  if (option === "limits.hostMemory")
    return { allowedBy: "limits: { hostMemory: more }", flag: "--host-memory SIZE" };
  if (granted === undefined) return undefined;
  const [guest, capability] = granted;
  const inside = (call: string): string => `files: { ${quoted(guest)}: ${call} }`;
  switch (capability.kind) {
    case "scratch": {
      const had = option === "bytes" ? capability.quotaBytes : capability.maxFiles;
      const call = `scratch({ …, ${option}: more than ${had} })`;
      return {
        allowedBy: inside(call),
        flag: option === "bytes" ? flagOf("--scratch", `${guest}=SIZE`) : undefined,
      };
    }
    case "hostFile": {
      const call = `hostFile(${quoted(capability.path)}, "${capability.mode}", { bytes: more than ${capability.maxBytes} })`;
      return { allowedBy: inside(call), flag: undefined };
    }
    case "hostDirectory": {
      const had = option === "bytes" ? capability.growthBytes : capability.maxFiles;
      const call = `hostDirectory(${quoted(capability.path)}, "${capability.mode}", { ${option}: more than ${had} })`;
      return { allowedBy: inside(call), flag: undefined };
    }
    default:
      return undefined;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these cannot be pasted into a shell.
const unsayable = /[\u0000-\u001f\u007f-\u009f]/;

/** A word of a POSIX shell, quoted where it must be. */
function flagOf(flag: string, value: string): string | undefined {
  if (unsayable.test(value)) return undefined;
  return /^[\w./:=@%+,-]+$/.test(value) ? `${flag} ${value}` : `${flag} '${value.replaceAll("'", "'\\''")}'`;
}
