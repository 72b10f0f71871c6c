// Copy on write over another place. The state belongs to this object, so to the embedder: sandboxes come and go, are reset, and find
// what was changed before. What is below is resolved when it is first needed, once, and let go of when no sandbox uses the overlay and
// there is nothing to change. Invariant: a guest reaches nothing of it that could change what is below; only `commit` does.
import type { OverlayChange } from "../filesystems/overlay/overlay-changes.ts";
import type { CommitReport } from "../filesystems/overlay/overlay-commit.ts";
import { OverlayLayer } from "../filesystems/overlay/overlay-layer.ts";
import { OverlayTree } from "../filesystems/overlay/overlay-tree.ts";
import type { Tree } from "../filesystems/tree.ts";
import type { FileCapability, OverlayPlace, PlaceEnvironment, PlaceUse } from "./capability.ts";
import { optionFields } from "./option-fields.ts";
import { checkLower } from "./place-check.ts";
import { bytes, count, type Quantity } from "./quantity.ts";

/** How much may be changed in an overlay. */
export interface OverlayOptions {
  /** Everything that is held for what was changed: bytes as far as they are new, and some for each file that was touched or removed. */
  readonly bytes: Quantity;
  /** How many files, folders and links may be the overlay's own. Default 10,000. */
  readonly files?: number | undefined;
}

/** What an overlay needs of the host: how a place is resolved, and what its tree has of the host. */
export interface LowerPower {
  readonly environment: PlaceEnvironment;
  resolve(option: string, capability: FileCapability): PlaceUse;
}

interface Held {
  readonly use: PlaceUse;
  readonly tree: Tree;
}

async function letGo({ use, tree }: Held): Promise<void> {
  try {
    await tree.close?.();
  } finally {
    use.release();
  }
}

/** Overlays that nobody can commit any more, with what they held of the place below. */
const dropped = new FinalizationRegistry<{ readonly held: Held; readonly power: LowerPower }>(
  ({ held, power }) => letGo(held).catch(power.environment.fault),
);

/** A place whose changes are kept apart from what is below it, as overlay makes it. It holds them until it is committed or discarded. */
export class Overlay implements OverlayPlace {
  readonly kind = "overlay";
  readonly #lower: FileCapability;
  readonly #power: LowerPower;
  readonly #layer: OverlayLayer;
  #held: Held | undefined;
  #users = 0;

  /** For overlay(). */
  constructor(lower: FileCapability, options: OverlayOptions, power: LowerPower) {
    checkLower("overlay lower", lower);
    optionFields("overlay", options, ["bytes", "files"]);
    const { files = 10_000 } = options;
    const maxFiles = count("overlay files", files, { from: 1 });
    this.#layer = new OverlayLayer(bytes("overlay bytes", options.bytes), maxFiles);
    this.#lower = lower;
    this.#power = power;
  }

  /** What was created, changed and removed, as it is now; the bytes are read when they are asked for. */
  async changes(): Promise<readonly OverlayChange[]> {
    return this.#using((lower) => this.#layer.changes(lower));
  }

  /**
   * Brings all changes into the place below, or none of them, and forgets them here. The place must have been granted for writing.
   * Throws OverlayConflictError when it is not any more what was changed, and OverlayCommitError when it refuses a step.
   */
  async commit(): Promise<CommitReport> {
    return this.#using((lower) => this.#layer.commitTo(lower));
  }

  /** Forgets all changes. */
  async discard(): Promise<void> {
    await this.#layer.discard();
    await this.#letGo();
  }

  /** Host memory that is held for the changes, of `bytes`. */
  get usedBytes(): number {
    return this.#layer.room.quota.usedBytes;
  }

  /** For the host, which calls it for each sandbox that has the overlay. */
  use(option: string): PlaceUse {
    const { use, tree } = this.#hold(option);
    let released = false;
    return {
      ...(use.confinesLinks !== undefined && { confinesLinks: use.confinesLinks }),
      open: ({ nowMs }) => {
        const nowNs = (): bigint => BigInt(Math.floor(nowMs())) * 1_000_000n;
        return new OverlayTree(this.#layer, tree, nowNs, use.confinesLinks);
      },
      release: () => {
        if (released) return;
        released = true;
        this.#leave();
      },
    };
  }

  async #using<T>(action: (lower: Tree) => T | PromiseLike<T>): Promise<T> {
    const { tree } = this.#hold("overlay");
    try {
      return await action(tree);
    } finally {
      this.#leave();
    }
  }

  #hold(option: string): Held {
    if (this.#held === undefined) {
      const use = this.#power.resolve(option, this.#lower);
      try {
        this.#held = { use, tree: use.open(this.#power.environment) };
        dropped.register(this, { held: this.#held, power: this.#power }, this);
      } catch (error) {
        use.release();
        throw error;
      }
    }
    this.#users += 1;
    return this.#held;
  }

  #leave(): void {
    this.#users -= 1;
    this.#letGo().catch(this.#power.environment.fault);
  }

  /** What was changed refers to the tree that it was changed over, so that stays as long as there is something. */
  async #letGo(): Promise<void> {
    const held = this.#held;
    if (held === undefined || this.#users > 0 || !this.#layer.isEmpty) return;
    this.#held = undefined;
    dropped.unregister(this);
    this.#layer.forget();
    await letGo(held);
  }
}
