// What an overlay says that it changed is what it changed, and a commit brings exactly that into the tree below: all of it, or nothing,
// whichever step is refused. Random programs over memory; the list is applied by hand to a twin of the lower tree.
import fc from "fast-check";
import { expect, test } from "vitest";
import { FileError } from "../../errors/file-error.ts";
import { OverlayCommitError } from "../../errors/overlay-errors.ts";
import { scratch, tickingClock } from "../filesystem-fixture.ts";
import { filesystemTree } from "../filesystem-tree.ts";
import type { Tree, TreeAccess } from "../tree.ts";
import { SideBySide } from "../tree-model-fixture.ts";
import { treePath } from "../tree-path.ts";
import { prelude, programs, type Step } from "../tree-programs-fixture.ts";
import { sometimesLater, viewOf } from "../tree-view-fixture.ts";
import type { OverlayChange } from "./overlay-changes.ts";
import type { CommitReport } from "./overlay-commit.ts";
import { OverlayLayer } from "./overlay-layer.ts";
import { OverlayTree } from "./overlay-tree.ts";

const making: TreeAccess = {
  read: false,
  write: true,
  append: false,
  truncate: true,
  create: "missing",
  mode: 0o644,
};

async function lowerAfter(steps: readonly Step[]): Promise<{ memory: Required<Tree>; run: SideBySide }> {
  const memory = filesystemTree(scratch({ quotaBytes: 64 * 1024 * 1024, maxInodes: 10_000 }));
  const run = new SideBySide(memory);
  for (const step of steps) await run.do(step);
  await run.finish();
  return { memory, run };
}

/** An overlay in which the program was run, over what another one made. */
async function changed(
  first: readonly Step[],
  second: readonly Step[],
): Promise<{ memory: Required<Tree>; layer: OverlayLayer; overlay: OverlayTree }> {
  const { memory, run } = await lowerAfter([...prelude, ...first]);
  const layer = new OverlayLayer(64 * 1024 * 1024, 1000);
  const overlay = new OverlayTree(layer, memory, tickingClock());
  const above = new SideBySide(overlay, { model: run.model });
  for (const step of second) await above.do(step);
  await above.finish();
  return { memory, layer, overlay };
}

async function apply(change: OverlayChange, tree: Required<Tree>): Promise<void> {
  const { path, kind, after } = change;
  if (change.change === "removed" || (change.change === "changed" && kind === "link")) {
    await (kind === "directory" ? tree.removeDirectory(path) : tree.remove(path));
    if (change.change === "removed") return;
  }
  if (kind === "link")
    await tree.makeLink(path, treePath(Buffer.from(await change.read()).toString("latin1")));
  else if (kind === "directory" && change.change === "created") await tree.makeDirectory(path, 0o755);
  else if (kind === "file" && change.contentChanged) {
    const file = await tree.open(path, {
      ...making,
      create: change.change === "created" ? "always" : "never",
    });
    const bytes = await change.read();
    if (bytes.length > 0) await file.write?.(0, bytes);
    await file.close?.();
  }
  if (kind !== "link" && after?.mode !== undefined) await tree.change(path, { mode: after.mode });
}

/** Fails the call of that number, and from there on every one if `forGood`. */
function failingAt(tree: Tree, number: number, forGood = false): Tree {
  let calls = 0;
  const failing = (target: object): object =>
    new Proxy(target, {
      get: (_, key) => {
        const method = Reflect.get(target, key);
        if (typeof method !== "function") return method;
        return (...parameters: unknown[]) => {
          calls += 1;
          if (calls === number || (forGood && calls > number)) throw new FileError("EIO");
          const answer = method.apply(target, parameters);
          return key === "open" ? failing(answer) : answer;
        };
      },
    });
  return failing(tree) as Tree;
}

test("the list of changes, applied to a twin of the lower tree, gives what the overlay shows", async () => {
  await fc.assert(
    fc.asyncProperty(programs, programs, async (first, second) => {
      const { memory, layer, overlay } = await changed(first, second);
      const { memory: twin } = await lowerAfter([...prelude, ...first]);
      for (const change of await layer.changes(memory)) {
        expect((await twin.stat(change.path))?.kind, change.path).toBe(change.before?.kind);
        const { kind } = (await overlay.stat(change.path)) ?? {};
        if (change.change !== "removed") expect(kind, change.path).toBe(change.kind);
        await apply(change, twin);
      }
      expect(await viewOf(twin)).toEqual(await viewOf(overlay));
    }),
    { numRuns: 300 },
  );
});

