// Inside of a wall: the denials of one lifetime, each once, with how often it came. What is beyond the most that is kept is counted.
// It listens while a run goes on; what we do ourselves in the guest is not the guest's asking.

import { byteString } from "../../abi/guest-memory.ts";
import type { FileSystem, Node } from "../../kernel/filesystem.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import type { Mounts } from "../../kernel/mounts.ts";
import { walk } from "../../kernel/path-walk.ts";
import type { Process } from "../../kernel/process.ts";
import type { Refusal, RefusalObserver } from "../../kernel/refusals.ts";
import type { SandboxPlan } from "../plan.ts";
import { denialKey, maxDenialNameBytes, maxDenials, type RawDenial } from "./raw-denial.ts";
import { RefusalPolicy } from "./refusal-policy.ts";

interface Kept {
  denial: RawDenial;
  toldCount: number;
}

export class DenialLog implements RefusalObserver {
  readonly #plan: SandboxPlan;
  readonly #policy: RefusalPolicy;
  readonly #tell: (denial: RawDenial) => void;
  readonly #kept = new Map<string, Kept>();
  /** How often something was refused that is not kept. */
  untold = 0;
  listening = false;
  #process: Process | undefined;
  readonly #places = new WeakMap<FileSystem | Node, number>();

  /** `tell` is called when a denial is new, and at the end of a run when it came again. */
  constructor(plan: SandboxPlan, tell: (denial: RawDenial) => void) {
    this.#plan = plan;
    this.#policy = new RefusalPolicy(plan);
    this.#tell = tell;
  }

  /** The process whose files it is about. */
  watch(process: Process): void {
    this.#process = process;
  }

  refused(refusal: Refusal): void {
    if (!this.listening) return;
    switch (refusal.kind) {
      case "path": {
        const denial = this.#policy.path(refusal);
        if (denial) this.#keep(denial.access === "bytes" ? this.#accounted(denial) : denial);
        return;
      }
      case "room": {
        const denial = this.#policy.room(this.#placeOf(refusal.node), refusal);
        if (denial) this.#keep(denial.access === "bytes" ? this.#accounted(denial) : denial);
        return;
      }
      case "network": {
        const { access, host, port, errno } = refusal;
        this.#keep({ kind: "network", access, name: host, port, place: 0, errno });
        return;
      }
      case "library": {
        const { path } = refusal;
        this.#keep({ kind: "library", access: "load", name: path, port: 0, place: 0, errno: 0 });
      }
    }
  }

  /** The guest read standard input, and was given none. */
  readonly inputAsked = (): void => {
    if (this.listening) this.#keep({ kind: "stdin", access: "input", name: "", port: 0, place: 0, errno: 0 });
  };

  /** At the end of a run. */
  finish(): void {
    this.listening = false;
    for (const kept of this.#kept.values()) {
      if (kept.denial.count === kept.toldCount) continue;
      kept.toldCount = kept.denial.count;
      this.#tell(kept.denial);
    }
  }

  #keep(found: Omit<RawDenial, "count">): void {
    const denial = { ...found, name: found.name.slice(0, maxDenialNameBytes), count: 1 };
    const key = denialKey(denial);
    const kept = this.#kept.get(key);
    if (kept) kept.denial = { ...kept.denial, count: kept.denial.count + 1 };
    else if (this.#kept.size >= maxDenials) this.untold += 1;
    else {
      this.#kept.set(key, { denial, toldCount: 1 });
      this.#tell(denial);
    }
  }

  /** Which account of bytes was full: the place's own, or the sandbox's. */
  #accounted(denial: Omit<RawDenial, "count">): Omit<RawDenial, "count"> {
    const [path, place] = this.#plan.places[denial.place - 1] ?? [];
    const process = this.#process;
    // What others serve would have to be asked, again and again.
    if (path === undefined || place?.kind !== "scratch" || process === undefined) return denial;
    const node = this.#nodeAt(path);
    if (node === undefined) return denial;
    const { freeBlocks, blockBytes } = node.fileSystem.usage();
    // The scratch shows the lesser of its own room and of the sandbox's, in whole blocks.
    const hostMemory = process.hostMemory.freeContentBytes < (freeBlocks + 1) * blockBytes;
    return hostMemory ? { ...denial, access: "hostMemory", place: 0 } : denial;
  }

  /** Counted from 1; 0 for none. */
  #placeOf(node: Node): number {
    const root = this.#process?.mounts.root.fileSystem;
    if (root === undefined) return 0;
    // Whatever is in a place belongs to the file system that is mounted there; single files belong to the root's.
    const owner = node.fileSystem === root ? node : node.fileSystem;
    const known = this.#places.get(owner);
    if (known !== undefined) return known;
    const index = this.#plan.places.findIndex(([path]) => {
      const placed = this.#nodeAt(path);
      return placed !== undefined && (placed === node || placed.fileSystem === owner);
    });
    this.#places.set(owner, index + 1);
    return index + 1;
  }

  #nodeAt(path: string): Node | undefined {
    const mounts: Mounts | undefined = this.#process?.mounts;
    if (mounts === undefined) return undefined;
    try {
      return walk(mounts, mounts.root, byteString(path), { followLast: false, asHost: true }).node;
    } catch (error) {
      if (error instanceof KernelError) return undefined;
      throw error;
    }
  }
}
