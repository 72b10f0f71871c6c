// A refusal of the host's own system, such as a full disk: to the guest it is an errno like any other, and the embedder is told why.
import type { ErrnoName } from "../abi/errno.ts";
import { KernelError } from "../kernel/kernel-error.ts";

export class HostFault extends KernelError {
  readonly cause: unknown;

  constructor(name: ErrnoName, cause: unknown) {
    super(name);
    this.cause = cause;
  }
}
