// Everything that the kernel holds for one pristine lifetime of a guest. A reset throws the whole object away and makes a
// new one, so there is no list of things to remember to clean.
import type { Clocks } from "./clocks.ts";
import { FdTable } from "./fd-table.ts";
import type { ByteString, DirectoryNode, PipeNode } from "./filesystem.ts";
import type { HostMemory } from "./host-memory.ts";
import { fail } from "./kernel-error.ts";
import { Mappings } from "./mappings.ts";
import type { Mounts } from "./mounts.ts";
import type { OpenFile } from "./open-file.ts";
import { PipeBuffer } from "./pipe.ts";
import type { CallPower, EntropyPower } from "./powers.ts";
import type { RefusalObserver } from "./refusals.ts";
import type { TimeZone } from "./time-zone.ts";

interface ProcessSetup {
  readonly mounts: Mounts;
  readonly cwd: DirectoryNode;
  readonly clocks: Clocks;
  readonly timeZone: TimeZone;
  readonly entropy: EntropyPower;
  /** "NAME=value" byte strings, in order. */
  readonly environment: readonly ByteString[];
  readonly streams: readonly [OpenFile, OpenFile, OpenFile];
  readonly limits: ProcessLimits;
  /** Of this process alone: like the process, a reset replaces it. */
  readonly hostMemory: HostMemory;
  /** Told what the guest is refused. Absent: nobody. */
  readonly refusals?: RefusalObserver;
  /** Who answers calls of functions of the host. Absent: nobody. */
  readonly calls?: CallPower;
}

const nobody: CallPower = { call: () => fail("ENOSYS") };

interface ProcessLimits {
  /** Bytes of linear memory, a multiple of 64 KiB. */
  readonly memoryBytes: number;
  readonly openFiles: number;
}

export class Process {
  readonly mounts: Mounts;
  readonly clocks: Clocks;
  readonly timeZone: TimeZone;
  readonly entropy: EntropyPower;
  readonly environment: readonly ByteString[];
  readonly limits: ProcessLimits;
  readonly hostMemory: HostMemory;
  readonly refusals: RefusalObserver | undefined;
  readonly calls: CallPower;
  readonly fds: FdTable;
  /** As many as there may be descriptors: each can keep a file open. */
  readonly mappings: Mappings;
  #cwd: DirectoryNode;
  umask = 0o022;
  #askedMemoryBytes = 0;
  #namedPipes = new WeakMap<PipeNode, PipeBuffer>();
  #nextAnonymousIno = 4;

  constructor(setup: ProcessSetup) {
    this.mounts = setup.mounts;
    this.#cwd = setup.cwd;
    this.clocks = setup.clocks;
    this.timeZone = setup.timeZone;
    this.entropy = setup.entropy;
    this.environment = setup.environment;
    this.limits = setup.limits;
    this.hostMemory = setup.hostMemory;
    this.refusals = setup.refusals;
    this.calls = setup.calls ?? nobody;
    this.fds = new FdTable(setup.limits.openFiles, setup.hostMemory);
    this.mappings = new Mappings(setup.limits.openFiles, setup.hostMemory);
    for (const stream of setup.streams) this.fds.provide(stream);
  }

  /** The most linear memory that the guest has asked for, a multiple of 64 KiB: it may have been given more. 0 before it asks. */
  get askedMemoryBytes(): number {
    return this.#askedMemoryBytes;
  }

  noteMemory(bytes: number): void {
    this.#askedMemoryBytes = Math.max(this.#askedMemoryBytes, bytes);
  }

  get cwd(): DirectoryNode {
    return this.#cwd;
  }

  set cwd(directory: DirectoryNode) {
    directory.keep?.();
    this.#cwd.drop?.();
    this.#cwd = directory;
  }

  /** The buffer behind a named pipe, one per node while anyone holds the node, which pays for it. */
  namedPipe(node: PipeNode): PipeBuffer {
    let buffer = this.#namedPipes.get(node);
    if (buffer === undefined) {
      buffer = new PipeBuffer(this.hostMemory);
      this.#namedPipes.set(node, buffer);
    }
    return buffer;
  }

  /** Inode numbers of pipes and sockets, which live in no file system. */
  anonymousIno(): number {
    return this.#nextAnonymousIno++;
  }

  end(): void {
    this.mappings.removeAll();
    this.fds.closeAll();
  }
}
