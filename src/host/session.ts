// The worker's side of a sandbox: grants become a file tree, the tree and the policy become a process, the process runs in an
// interpreter. A reset makes new everything but what the host granted.
import { byteString } from "../abi/guest-memory.ts";
import { ArchiveFileSystem } from "../filesystems/archive-filesystem.ts";
import { fullDevice, nullDevice, randomDevice, urandomDevice, zeroDevice } from "../filesystems/devices.ts";
import { memoryFileNode } from "../filesystems/fixed-file.ts";
import { HostFileNode, type HostFilePower } from "../filesystems/host-file.ts";
import { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { SkeletonFileSystem } from "../filesystems/skeleton.ts";
import { libraryDirectory } from "../interpreter/boot.ts";
import type { Image } from "../interpreter/image-file.ts";
import { decodeImage } from "../interpreter/image-file.ts";
import { Interpreter, type Outcome } from "../interpreter/interpreter.ts";
import type { ClearPower } from "../interpreter/snapshot.ts";
import { StandardStream } from "../kernel/character-file.ts";
import { Clocks } from "../kernel/clocks.ts";
import { HostMemory } from "../kernel/host-memory.ts";
import { Kernel } from "../kernel/kernel.ts";
import { Mounts } from "../kernel/mounts.ts";
import { guestOwner } from "../kernel/permissions.ts";
import type { ClockPower, EntropyPower, InputPower, OutputPower } from "../kernel/powers.ts";
import { Process } from "../kernel/process.ts";
import { ianaTimeZone, utc } from "../kernel/time-zone.ts";
import type { HostFileTicket } from "../platform/node/host-files.ts";
import { defaultHostMemoryBytes } from "./host-memory-limit.ts";
import type { OutputWriter } from "./output-ring.ts";
import type { PlannedPlace, SandboxPlan } from "./plan.ts";
import type { WorkerStart } from "./protocol.ts";

export interface SessionPowers {
  readonly clock: ClockPower;
  readonly entropy: EntropyPower;
  readonly inflate: (compressed: Uint8Array, sizeBytes: number) => Uint8Array;
  readonly clearMemory: ClearPower;
  readonly hostInput: InputPower;
  openHostFile(ticket: HostFileTicket): HostFilePower | undefined;
  createHostFile(ticket: HostFileTicket, readable: boolean): HostFilePower;
}

export class Session {
  readonly #plan: SandboxPlan;
  readonly #powers: SessionPowers;
  readonly #library: ArchiveFileSystem;
  readonly #output: OutputWriter;
  readonly #kernel: Kernel;
  readonly #interpreter: Interpreter;
  /** Files that the guest made through a grant: they stay its own across resets, as they stay on the host. */
  readonly #made = new Map<string, HostFilePower>();
  #outputBytes = 0;

  constructor(start: WorkerStart, powers: SessionPowers, output: OutputWriter) {
    this.#plan = start.plan;
    this.#powers = powers;
    this.#output = output;
    const image: Image = decodeImage(start.image.image);
    const extra = new Map([...start.image.guestFiles, ...image.bytecode]);
    this.#library = new ArchiveFileSystem(start.image.library, powers.inflate, { extra });
    this.#kernel = new Kernel(this.#process());
    this.#interpreter = Interpreter.start(start.image.module, this.#kernel, image, {
      args: start.plan.args,
      environment: start.plan.environment,
    });
  }

  get memoryBytes(): number {
    return this.#interpreter.memoryBytes;
  }

  run(request: Uint8Array): Outcome {
    this.#outputBytes = 0;
    return this.#interpreter.request(request, this.#plan.limits.valueBytes);
  }

  reset(): void {
    this.#interpreter.reset(this.#process(), this.#powers.clearMemory);
  }

  #process(): Process {
    const plan = this.#plan;
    const clocks = new Clocks(plan.clock, this.#powers.clock);
    const madeNs = clocks.wallNs();
    const hostMemory = new HostMemory(defaultHostMemoryBytes);
    const mounts = this.#mounts(clocks, madeNs, hostMemory);
    const output: OutputPower = { write: (stream, bytes) => this.#write(stream, bytes) };
    return new Process({
      mounts,
      cwd: mounts.root,
      clocks,
      timeZone: (plan.timeZone === "UTC" ? undefined : ianaTimeZone(plan.timeZone)) ?? utc,
      entropy: this.#powers.entropy,
      environment: plan.environment.map(([name, value]) => byteString(`${name}=${value}`)),
      streams: [
        StandardStream.input(plan.stdin === "host" ? this.#powers.hostInput : inputOf(plan.stdin), madeNs),
        StandardStream.output(output, "stdout", madeNs),
        StandardStream.output(output, "stderr", madeNs),
      ],
      limits: plan.limits,
      hostMemory,
    });
  }

  #mounts(clocks: Clocks, timeNs: bigint, hostMemory: HostMemory): Mounts {
    const skeleton = new SkeletonFileSystem({ timeNs });
    const mounts = new Mounts(skeleton);
    const fill = (target: Uint8Array): void => this.#powers.entropy.fill(target);
    skeleton.place("/dev/null", nullDevice(skeleton.identity()));
    skeleton.place("/dev/zero", zeroDevice(skeleton.identity()));
    skeleton.place("/dev/full", fullDevice(skeleton.identity()));
    skeleton.place("/dev/random", randomDevice(skeleton.identity(), fill));
    skeleton.place("/dev/urandom", urandomDevice(skeleton.identity(), fill));
    mounts.mount(skeleton.directory(libraryDirectory), this.#library);
    for (const [path, place] of this.#plan.places)
      this.#place(byteString(path), place, { skeleton, mounts, clocks, hostMemory });
    return mounts;
  }

  #place(
    path: string,
    place: PlannedPlace,
    world: {
      readonly skeleton: SkeletonFileSystem;
      readonly mounts: Mounts;
      readonly clocks: Clocks;
      readonly hostMemory: HostMemory;
    },
  ): void {
    const { skeleton, mounts, clocks, hostMemory } = world;
    switch (place.kind) {
      case "memoryFile":
        skeleton.place(path, memoryFileNode(skeleton.identity(), place.bytes, { shared: true }));
        return;
      case "scratch": {
        const { quotaBytes, maxFiles } = place;
        const options = {
          quotaBytes,
          maxInodes: maxFiles,
          account: hostMemory,
          now: clocks.wallNs,
          owner: guestOwner,
          rootMode: 0o755,
        };
        mounts.mount(skeleton.directory(path), new MemoryFileSystem(options));
        return;
      }
      case "hostFile": {
        const { mode, maxBytes, ticket } = place;
        const grant = {
          read: mode === "read" || mode === "create",
          write: mode !== "read",
          appendOnly: mode === "append",
          maxBytes,
        };
        const identity = skeleton.identity();
        const node = (file: HostFilePower): HostFileNode =>
          new HostFileNode(identity, file, grant, clocks.wallNs);
        const present = this.#made.get(path) ?? this.#powers.openHostFile(ticket);
        if (present) {
          skeleton.place(path, node(present));
          return;
        }
        skeleton.placeCreatable(path, () => {
          const file = this.#powers.createHostFile(ticket, grant.read);
          this.#made.set(path, file);
          return node(file);
        });
      }
    }
  }

  /** Passes on what the budget allows, then ends the guest. */
  #write(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const budget = this.#plan.limits.outputBytes;
    const room = budget - this.#outputBytes;
    this.#outputBytes += bytes.length;
    this.#output.write(stream, bytes.subarray(0, Math.max(0, room)));
    if (bytes.length > room)
      throw this.#kernel.stop({ kind: "limit", limit: "output", budget, used: this.#outputBytes });
  }
}

function inputOf(content: Uint8Array): InputPower {
  let at = 0;
  return {
    read: (target) => {
      const part = content.subarray(at, at + target.length);
      target.set(part);
      at += part.length;
      return part.length;
    },
  };
}
