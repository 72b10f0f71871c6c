// An overlay's state over its whole life, and what the embedder does with it: look at the changes, bring them into the lower tree, forget
// them. Each of these is one turn, so no guest changes anything meanwhile.
import { now, type Steps } from "../later.ts";
import type { Later, Tree } from "../tree.ts";
import { keep } from "../tree-keep.ts";
import { changesOf, type OverlayChange } from "./overlay-changes.ts";
import { type CommitReport, commitRoom } from "./overlay-commit.ts";
import type { OverlayFile } from "./overlay-file.ts";
import { type OverlayState, OverlayTree } from "./overlay-tree.ts";
import { Turns } from "./turns.ts";
import { UpperRoom } from "./upper-room.ts";

/** Always for the same lower tree. */
export class OverlayLayer implements OverlayState {
  readonly turns = new Turns();
  readonly files = new Set<OverlayFile>();
  readonly #quotaBytes: number;
  readonly #maxFiles: number;
  room: UpperRoom;

  constructor(quotaBytes: number, maxFiles: number) {
    this.#quotaBytes = quotaBytes;
    this.#maxFiles = maxFiles;
    this.room = new UpperRoom(quotaBytes, maxFiles);
  }

  /** Whether there is nothing to change. */
  get isEmpty(): boolean {
    const { root } = this.room;
    return root === undefined || (root.slots.size === 0 && !root.attributesChanged);
  }

  /** What the overlay would change in `lower`; nothing of it is read yet. */
  changes(lower: Tree): Later<OverlayChange[]> {
    const overlay = new OverlayTree(this, lower, () => 0n);
    return this.turns.take(() => nearby(lower, changesOf(this.room.root, overlay, lower)));
  }

  /**
   * Brings all changes into `lower`, or none of them, and forgets them; files that are open go on showing what they showed. Throws
   * OverlayConflictError, OverlayCommitError.
   */
  commitTo(lower: Tree): Later<CommitReport> {
    const layer = this;
    return this.turns.take(function* () {
      const { room } = layer;
      const alone = new OverlayTree({ room, turns: new Turns(), files: new Set() }, lower, () => 0n);
      for (const file of layer.files) yield* file.holdLower();
      const report = yield* nearby(lower, commitRoom(room, alone, lower));
      layer.forget();
      return report;
    });
  }

  /** Forgets all changes. Files that are open can still be read by those who have them open. */
  discard(): Later<void> {
    const layer = this;
    return this.turns.take(function* () {
      yield* now(undefined);
      layer.forget();
    });
  }

  /** As `discard`, within a turn. */
  forget(): void {
    this.room = new UpperRoom(this.#quotaBytes, this.#maxFiles);
  }
}

/** Steps that go through the lower tree from one thing to the next. */
function* nearby<T>(lower: Tree, steps: Steps<T>): Steps<T> {
  const done = keep(lower);
  try {
    return yield* steps;
  } finally {
    done();
  }
}