test("a commit makes the lower tree what the overlay shows, and nothing is left to change", async () => {
  const laterness = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(programs, programs, laterness, async (first, second, later) => {
      const { memory, layer, overlay } = await changed(first, second);
      const shown = await viewOf(overlay);
      let at = 0;
      const target = sometimesLater(memory, () => later[at++ % later.length] === true);
      expect(await layer.commitTo(target)).toEqual({ leftovers: [], unsettled: [] });
      expect(await viewOf(memory)).toEqual(shown);
      expect(await viewOf(overlay)).toEqual(shown);
      expect(await layer.changes(memory)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test("a commit that is refused at any step has changed nothing", async () => {
  await fc.assert(
    fc.asyncProperty(programs, async (steps) => {
      const { memory, layer, overlay } = await changed([], steps);
      const before = await viewOf(memory);
      const shown = await viewOf(overlay);
      for (let number = 1; ; number++) {
        let report: CommitReport | undefined;
        try {
          report = await layer.commitTo(failingAt(memory, number));
        } catch (error) {
          expect(error).toBeInstanceOf(OverlayCommitError);
          expect(error).toMatchObject({ undone: true, leftovers: [], cause: { code: "EIO" } });
          const { path } = error as OverlayCommitError;
          if (path !== undefined && path !== "") expect([...before.keys(), ...shown.keys()]).toContain(path);
        }
        if (report === undefined) {
          expect(await viewOf(memory)).toEqual(before);
          expect(await viewOf(overlay)).toEqual(shown);
          continue;
        }
        // Only what was set aside may be left, and is named; and a folder that is open to its owner.
        const now = await viewOf(memory);
        for (const path of report.unsettled)
          if (shown.has(path)) expect(now.get(path)).toMatch(/^directory 7/);
        for (const path of report.unsettled) for (const view of [now, shown]) view.delete(path);
        const beside = (path: string): boolean =>
          report.leftovers.some((left) => path === left || path.startsWith(`${left}/`));
        expect(new Map([...now].filter(([path]) => !beside(path)))).toEqual(shown);
        if (report.leftovers.length === 0) return;
        await layer.discard();
        return;
      }
    }),
    { numRuns: 40 },
  );
});

test("what cannot be undone is named, and nothing of it is lost", async () => {
  const { memory, layer } = await changed(
    [],
    [
      { act: "rename", path: "d", to: "e/moved" },
      { act: "remove", path: "a" },
      { act: "makeDirectory", path: "new", mode: 0o755 },
    ],
  );
  const before = await viewOf(memory);
  const contents = (view: Map<string, string>): string[] =>
    [...view.values()].filter((shown) => shown.startsWith("file")).sort();
  let partly = 0;
  for (let number = 1; number < 1000; number++) {
    const { memory: twin } = await lowerAfter(prelude);
    const error = await Promise.resolve()
      .then(() => layer.commitTo(failingAt(twin, number, true)))
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    if (error === undefined) break;
    if (!(error instanceof OverlayCommitError)) throw error;
    const view = await viewOf(twin);
    if (error.undone) expect(view).toEqual(before);
    else {
      partly += 1;
      expect(error.leftovers.length).toBeGreaterThan(0);
      for (const content of contents(before)) expect(contents(view)).toContain(content);
    }
  }
  expect(partly).toBeGreaterThan(5);
});

test("a large file that holds little is read no further than was asked for", async () => {
  const { memory, layer, overlay } = await changed([], []);
  const file = await overlay.open("sparse", making);
  await file.truncate?.(300 * 2 ** 20);
  await file.write?.(2, new Uint8Array([7]));
  await file.close?.();
  const sparse = (await layer.changes(memory)).find(({ path }) => path === "sparse");
  await expect((async () => sparse?.read())()).rejects.toMatchObject({ code: "EFBIG" });
  await expect((async () => sparse?.read(1))()).rejects.toMatchObject({ code: "EFBIG" });
  expect(await sparse?.read(1, 3)).toEqual(new Uint8Array([0, 7, 0]));
  expect(await sparse?.read(300 * 2 ** 20 - 2)).toEqual(new Uint8Array(2));
  expect(await sparse?.read(0, Number.POSITIVE_INFINITY)).toHaveLength(300 * 2 ** 20);
});
