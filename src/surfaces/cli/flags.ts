// The words of the command line, turned into grants of the public API.
import { statSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import {
  type FileCapability,
  type HostDirectoryMode,
  type HostFileMode,
  hostDirectory,
  hostFile,
  type Isolation,
  type Limits,
  OptionError,
  scratch,
} from "../../index.ts";
import { grantOverlay, type OverlayFlag } from "./overlays.ts";

export type Grant =
  | { readonly kind: "file"; readonly guest: string; readonly capability: FileCapability }
  | { readonly kind: "overlay"; readonly overlay: OverlayFlag }
  | { readonly kind: "env"; readonly name: string; readonly value: string }
  | { readonly kind: "module"; readonly name: string };

export type GivenGrant = Grant & { readonly words: string };

/** What a repeated option has gathered. */
export class Collected {
  readonly grants: GivenGrant[] = [];
  /** `words`: as they were typed. */
  add(grant: Grant, words: string): this {
    this.grants.push({ ...grant, words });
    return this;
  }
}

export interface RunFlags {
  readonly c?: string;
  readonly m?: string;
  readonly read?: Collected;
  readonly write?: Collected;
  readonly update?: Collected;
  readonly append?: Collected;
  readonly create?: Collected;
  readonly scratch?: Collected;
  readonly overlay?: Collected;
  readonly commit?: boolean;
  readonly env?: Collected;
  readonly module?: Collected;
  readonly stdin?: boolean;
  readonly memory?: string;
  readonly wall?: string;
  readonly cpu?: string;
  readonly fuel?: number | "unlimited";
  readonly output?: string;
  readonly hostMemory?: string;
  readonly grace?: string;
  readonly isolation?: Isolation;
  readonly clock?: "real" | "coarse" | "frozen";
  readonly timeZone?: string;
  readonly json?: boolean;
  readonly explain?: boolean;
  readonly learn?: string;
}

/** What a flag means for a folder of the host. */
const folderModes: ReadonlyMap<HostFileMode, HostDirectoryMode> = new Map<HostFileMode, HostDirectoryMode>([
  ["read", "read"],
  ["write", "write"],
  ["create", "create-only"],
]);

/** HOST or HOST:GUEST; the guest path begins after the last ":/". */
function hostAndGuest(text: string): { readonly host: string; readonly guest: string } {
  const split = text.lastIndexOf(":/");
  const host = split > 0 ? text.slice(0, split) : text;
  return { host, guest: split > 0 ? text.slice(split + 1) : guestPathOf(host) };
}

/** A folder is granted with all that is in it. */
function file(mode: HostFileMode): (text: string) => Grant {
  return (text) => {
    const { host, guest } = hostAndGuest(text);
    const folderMode = folderModes.get(mode);
    const capability = checked(() =>
      folderMode !== undefined && isFolder(host) ? hostDirectory(host, folderMode) : hostFile(host, mode),
    );
    return { kind: "file", guest, capability };
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function guestPathOf(host: string): string {
  const names = host.split(/[/\\]/).filter((name) => name !== "" && name !== ".");
  if (names.includes("..") || names.length === 0) {
    throw new InvalidArgumentError("this folder, or a path with .., needs a guest path: HOST:/GUEST");
  }
  return `/${names.join("/")}`;
}

function pair(text: string, what: string): [string, string] {
  const split = text.indexOf("=");
  if (split <= 0) throw new InvalidArgumentError(`expected ${what}`);
  return [text.slice(0, split), text.slice(split + 1)];
}

function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof OptionError) throw new InvalidArgumentError(`Accepted: ${error.accepted}`);
    throw error;
  }
}

/** Units of fuel as people write them: 5000000, 5_000_000, 5e6. */
export function fuel(text: string): number | "unlimited" {
  if (text === "unlimited") return text;
  const units = Number(text.replaceAll("_", ""));
  if (text.trim() === "" || !Number.isSafeInteger(units))
    throw new InvalidArgumentError("expected a whole number of units, or unlimited");
  return units;
}

/** What was not said is left to the library's defaults. */
export function limitsOf({ memory, hostMemory, wall, cpu, fuel, output, grace }: RunFlags): Limits {
  return {
    ...(memory !== undefined && { memory }),
    ...(hostMemory !== undefined && { hostMemory }),
    ...(wall !== undefined && { wall }),
    ...(cpu !== undefined && { cpu }),
    ...(fuel !== undefined && { fuel }),
    ...(output !== undefined && { output }),
    ...(grace !== undefined && { soft: { grace } }),
  };
}

export const grants = {
  read: file("read"),
  write: file("write"),
  update: file("update"),
  append: file("append"),
  create: file("create"),
  scratch: (text: string): Grant => {
    const [guest, bytes] = pair(text, "GUEST=SIZE, such as /tmp=10MiB");
    return { kind: "file", guest, capability: checked(() => scratch({ bytes })) };
  },
  overlay: (text: string): Grant => {
    const [, place = text, bytes = "64 MiB"] = /^(.*)=([^=/]*)$/.exec(text) ?? [];
    const overlay = { ...hostAndGuest(place), bytes };
    // What it says is checked now; it is made when all flags are known.
    checked(() => grantOverlay(overlay, false));
    return { kind: "overlay", overlay };
  },
  env: (text: string): Grant => {
    const [name, value] = pair(text, "NAME=VALUE");
    return { kind: "env", name, value };
  },
  module: (name: string): Grant => ({ kind: "module", name }),
} as const;
