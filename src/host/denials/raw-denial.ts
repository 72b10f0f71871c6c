// One denial on its way out of a wall: numbers, known words, and one name of the guest's, at most 1024 bytes long.
import type { ByteString } from "../../kernel/filesystem.ts";

export const denialAccesses = [
  "look",
  "list",
  "read",
  "write",
  "append",
  "update",
  "create",
  "makeDirectory",
  "remove",
  "change",
  "connect",
  "send",
  "listen",
  "resolve",
  "load",
  "import",
  "input",
  "bytes",
  "files",
  "hostMemory",
] as const;
export const denialKinds = ["file", "quota", "network", "library", "module", "stdin"] as const;

export interface RawDenial {
  readonly kind: (typeof denialKinds)[number];
  readonly access: (typeof denialAccesses)[number];
  readonly name: ByteString;
  readonly port: number;
  /** Of the plan, counted from 1: the place that the denial is about; 0 for none. */
  readonly place: number;
  readonly errno: number;
  readonly count: number;
}

export const maxDenialNameBytes = 1024;
/** Different ones that are kept in one lifetime. */
export const maxDenials = 256;
/** How often one run can tell of them: each when it is new, and once more how often it was. */
export const maxDenialMessages = 2 * maxDenials;

export function denialKey({ kind, access, name, port, place }: RawDenial): string {
  return `${kind} ${access} ${port} ${place} ${name}`;
}
