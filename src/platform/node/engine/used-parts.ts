// Which parts of a bundle this process has used: bytecode is kept of what has run.

/** Walls, each of which has code of its own. */
const part = { inline: 1, worker: 2, process: 4 } as const;

let used = 0;

export function noteUse(name: keyof typeof part): void {
  used |= part[name];
}

/** A sum of `part`. */
export function usedParts(): number {
  return used;
}
