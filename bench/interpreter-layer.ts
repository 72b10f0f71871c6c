// The interpreter without worker and protocol: fresh instance, reset in place, first run, memory per live instance.
import { loadImage } from "../src/host/image-cache.ts";
import { refusedByDefault } from "../src/host/library-choice.ts";
import { makeOutputRing, OutputWriter } from "../src/host/output-ring.ts";
import { encodeRun } from "../src/host/run.ts";
import { Session } from "../src/host/session.ts";
import { decodeImage } from "../src/interpreter/image-file.ts";
import { Machine } from "../src/interpreter/machine.ts";
import { Rehash } from "../src/interpreter/rehash/apply.ts";
import { hashSecretBytes } from "../src/interpreter/rehash/plan.ts";
import { restoreFresh, restoreInPlace } from "../src/interpreter/snapshot.ts";
import { Kernel } from "../src/kernel/kernel.ts";
import { createHostFile, openHostFile } from "../src/platform/node/host-files.ts";
import { clearMemory, inflateRaw, nodeClock, nodeEntropy } from "../src/platform/node/powers.ts";

type Report = (name: string, values: readonly number[], unit?: string) => void;

const plan = {
  places: [],
  environment: [],
  args: [""],
  stdin: new Uint8Array(0),
  clock: "coarse",
  timeZone: "UTC",
  limits: { memoryBytes: 2 ** 28, wallMs: 1e4, outputBytes: 2 ** 20, valueBytes: 2 ** 20, openFiles: 64 },
} as const;
const powers = {
  clock: nodeClock,
  entropy: nodeEntropy,
  inflate: inflateRaw,
  clearMemory,
  hostInput: { read: () => 0 },
  openHostFile,
  createHostFile,
};

export async function measure(report: Report): Promise<void> {
  const image = await loadImage(refusedByDefault);
  const start = { image, plan, ring: makeOutputRing() };
  const session = (): Session => new Session(start, powers, new OutputWriter(start.ring, () => {}));
  const request = encodeRun("1 + 1", {});
  const opened = decodeImage(image.image);
  const warm = session();
  for (let i = 0; i < 50; i++) warm.run(request);

  const fresh: number[] = [];
  const inPlace: number[] = [];
  const firstRehashes: number[] = [];
  const rehashes: number[] = [];
  for (let i = 0; i < 40; i++) {
    // Only the machine: no process is behind this kernel, and no guest code runs.
    const kernel = new Kernel(undefined as never);
    let from = performance.now();
    const machine = new Machine(image.module, kernel, opened.hiddenGlobals);
    restoreFresh(machine, opened.snapshot);
    fresh.push(performance.now() - from);
    const secret = new Uint8Array(hashSecretBytes).fill(i);
    from = performance.now();
    const rehash = new Rehash(machine, opened.rehash);
    rehash.apply(secret);
    firstRehashes.push(performance.now() - from);
    from = performance.now();
    restoreInPlace(machine, opened.snapshot, clearMemory);
    inPlace.push(performance.now() - from);
    from = performance.now();
    rehash.apply(secret);
    rehashes.push(performance.now() - from);
  }
  report("fresh instance: instantiate and restore", fresh);
  report("fresh instance: rehash to a new secret", firstRehashes);
  report("reset in place: memory and globals", inPlace);
  report("reset in place: rehash to a new secret", rehashes);

  const sessions: number[] = [];
  const resets: number[] = [];
  const runs: number[] = [];
  for (let i = 0; i < 40; i++) {
    let from = performance.now();
    const one = session();
    sessions.push(performance.now() - from);
    one.run(request);
    from = performance.now();
    one.reset();
    resets.push(performance.now() - from);
    from = performance.now();
    one.run(request);
    runs.push(performance.now() - from);
  }
  report("whole session: files, process, restore, renewal", sessions);
  report("whole reset: process, restore, renewal", resets);
  report("first run of 1 + 1 after a reset", runs);

  const held: Session[] = [];
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 20; i++) {
    const one = session();
    one.run(request);
    held.push(one);
  }
  report(
    "resident memory per live instance",
    [(process.memoryUsage.rss() - before) / held.length / 2 ** 20],
    "MiB",
  );
}
