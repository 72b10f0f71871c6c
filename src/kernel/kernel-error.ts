// A refusal on its way back to the guest as an errno. Deliberately not an Error: failed lookups are the hottest path of
// Python's import system, and capturing a stack for each costs more than the lookup. It never leaves the kernel.
import { type ErrnoName, errno } from "../abi/errno.ts";

export class KernelError {
  readonly name: ErrnoName;
  readonly errno: number;

  constructor(name: ErrnoName) {
    this.name = name;
    this.errno = errno[name];
  }
}

export function fail(name: ErrnoName): never {
  throw new KernelError(name);
}
