// What a guest asked for and did not get, told to whoever watches: mechanism only, in the order in which it happens. Whether a grant
// is missing, and which, is for the watcher to say. Successful calls never come here.
import { type GuestMemory, GuestRangeFault } from "../abi/guest-memory.ts";
import type { ByteString, Node } from "./filesystem.ts";
import type { Spent } from "./kernel-error.ts";

/** What a call wanted of a path. `look`: to know whether it is there, and what it is. */
export type PathAccess =
  | "look"
  | "list"
  | "read"
  | "write"
  | "append"
  | "update"
  | "create"
  | "makeDirectory"
  | "remove"
  | "change";

export type Refusal =
  | {
      readonly kind: "path";
      readonly access: PathAccess;
      /** Absolute, without "." and "..", as the guest spelled it: links are not looked at. */
      readonly path: ByteString;
      readonly errno: number;
      readonly spent?: Spent | undefined;
    }
  /** An open file could not grow: ENOSPC, EDQUOT, EFBIG. */
  | {
      readonly kind: "room";
      readonly node: Node;
      readonly errno: number;
      readonly spent?: Spent | undefined;
    }
  | {
      readonly kind: "network";
      readonly access: "connect" | "send" | "listen" | "resolve";
      /** A name or an address, as the guest gave it; at most 255 bytes. */
      readonly host: ByteString;
      /** 0 where there is none. */
      readonly port: number;
      readonly errno: number;
    }
  | { readonly kind: "library"; readonly path: ByteString };

export interface RefusalObserver {
  refused(refusal: Refusal): void;
}

/** As much of the kernel as is needed to tell somebody. */
interface Watched {
  readonly memory: GuestMemory;
  readonly process: { readonly refusals: RefusalObserver | undefined };
}

/** For a call that answers in its own way, and must go on doing so whatever its arguments are. */
export function tell(kernel: Watched, refusalOf: (memory: GuestMemory) => Refusal | undefined): void {
  const { refusals } = kernel.process;
  if (refusals === undefined) return;
  try {
    const refusal = refusalOf(kernel.memory);
    if (refusal !== undefined) refusals.refused(refusal);
  } catch (error) {
    if (!(error instanceof GuestRangeFault)) throw error;
  }
}
