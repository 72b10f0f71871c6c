// What one tree has made in a folder, so that a grant which may only add can still tell its own things from those of others. At most as
// many as the grant may make. A number that the disk uses again has another time of birth; where the disk keeps none, nothing counts.
import type { BigIntStats } from "node:fs";

export class MadeThings {
  readonly #identities = new Set<string>();

  add(stats: BigIntStats): void {
    if (stats.birthtimeNs > 0n) this.#identities.add(identityOf(stats));
  }

  has(stats: BigIntStats): boolean {
    return this.#identities.has(identityOf(stats));
  }
}

function identityOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}
