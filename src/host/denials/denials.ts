// What the guest asked for and was refused for want of a grant, as the embedder sees it: each with the grant that would allow it. All
// texts are made here, from checked words and the plan; what is the guest's own in them is one name, quoted.
import type { FileCapability } from "../../capabilities/capability.ts";
import { treePath } from "../../filesystems/tree-path.ts";
import { nameOfErrno } from "../../kernel/kernel-error.ts";
import type { PathAccess } from "../../kernel/refusals.ts";
import { fileGrantFor, quotaGrantFor, type Suggestion } from "./denial-grants.ts";
import { denialKey, maxDenialNameBytes, maxDenials, type RawDenial } from "./raw-denial.ts";

/** What was wanted of a path. "look": whether it is there, and what it is. "change": mode or times. */
export type FileAccess = PathAccess;

interface AnyDenial {
  /** How often it came. */
  readonly count: number;
  /** What the guest was told, such as "ENOENT"; undefined where it was no errno. */
  readonly errno: string | undefined;
  /** The grant or option that would allow it, as it is written in TypeScript; undefined where nothing does. */
  readonly allowedBy: string | undefined;
  /** The same for the command line; undefined where no flag says it. */
  readonly flag: string | undefined;
}

/** A path that was not granted, or not for that. */
export interface FileDenial extends AnyDenial {
  readonly kind: "file";
  /** As the guest spelled it, made absolute; cut after 1024 bytes. Bytes that are not UTF-8 stand as lone surrogates. */
  readonly path: string;
  readonly access: FileAccess;
}

/** A grant, or the sandbox, has no more room. */
export interface QuotaDenial extends AnyDenial {
  readonly kind: "quota";
  /** Where the grant is; undefined for a limit of the whole sandbox. */
  readonly path: string | undefined;
  /** What is full: the grant's bytes or names, or the sandbox. */
  readonly option: "bytes" | "files" | "limits.hostMemory";
}

/** Somebody outside was to be reached. No grant opens the network. */
export interface NetworkDenial extends AnyDenial {
  readonly kind: "network";
  readonly access: "connect" | "send" | "listen" | "resolve";
  /** An address, or the name that was to be resolved. */
  readonly host: string;
  /** Undefined where none was named. */
  readonly port: number | undefined;
}

/** A module that is not granted (a built-in one, or `host` where no functions are granted), or native code that was to be loaded. */
export interface ModuleDenial extends AnyDenial {
  /** "library" is native code. */
  readonly kind: "module" | "library";
  /** The module's name, or the path of the library. */
  readonly name: string;
}

/** Standard input was read, and none is granted. */
export interface InputDenial extends AnyDenial {
  readonly kind: "stdin";
}

/** One thing that the guest was refused for want of a grant; `kind` tells which it is. */
export type Denial = FileDenial | QuotaDenial | NetworkDenial | ModuleDenial | InputDenial;

/** What the guest was refused in one lifetime. */
export interface DenialReport {
  /** In the order in which they first came; at most 256. */
  readonly denials: readonly Denial[];
  /** How often something else was refused, of which nothing more is kept. */
  readonly dropped: number;
}

/** The denials of one lifetime. What comes in may be a taken-over process's: it is bounded here as well. */
export class DenialRecord {
  readonly #granted: readonly (readonly [string, FileCapability])[];
  readonly #kept = new Map<string, RawDenial>();
  #inside = 0;
  #outside = 0;

  /** `granted` in the order of the plan's places. */
  constructor(granted: readonly (readonly [string, FileCapability])[]) {
    this.#granted = granted;
  }

  /** The denial, if it is new. */
  take(raw: RawDenial): Denial | undefined {
    const key = denialKey(raw);
    const isNew = !this.#kept.has(key);
    if (isNew && this.#kept.size >= maxDenials) {
      this.#outside += 1;
      return undefined;
    }
    this.#kept.set(key, raw);
    return isNew ? this.#denial(raw) : undefined;
  }

  /** What the inside did not tell one by one, in all of the lifetime. */
  untold(count: number): void {
    this.#inside = count;
  }

  report(): DenialReport {
    const denials = [...this.#kept.values()].map((raw) => this.#denial(raw));
    return { denials, dropped: this.#inside + this.#outside };
  }

  #denial(raw: RawDenial): Denial {
    const { count } = raw;
    const errno = raw.errno === 0 ? undefined : nameOfErrno(raw.errno);
    const place = this.#granted[raw.place - 1];
    const name = treePath(raw.name);
    const shown = (suggestion: Suggestion | undefined) => ({
      count,
      errno,
      allowedBy: suggestion?.allowedBy,
      flag: suggestion?.flag,
    });
    switch (raw.kind) {
      case "file": {
        const access = raw.access as FileAccess;
        const isWhole = raw.name.length < maxDenialNameBytes;
        return {
          kind: "file",
          path: name,
          access,
          ...shown(isWhole ? fileGrantFor(name, access, place) : undefined),
        };
      }
      case "quota": {
        const option = raw.access === "files" ? "files" : place ? "bytes" : "limits.hostMemory";
        return { kind: "quota", path: place?.[0], option, ...shown(quotaGrantFor(option, place)) };
      }
      case "network":
        // No grant of this version opens the network.
        return {
          kind: "network",
          access: raw.access as NetworkDenial["access"],
          host: name,
          port: raw.port === 0 ? undefined : raw.port,
          ...shown(undefined),
        };
      case "library":
        return { kind: "library", name, ...shown(undefined) };
      case "module":
        return {
          kind: "module",
          name,
          ...shown(
            name === "host"
              ? { allowedBy: "functions: { name: hostFunction(…) }", flag: undefined }
              : { allowedBy: `modules: [${JSON.stringify(name)}]`, flag: `--module ${name}` },
          ),
        };
      case "stdin":
        return { kind: "stdin", ...shown({ allowedBy: "stdin: hostStdin", flag: "--stdin" }) };
    }
  }
}
