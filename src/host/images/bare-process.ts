// A process whose world is the library and what is mounted besides it: nothing is granted, and output goes where the caller says.
// For building an image, and for tests of the interpreter.
import type { ArchiveFileSystem } from "../../filesystems/archive-filesystem.ts";
import { SkeletonFileSystem } from "../../filesystems/skeleton.ts";
import { libraryDirectory } from "../../interpreter/boot.ts";
import { StandardStream } from "../../kernel/character-file.ts";
import type { Clocks } from "../../kernel/clocks.ts";
import type { FileSystem } from "../../kernel/filesystem.ts";
import { HostMemory } from "../../kernel/host-memory.ts";
import { Mounts } from "../../kernel/mounts.ts";
import type { EntropyPower } from "../../kernel/powers.ts";
import { Process } from "../../kernel/process.ts";
import { utc } from "../../kernel/time-zone.ts";

interface BareWorld {
  readonly library: ArchiveFileSystem;
  /** Guest path to what is mounted there. */
  readonly mounts?: readonly (readonly [string, FileSystem])[];
  readonly clocks: Clocks;
  readonly entropy: EntropyPower;
  readonly write: (bytes: Uint8Array) => void;
}

export function makeBareProcess(world: BareWorld): Process {
  const skeleton = new SkeletonFileSystem({ timeNs: 0n });
  const mounts = new Mounts(skeleton);
  mounts.mount(skeleton.directory(libraryDirectory), world.library);
  for (const [path, fileSystem] of world.mounts ?? []) mounts.mount(skeleton.directory(path), fileSystem);
  const output = { write: (_stream: string, bytes: Uint8Array): void => world.write(bytes) };
  return new Process({
    mounts,
    cwd: mounts.root,
    clocks: world.clocks,
    timeZone: utc,
    entropy: world.entropy,
    environment: [],
    streams: [
      StandardStream.input({ read: () => 0 }, 0n),
      StandardStream.output(output, "stdout", 0n),
      StandardStream.output(output, "stderr", 0n),
    ],
    limits: { memoryBytes: 1 << 30, openFiles: 64 },
    hostMemory: new HostMemory(1 << 26),
  });
}
