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

const names = new Map<number, ErrnoName>(
  Object.entries(errno).map(([name, number]) => [number, name as ErrnoName]),
);

/** EIO for a number that is none. */
export function nameOfErrno(number: number): ErrnoName {
  return names.get(number) ?? "EIO";
}

/** A refusal that came as a number from the other side of a wall; EIO for a number that is none. */
export function failNumber(number: number): never {
  return fail(nameOfErrno(number));
}

export function fail(name: ErrnoName): never {
  throw new KernelError(name);
}
