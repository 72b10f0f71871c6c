// The interpreter layer, without worker and protocol: fresh instance, reset in place, first run, memory per live instance.
import { Control } from "../../src/host/control.ts";
import { loadImage } from "../../src/host/image-cache.ts";
import { refusedByDefault } from "../../src/host/library-choice.ts";
import { LibraryFileSystem } from "../../src/host/library-filesystem.ts";
import { idlePlan } from "../../src/host/plan.ts";
import { encodeRun } from "../../src/host/run.ts";
import { Session } from "../../src/host/session.ts";
import { decodeImage } from "../../src/interpreter/image-file.ts";
import { Machine } from "../../src/interpreter/machine.ts";
import { Rehash } from "../../src/interpreter/rehash/apply.ts";
import { hashSecretBytes } from "../../src/interpreter/rehash/plan.ts";
import { restoreFresh, restoreInPlace } from "../../src/interpreter/snapshot.ts";
import { Kernel } from "../../src/kernel/kernel.ts";
import { clearMemory, inflateRaw } from "../../src/platform/node/powers.ts";
import { makeSessionPowers } from "../../src/platform/node/session-powers.ts";
import { report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";

export const title = "one thread, without worker and protocol";

const noFile = (): never => {
  throw new Error("no file is granted here");
};
const powers = makeSessionPowers({
  openHostFile: noFile,
  createHostFile: noFile,
  readHostInput: () => 0,
  askTree: () => ({ errno: 0 }),
});

export async function measure(): Promise<void> {
  const rounds = samples(40);
  const image = await loadImage({ refusedModules: refusedByDefault, metered: false });
  const library = new LibraryFileSystem(() => image.library.bytes(), inflateRaw);
  const session = (): Session => {
    const one = new Session({ ...image, library }, powers, { write: () => {} }, new Control());
    one.begin(idlePlan);
    return one;
  };
  const request = encodeRun("1 + 1", {});
  const opened = decodeImage(image.image);
  const warm = session();
  for (let i = 0; i < 50; i++) warm.run(request);

  const fresh: number[] = [];
  const firstRehashes: number[] = [];
  const firstResets: number[] = [];
  const inPlace: number[] = [];
  const rehashes: number[] = [];
  for (let i = 0; i < rounds; i++) {
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
    // The first one looks at pages that nobody has touched yet: each is a fault of the system's.
    for (const series of [firstResets, [], inPlace]) {
      from = performance.now();
      restoreInPlace(machine, opened.snapshot, clearMemory);
      series.push(performance.now() - from);
      from = performance.now();
      rehash.apply(secret);
      if (series === inPlace) rehashes.push(performance.now() - from);
    }
  }
  report("fresh instance: instantiate and restore", fresh);
  report("fresh instance: rehash to a new secret", firstRehashes);
  report("first reset in place: memory and globals", firstResets);
  report("later reset in place: memory and globals", inPlace);
  report("later reset in place: rehash to a new secret", rehashes);

  const sessions: number[] = [];
  const resets: number[] = [];
  const runs: number[] = [];
  for (let i = 0; i < rounds; i++) {
    let from = performance.now();
    const one = session();
    sessions.push(performance.now() - from);
    one.run(request);
    one.reset();
    one.begin(idlePlan);
    one.run(request);
    from = performance.now();
    one.reset();
    resets.push(performance.now() - from);
    from = performance.now();
    one.run(request);
    runs.push(performance.now() - from);
  }
  report("whole session: files, process, restore, renewal", sessions);
  report("whole later reset: process, restore, rehash, renewal", resets);
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
