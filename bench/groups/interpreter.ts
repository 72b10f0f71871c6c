// The interpreter layer, without worker and protocol: fresh instance, reset in place, first run, memory per live instance.

import { makeBareProcess } from "../../src/host/images/bare-process.ts";
import { buildImage, buildWholeModule } from "../../src/host/images/image-build.ts";
import { loadImage } from "../../src/host/images/image-cache.ts";
import { refusedByDefault } from "../../src/host/images/library-choice.ts";
import { decodeLibrary, type LibraryFiles } from "../../src/host/images/library-file.ts";
import { installLibrary, LibraryFileSystem } from "../../src/host/images/library-filesystem.ts";
import { compileRest } from "../../src/host/images/rest-module.ts";
import { idlePlan } from "../../src/host/plan.ts";
import { encodeRun } from "../../src/host/run-request.ts";
import { Session } from "../../src/host/session.ts";
import { Control } from "../../src/host/walls/control.ts";
import { decodeImage, type Image } from "../../src/interpreter/image-file.ts";
import { Machine } from "../../src/interpreter/machine.ts";
import { MarkedRestore } from "../../src/interpreter/marked-restore.ts";
import { Rehash } from "../../src/interpreter/rehash/apply.ts";
import { hashSecretBytes } from "../../src/interpreter/rehash/plan.ts";
import { call } from "../../src/interpreter/request.ts";
import { newMemory, restoreFresh, restoreInPlace, type Snapshot } from "../../src/interpreter/snapshot.ts";
import { Clocks } from "../../src/kernel/clocks.ts";
import { Kernel } from "../../src/kernel/kernel.ts";
import { nodeEntropy } from "../../src/platform/node/entropy.ts";
import { readGuestFiles } from "../../src/platform/node/package-files.ts";
import { inflateRaw, nodeClock, nodeMemory } from "../../src/platform/node/powers.ts";
import { makeSessionPowers } from "../../src/platform/node/session-powers.ts";
import { passing, report } from "../harness/report.ts";
import { samples } from "../harness/samples.ts";

export const title = "one thread, without worker and protocol";

const noFile = (): never => {
  throw new Error("no file is granted here");
};
const powers = makeSessionPowers({
  openHostFile: noFile,
  createHostFile: noFile,
  readHostInput: () => 0,
  pieceBytes: 0,
  waits: true,
  callHost: () => new Uint8Array(5),
  askTree: () => ({ errno: 0 }),
});

export async function measure(): Promise<void> {
  const rounds = samples(40);
  const image = await loadImage({ refusedModules: refusedByDefault, metered: false, tracked: false });
  const library = new LibraryFileSystem(() => image.library.bytes(), inflateRaw);
  const rest = compileRest(() => image.rest.bytes());
  const session = (): Session => {
    const one = new Session({ ...image, library, rest }, powers, { write: () => {} }, new Control());
    one.begin(idlePlan);
    return one;
  };
  const request = encodeRun("1 + 1", {});
  const opened = decodeImage(image.image);
  const warm = session();
  for (let i = 0; i < 50; i++) warm.run(request);

  report("resident memory per live instance", memoryPerSession(session, request), "MiB");

  const fresh: number[] = [];
  const again: number[] = [];
  const firstRehashes: number[] = [];
  const firstResets: number[] = [];
  const inPlace: number[] = [];
  const rehashes: number[] = [];
  for (let i = 0; i < rounds; i++) {
    // Only the machine: no process is behind this kernel, and no guest code runs.
    const kernel = new Kernel(undefined as never);
    let from = performance.now();
    const machine = new Machine(image.module, kernel, opened.hiddenGlobals, newMemory(opened.snapshot));
    restoreFresh(machine, opened.snapshot, nodeMemory);
    fresh.push(performance.now() - from);
    const secret = new Uint8Array(hashSecretBytes).fill(i);
    from = performance.now();
    const rehash = new Rehash(machine, opened.rehash);
    rehash.apply(secret);
    firstRehashes.push(performance.now() - from);
    // The first one looks at pages that nobody has touched yet: each is a fault of the system's.
    for (const series of [firstResets, [], inPlace]) {
      from = performance.now();
      restoreInPlace(machine, opened.snapshot, nodeMemory);
      series.push(performance.now() - from);
      from = performance.now();
      rehash.apply(secret);
      if (series === inPlace) rehashes.push(performance.now() - from);
    }
    from = performance.now();
    const successor = new Machine(image.module, kernel, opened.hiddenGlobals, machine.memory);
    restoreInPlace(successor, opened.snapshot, nodeMemory);
    again.push(performance.now() - from);
  }
  report("fresh instance: instantiate and restore", fresh);
  report("fresh instance in the memory of an earlier one: the same", again);
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

  passing("building an image without a preloaded library");
  const bare = decodeImage(
    buildImage(
      readGuestFiles(),
      { refusedModules: refusedByDefault, metered: false, tracked: false },
      undefined,
      {
        preload: [],
        compile: [],
      },
    ).image,
  );
  for (const [name, one] of [
    ["preloaded library", opened],
    ["bare", bare],
  ] as const) {
    const { resets, floors } = timeResets(image.module, one, rounds * 5);
    const size = `${(one.snapshot.content.length / 2 ** 20).toFixed(1)} MiB`;
    const choice = { refusedModules: refusedByDefault, metered: true, tracked: true };
    const tracked = new WebAssembly.Module(
      buildWholeModule(choice, one.snapshot.memoryBytes).whole as Uint8Array<ArrayBuffer>,
    );
    const files = decodeLibrary(image.library.bytes());
    report(
      `${name} (${size}), tracked, after 1 + 1: reset in place`,
      timeMarkedResets(tracked, one, files, rounds * 5),
    );
    report(`${name} (${size}), one instance again and again: reset in place`, resets);
    report(`${name}: a bare memcpy of as many bytes, between resets`, floors);
  }
}

