// A kernel with a small memory instead of an interpreter: what the tests of this room attack.
import { GuestMemory } from "../abi/guest-memory.ts";
import { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { SkeletonFileSystem } from "../filesystems/skeleton.ts";
import { StandardStream } from "./character-file.ts";
import { type ClockPolicy, Clocks } from "./clocks.ts";
import type { GuestMachine } from "./guest-machine.ts";
import { HostMemory } from "./host-memory.ts";
import { Kernel } from "./kernel.ts";
import { Mounts } from "./mounts.ts";
import { guestOwner } from "./permissions.ts";
import { Process } from "./process.ts";
import type { RefusalObserver } from "./refusals.ts";
import { utc } from "./time-zone.ts";

export interface Fixture {
  readonly kernel: Kernel;
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly machine: { -readonly [name in keyof GuestMachine]: GuestMachine[name] };
  readonly written: Uint8Array[];
  readonly slept: number[];
}

/** One page of memory, a scratch of 1 MiB on /tmp, a fake clock that moves only when somebody sleeps. */
export function makeFixture(
  policy: ClockPolicy = "coarse",
  hostMemoryBytes = 1 << 20,
  refusals?: RefusalObserver,
): Fixture {
  const slept: number[] = [];
  let nowNs = 1_700_000_000_123_456_789n;
  const clock = {
    wallNs: () => nowNs,
    monotonicNs: () => nowNs,
    sleepMs: (milliseconds: number): undefined => {
      slept.push(milliseconds);
      nowNs += BigInt(Math.ceil(Math.min(milliseconds, 1e9) * 1e6));
    },
  };
  const skeleton = new SkeletonFileSystem({ timeNs: 0n });
  const mounts = new Mounts(skeleton);
  const clocks = new Clocks(policy, clock);
  const scratch = {
    quotaBytes: 1 << 20,
    maxInodes: 100,
    now: clocks.wallNs,
    owner: guestOwner,
    rootMode: 0o755,
  };
  mounts.mount(skeleton.directory("/tmp"), new MemoryFileSystem(scratch));
  const written: Uint8Array[] = [];
  const output = { write: (_stream: string, bytes: Uint8Array) => void written.push(bytes.slice(0, 64)) };
  const kernel = new Kernel(
    new Process({
      mounts,
      cwd: mounts.root,
      clocks,
      timeZone: utc,
      entropy: { fill: (target) => void target.fill(7) },
      environment: ["A=1"],
      streams: [
        StandardStream.input({ read: () => 0 }, 0n),
        StandardStream.output(output, "stdout", 0n),
        StandardStream.output(output, "stderr", 0n),
      ],
      limits: { memoryBytes: 1 << 20, openFiles: 32 },
      hostMemory: new HostMemory(hostMemoryBytes),
      ...(refusals && { refusals }),
    }),
  );
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
  let free = 131_072;
  const machine = {
    memory,
    guest: new GuestMemory(memory),
    table: new WebAssembly.Table({ initial: 4, element: "anyfunc" }),
    alignedAllocate: (_alignment: number, bytes: number) => {
      const at = free;
      free += bytes;
      return free <= memory.buffer.byteLength ? at : 0;
    },
    allocate: () => 0,
    free: () => {},
    setDlError: () => {},
    makeBytes: () => 0,
    stackPointer: new WebAssembly.Global({ value: "i32", mutable: true }, 200_000),
    symbol: (): undefined => undefined,
    fuel: undefined,
    pace: undefined,
    receiveSignal: () => {},
    loadRest: () => {},
  };
  kernel.attach(machine);
  return { kernel, memory: new Uint8Array(memory.buffer), machine, written, slept };
}
