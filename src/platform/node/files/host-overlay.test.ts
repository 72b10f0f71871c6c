// Overlays over real folders of the host: the same programs and the same model as over memory; the folder stays as it was, to the byte,
// until a commit makes it what the overlay shows. Temporary names are gone afterwards.
import { mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { tickingClock } from "../../../filesystems/filesystem-fixture.ts";
import { OverlayLayer } from "../../../filesystems/overlay/overlay-layer.ts";
import { OverlayTree } from "../../../filesystems/overlay/overlay-tree.ts";
import { SideBySide } from "../../../filesystems/tree-model-fixture.ts";
import { prelude, programs, type Step } from "../../../filesystems/tree-programs-fixture.ts";
import { viewOf } from "../../../filesystems/tree-view-fixture.ts";
import { FolderFixture, refusal } from "./host-tree-fixture.ts";

/** A folder keeps links inside: one that leads out could not be made in it. */
function insideOnly(steps: readonly Step[]): Step[] {
  return steps.map((step) => (step.target === undefined ? step : { ...step, target: "a" }));
}

test("an overlay over a folder does what the model does, and a commit makes the folder so", async () => {
  let told = 0;
  await fc.assert(
    fc.asyncProperty(programs, programs, async (first, second) => {
      const fixture = new FolderFixture();
      try {
        const folder = fixture.grant({ files: 100_000, bytes: 2 ** 30 });
        for (const path of ["hello.txt", "a/b/deep.txt"]) folder.remove(path);
        for (const path of ["a/b", "a"]) folder.removeDirectory(path);
        const below = new SideBySide(folder);
        for (const step of insideOnly(prelude)) await below.do(step);
        const layer = new OverlayLayer(2 ** 26, 1000);
        const overlay = new OverlayTree(layer, folder, tickingClock(), true);
        const above = new SideBySide(overlay, { model: below.model });
        for (const steps of [first, second]) {
          const before = await viewOf(folder);
          for (const step of insideOnly(steps)) await above.do(step);
          await above.finish();
          expect(await viewOf(folder)).toEqual(before);
          const shown = await viewOf(overlay);
          expect(await layer.commitTo(folder)).toEqual({ leftovers: [], unsettled: [] });
          expect(await viewOf(folder)).toEqual(shown);
          expect(await layer.changes(folder)).toEqual([]);
          told += above.told;
        }
      } finally {
        fixture.remove();
      }
    }),
    { numRuns: 60 },
  );
  expect(told).toBeGreaterThan(1000);
});

/** Two folders deep: a link of the host's that leads out, and one that climbs as far as it may. */
function overLinks() {
  const fixture = new FolderFixture();
  mkdirSync(join(fixture.root, "odd", "in"), { recursive: true });
  symlinkSync("/etc", join(fixture.root, "odd", "in", "out"));
  symlinkSync("../../hello.txt", join(fixture.root, "a", "b", "climbs"));
  const folder = fixture.grant();
  const layer = new OverlayLayer(2 ** 20, 100);
  const overlay = new OverlayTree(layer, folder, tickingClock(), true);
  return { fixture, folder, layer, overlay };
}

test("a link that a folder would not make is neither made nor moved to where it would be one, and a commit goes through", () => {
  const { fixture, folder, layer, overlay } = overLinks();
  try {
    const outcomes: [string, () => unknown][] = [
      ["EPERM", () => overlay.makeLink("abs", "/p/d")],
      ["EPERM", () => overlay.makeLink("up", "../../etc")],
      ["EPERM", () => overlay.makeLink("a/up", "b/../../a")],
      ["ok", () => overlay.makeLink("a/hello", "../hello.txt")],
      ["EPERM", () => overlay.rename("a/hello", "hello")],
      ["ok", () => overlay.rename("a/hello", "a/b/hello")],
      // The overlay's own, in a folder of the lower tree, and in one that is new.
      ["ok", () => overlay.makeDirectory("a/new", 0o755)],
      ["ok", () => overlay.makeDirectory("a/new/er", 0o755)],
      ["ok", () => overlay.makeLink("a/new/er/l", "../../../hello.txt")],
      ["EXDEV", () => overlay.rename("a/new/er", "er")],
      ["EXDEV", () => overlay.rename("a/new", "new")],
      ["ok", () => overlay.rename("a/new", "odd/new")],
      // The lower tree's, untouched.
      ["EPERM", () => overlay.rename("odd/in/out", "odd/in/still")],
      ["EXDEV", () => overlay.rename("odd", "even")],
      ["EXDEV", () => overlay.rename("odd/in", "a/b/in")],
      ["EXDEV", () => overlay.rename("a/b", "b")],
      ["ok", () => overlay.rename("a", "moved")],
      ["ok", () => overlay.remove("odd/in/out")],
      ["ok", () => overlay.rename("odd", "even")],
    ];
    for (const [expected, action] of outcomes) expect(refusal(action), String(action)).toBe(expected);
    expect(layer.commitTo(folder)).toEqual({ leftovers: [], unsettled: [] });
    const links = ["moved/b/climbs", "moved/b/hello", "even/new/er/l"];
    expect(links.map((path) => readlinkSync(join(fixture.root, path)))).toEqual([
      ...["../../hello.txt", "../hello.txt", "../../../hello.txt"],
    ]);
  } finally {
    fixture.remove();
  }
});
