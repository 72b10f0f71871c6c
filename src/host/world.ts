// What a lifetime's guest finds: the grants of a plan as a file tree, and the tree and the policy as a process.
import {
  fullDevice,
  nullDevice,
  randomDevice,
  reportDevice,
  urandomDevice,
  zeroDevice,
} from "../filesystems/devices.ts";
import { memoryFileNode } from "../filesystems/fixed-file.ts";
import {
  GrantedHostFile,
  type HostFileGrant,
  type HostFileLocks,
  HostFileNode,
  type HostFilePower,
} from "../filesystems/host-file.ts";
import { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { SkeletonFileSystem } from "../filesystems/skeleton.ts";
import type { SyncTree } from "../filesystems/sync-tree.ts";
import { TreeFileSystem } from "../filesystems/tree-filesystem.ts";
import { pathBytes } from "../filesystems/tree-path.ts";
import { libraryDirectory } from "../interpreter/boot.ts";
import { StandardStream } from "../kernel/character-file.ts";
import { Clocks } from "../kernel/clocks.ts";
import type { FileSystem } from "../kernel/filesystem.ts";
import { HostMemory } from "../kernel/host-memory.ts";
import { Mounts } from "../kernel/mounts.ts";
import { guestOwner } from "../kernel/permissions.ts";
import type { CallPower, ClockPower, EntropyPower, InputPower, OutputPower } from "../kernel/powers.ts";
import { Process } from "../kernel/process.ts";
import type { RefusalObserver } from "../kernel/refusals.ts";
import { ianaTimeZone, utc } from "../kernel/time-zone.ts";
import type { PlannedHostFile, PlannedPlace, SandboxPlan } from "./plan.ts";

export interface WorldPowers {
  readonly clock: ClockPower;
  readonly entropy: EntropyPower;
  readonly output: OutputPower;
  readonly hostInput: InputPower;
  /** What /dev/sandboa tells the guest of its own use. */
  readonly usageText: () => string;
  /** Told what the guest is refused. */
  readonly refusals: RefusalObserver;
  /** The guest reads a standard input that holds nothing. */
  readonly inputAsked: () => void;
  /** The open file behind the place of this number in the plan; undefined while it does not exist. */
  openHostFile(place: PlannedHostFile, number: number): HostFilePower | undefined;
  /** How locks of the file behind the place of this number are asked for. */
  hostFileLocks(number: number): HostFileLocks;
  readonly calls: CallPower;
  /** The tree behind the place of this number. */
  tree(number: number): SyncTree;
  /** Makes the file that was granted there. Throws KernelError. */
  createHostFile(place: PlannedHostFile, number: number): HostFilePower;
}

interface World {
  readonly process: Process;
  readonly scratches: readonly MemoryFileSystem[];
}

export function makeWorld(plan: SandboxPlan, library: FileSystem, powers: WorldPowers): World {
  const clocks = new Clocks(plan.clock, powers.clock);
  const madeNs = clocks.wallNs();
  const hostMemory = new HostMemory(plan.limits.hostMemoryBytes);
  const tree = new Tree(plan, powers, { clocks, hostMemory, timeNs: madeNs });
  tree.mounts.mountUnread(tree.skeleton.directory(libraryDirectory), library);
  const process = new Process({
    mounts: tree.mounts,
    cwd: tree.mounts.root,
    clocks,
    timeZone: (plan.timeZone === "UTC" ? undefined : ianaTimeZone(plan.timeZone)) ?? utc,
    entropy: powers.entropy,
    environment: plan.environment.map(([name, value]) => pathBytes(`${name}=${value}`)),
    streams: [
      StandardStream.input(
        plan.stdin === "host" ? powers.hostInput : inputOf(plan.stdin, powers.inputAsked),
        madeNs,
      ),
      StandardStream.output(powers.output, "stdout", madeNs),
      StandardStream.output(powers.output, "stderr", madeNs),
    ],
    limits: plan.limits,
    hostMemory,
    refusals: powers.refusals,
    calls: powers.calls,
  });
  return { process, scratches: tree.scratches };
}

class Tree {
  readonly skeleton: SkeletonFileSystem;
  readonly mounts: Mounts;
  readonly scratches: MemoryFileSystem[] = [];
  readonly #powers: WorldPowers;
  readonly #clocks: Clocks;
  readonly #hostMemory: HostMemory;
  readonly #timeNs: bigint;

  constructor(
    plan: SandboxPlan,
    powers: WorldPowers,
    lifetime: { readonly clocks: Clocks; readonly hostMemory: HostMemory; readonly timeNs: bigint },
  ) {
    this.#powers = powers;
    this.#clocks = lifetime.clocks;
    this.#hostMemory = lifetime.hostMemory;
    this.#timeNs = lifetime.timeNs;
    const skeleton = new SkeletonFileSystem({ timeNs: lifetime.timeNs });
    this.skeleton = skeleton;
    this.mounts = new Mounts(skeleton);
    const fill = (target: Uint8Array): void => powers.entropy.fill(target);
    skeleton.place("/dev/null", nullDevice(skeleton.identity()));
    skeleton.place("/dev/zero", zeroDevice(skeleton.identity()));
    skeleton.place("/dev/full", fullDevice(skeleton.identity()));
    skeleton.place("/dev/random", randomDevice(skeleton.identity(), fill));
    skeleton.place("/dev/urandom", urandomDevice(skeleton.identity(), fill));
    skeleton.place("/dev/sandboa", reportDevice(skeleton.identity(), powers.usageText));
    plan.places.forEach(([path, place], number) => {
      this.#place(pathBytes(path), place, number);
    });
  }

  #place(path: string, place: PlannedPlace, number: number): void {
    const { skeleton } = this;
    switch (place.kind) {
      case "memoryFile":
        skeleton.place(path, memoryFileNode(skeleton.identity(), place.bytes, { shared: true }));
        return;
      case "scratch": {
        const scratch = new MemoryFileSystem({
          quotaBytes: place.quotaBytes,
          maxInodes: place.maxFiles,
          maxDepth: place.maxDepth,
          maxNameBytes: place.maxNameBytes,
          account: this.#hostMemory,
          now: this.#clocks.wallNs,
          owner: guestOwner,
          rootMode: 0o755,
        });
        this.scratches.push(scratch);
        this.mounts.mount(skeleton.directory(path), scratch);
        return;
      }
      case "hostFile":
        this.#placeHostFile(path, place, number);
        return;
      case "tree": {
        const options = { timeNs: this.#timeNs, confinesLinks: place.confinesLinks };
        const files = new TreeFileSystem(this.#powers.tree(number), options);
        if (place.root === "directory") this.mounts.mount(skeleton.directory(path), files);
        else skeleton.placeAsked(path, files.rootFile(place.root === "file"));
      }
    }
  }

  #placeHostFile(path: string, place: PlannedHostFile, number: number): void {
    const grant = grantOf(place);
    const identity = this.skeleton.identity();
    const locks = this.#powers.hostFileLocks(number);
    const node = (file: HostFilePower): HostFileNode =>
      new HostFileNode(identity, new GrantedHostFile(file, grant), this.#clocks.wallNs, locks);
    const present = this.#powers.openHostFile(place, number);
    if (present) this.skeleton.place(path, node(present));
    else this.skeleton.placeCreatable(path, () => node(this.#powers.createHostFile(place, number)));
  }
}

/** What a mode allows. */
export function grantOf({ mode, maxBytes }: PlannedHostFile): HostFileGrant {
  return {
    read: mode === "read" || mode === "create" || mode === "update",
    write: mode === "write" || mode === "append" || mode === "create" || mode === "update",
    appendOnly: mode === "append",
    maxBytes,
  };
}

function inputOf(content: Uint8Array, asked: () => void): InputPower {
  let at = 0;
  return {
    read: (target) => {
      if (content.length === 0) asked();
      const part = content.subarray(at, at + target.length);
      target.set(part);
      at += part.length;
      return part.length;
    },
  };
}
