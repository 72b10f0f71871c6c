// What an embedder grants: an object that carries authority, placed under a guest path. In this version a capability is one of
// three kinds of place; the constructors check their arguments, the host resolves them when the sandbox is created.

import type { HostFileMode } from "../filesystems/host-file.ts";

export type { HostFileMode };

export interface HostFile {
  readonly kind: "hostFile";
  readonly path: string;
  readonly mode: HostFileMode;
  /** How large the file may become, in bytes. */
  readonly maxBytes: number;
}

export interface MemoryFile {
  readonly kind: "memoryFile";
  readonly bytes: Uint8Array;
}

export interface Scratch {
  readonly kind: "scratch";
  readonly quotaBytes: number;
  readonly maxFiles: number;
}

export type FileCapability = HostFile | MemoryFile | Scratch;
