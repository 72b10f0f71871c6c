// A refusal on its way back to the guest as an errno. Deliberately not an Error: failed lookups are the hottest path of
// Python's import system, and capturing a stack for each costs more than the lookup. It never leaves the kernel.
import { type ErrnoName, errno } from "../abi/errno.ts";

/** How many files there may be, where it is not how many bytes. */
export type Spent = "files";

export class KernelError {
  readonly name: ErrnoName;
  readonly errno: number;
  /** Of ENOSPC and EDQUOT, where there is more than one account: which one was full. The guest is not told, the host is (denials). */
  readonly spent: Spent | undefined;

  constructor(name: ErrnoName, spent?: Spent) {
    this.name = name;
    this.errno = errno[name];
    this.spent = spent;
  }
}

/**
 * What a walk has found is something else by now, because somebody outside has put that there: whoever walked does so again (`whileOvertaken`
 * of path-walk.ts). The errno is for whoever does not, or when there is no end of it.
 */
export class Overtaken extends KernelError {}

const names = new Map<number, ErrnoName>(
  Object.entries(errno).map(([name, number]) => [number, name as ErrnoName]),
);

/** EIO for a number that is none. */
export function nameOfErrno(number: number): ErrnoName {
  return names.get(number) ?? "EIO";
}

/** A refusal that came as a number from the other side of a wall; EIO for a number that is none. */
export function failNumber(number: number, spent?: Spent): never {
  return fail(nameOfErrno(number), spent);
}

/** Does what may fail where nobody waits for it. What is no KernelError is thrown. */
export function unheard(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
}

export function fail(name: ErrnoName, spent?: Spent): never {
  throw new KernelError(name, spent);
}