/** In MiB, of some sessions at a time that have all run something. */
function memoryPerSession(session: () => Session, request: Uint8Array): number[] {
  const held: Session[] = [];
  return Array.from({ length: 5 }, () => {
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 10; i++) {
      const one = session();
      one.run(request);
      held.push(one);
    }
    return (process.memoryUsage.rss() - before) / 10 / 2 ** 20;
  });
}

/** Resets of one machine, and in turn with them what no reset by copying can be quicker than. */
function timeResets(
  module: WebAssembly.Module,
  image: Image,
  rounds: number,
): { readonly resets: number[]; readonly floors: number[] } {
  const machine = new Machine(
    module,
    new Kernel(undefined as never),
    image.hiddenGlobals,
    newMemory(image.snapshot),
  );
  restoreFresh(machine, image.snapshot, nodeMemory);
  const rehash = new Rehash(machine, image.rehash);
  const other = new WebAssembly.Memory({ initial: image.snapshot.memoryBytes / 65_536 });
  const resets: number[] = [];
  const floors: number[] = [];
  for (let i = 0; i < rounds; i++) {
    // Makes a good part of the memory differ from the snapshot, as a run does.
    rehash.apply(new Uint8Array(hashSecretBytes).fill(i));
    let from = performance.now();
    restoreInPlace(machine, image.snapshot, nodeMemory);
    if (i > rounds / 10) resets.push(performance.now() - from);
    from = performance.now();
    copyOnce(image.snapshot, other);
    if (i > rounds / 10) floors.push(performance.now() - from);
  }
  return { resets, floors };
}

/** Resets of a machine that notes what it writes, each after a run. */
function timeMarkedResets(
  module: WebAssembly.Module,
  image: Image,
  files: LibraryFiles,
  rounds: number,
): number[] {
  const world = {
    library: installLibrary(files, inflateRaw),
    clocks: new Clocks("frozen", nodeClock),
    entropy: nodeEntropy,
    write: () => {},
  };
  const kernel = new Kernel(makeBareProcess(world), () => 0);
  const machine = new Machine(module, kernel, image.hiddenGlobals, newMemory(image.snapshot));
  restoreFresh(machine, image.snapshot, nodeMemory);
  const rehash = new Rehash(machine, image.rehash);
  const marked = new MarkedRestore(image.snapshot, nodeMemory, image.rehash.movedPages);
  const resets: number[] = [];
  for (let i = 0; i < rounds; i++) {
    rehash.apply(new Uint8Array(hashSecretBytes).fill(i));
    call(machine, image.snapshot.handler, encodeRun("1 + 1", {}), 1 << 16);
    const from = performance.now();
    marked.restore(machine);
    if (i > rounds / 10) resets.push(performance.now() - from);
  }
  return resets;
}

function copyOnce({ content }: Snapshot, target: WebAssembly.Memory): void {
  nodeMemory.copy(new Uint8Array(target.buffer), content);
}
