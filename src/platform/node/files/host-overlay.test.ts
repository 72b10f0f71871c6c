// Overlays over real folders of the host: the same programs and the same model as over memory; the folder stays as it was, to the byte,
// until a commit makes it what the overlay shows. Temporary names are gone afterwards.
import fc from "fast-check";
import { expect, test } from "vitest";
import { tickingClock } from "../../../filesystems/filesystem-fixture.ts";
import { OverlayLayer } from "../../../filesystems/overlay/overlay-layer.ts";
import { OverlayTree } from "../../../filesystems/overlay/overlay-tree.ts";
import { SideBySide } from "../../../filesystems/tree-model-fixture.ts";
import { prelude, programs, type Step } from "../../../filesystems/tree-programs-fixture.ts";
import { viewOf } from "../../../filesystems/tree-view-fixture.ts";
import { FolderFixture } from "./host-tree-fixture.ts";

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
        const overlay = new OverlayTree(layer, folder, tickingClock());
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
