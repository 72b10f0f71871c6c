// Trees against one model: what is a tree over memory, an overlay, and an overlay over that one, answering now and later. What lies
// below an overlay stays as it was, to the byte.
import fc from "fast-check";
import { expect, test } from "vitest";
import { scratch, tickingClock } from "./filesystem-fixture.ts";
import { filesystemTree } from "./filesystem-tree.ts";
import { OverlayLayer } from "./overlay/overlay-layer.ts";
import { OverlayTree } from "./overlay/overlay-tree.ts";
import type { Tree } from "./tree.ts";
import { SideBySide } from "./tree-model-fixture.ts";
import { prelude, programs, type Step } from "./tree-programs-fixture.ts";
import { sometimesLater, viewOf } from "./tree-view-fixture.ts";

const roomy = 64 * 1024 * 1024;
const laterness = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });

function overlayOver(lower: Tree, quotaBytes = roomy): { tree: OverlayTree; layer: OverlayLayer } {
  const layer = new OverlayLayer(quotaBytes, 1000);
  return { tree: new OverlayTree(layer, lower, tickingClock()), layer };
}

/** Says yes and no as the list does, over and over. */
function inTurn(answers: readonly boolean[]): () => boolean {
  let at = 0;
  return () => answers[at++ % answers.length] === true;
}

async function runAll(run: SideBySide, steps: readonly Step[]): Promise<void> {
  for (const step of steps) await run.do(step);
  await run.finish();
}

test("a file system in memory as a tree does what the model does", async () => {
  await fc.assert(
    fc.asyncProperty(programs, async (steps) => {
      await runAll(new SideBySide(filesystemTree(scratch({ quotaBytes: roomy }))), [...prelude, ...steps]);
    }),
    { numRuns: 200 },
  );
});

test("an overlay does what the model does, and leaves what is below as it was", async () => {
  await fc.assert(
    fc.asyncProperty(programs, programs, laterness, async (first, second, later) => {
      const memory = filesystemTree(scratch({ quotaBytes: roomy }));
      const below = new SideBySide(memory);
      await runAll(below, [...prelude, ...first]);
      const before = await viewOf(memory);
      const { tree } = overlayOver(sometimesLater(memory, inTurn(later)));
      await runAll(new SideBySide(tree, { model: below.model }), second);
      expect(await viewOf(memory)).toEqual(before);
    }),
    { numRuns: 300 },
  );
});

test("an overlay over an overlay does what the model does", async () => {
  await fc.assert(
    fc.asyncProperty(programs, programs, laterness, async (first, second, later) => {
      const memory = filesystemTree(scratch({ quotaBytes: roomy }));
      const lowest = new SideBySide(memory);
      await runAll(lowest, prelude);
      const { tree: middle } = overlayOver(memory);
      await runAll(new SideBySide(middle, { model: lowest.model }), first);
      const before = await viewOf(middle);
      const { tree: top } = overlayOver(sometimesLater(middle, inTurn(later)));
      await runAll(new SideBySide(top, { model: lowest.model }), second);
      expect(await viewOf(middle)).toEqual(before);
    }),
    { numRuns: 150 },
  );
});

test("an overlay that runs out of space refuses without a change, within its quota", async () => {
  await fc.assert(
    fc.asyncProperty(programs, fc.integer({ min: 0, max: 250_000 }), async (steps, quotaBytes) => {
      const memory = filesystemTree(scratch({ quotaBytes: roomy }));
      const below = new SideBySide(memory);
      await runAll(below, prelude);
      const { tree, layer } = overlayOver(memory, quotaBytes);
      const run = new SideBySide(tree, { model: below.model, mayRunOut: true });
      for (const step of steps) {
        await run.do(step);
        expect(layer.room.quota.usedBytes).toBeLessThanOrEqual(quotaBytes);
        expect(layer.room.quota.usedBytes).toBeGreaterThanOrEqual(0);
      }
      await run.finish();
    }),
    { numRuns: 200 },
  );
});
