// Wrappers that have nothing to refuse do what the model of trees does, and let nothing through that they do not know.
import fc from "fast-check";
import { expect, test } from "vitest";
import { scratch } from "../../filesystems/filesystem-fixture.ts";
import { filesystemTree } from "../../filesystems/filesystem-tree.ts";
import type { Tree, TreeFile } from "../../filesystems/tree.ts";
import { SideBySide } from "../../filesystems/tree-model-fixture.ts";
import { prelude, programs } from "../../filesystems/tree-programs-fixture.ts";
import { reading, sometimesLater } from "../../filesystems/tree-view-fixture.ts";
import type { FileCapability } from "../capability.ts";
import { filtered } from "./filtered.ts";
import { limited } from "./limited.ts";
import { observed } from "./observed.ts";
import { revocable } from "./revocable.ts";
import { capabilityOf, resolve } from "./wrapper-fixture.ts";

const transparent: [string, (inner: FileCapability) => FileCapability][] = [
  ["observed", (inner) => observed(inner, () => {})],
  ["filtered", (inner) => filtered(inner, () => true)],
  ["limited", (inner) => limited(inner, { bytes: "1 GiB", opens: 1_000_000, until: "1 h" })],
  ["revocable", (inner) => revocable(inner).capability],
  ["all in each other", (inner) => transparent.slice(0, 4).reduce((at, [, wrap]) => wrap(at), inner)],
];

test.each(transparent)("%s, when it changes nothing, does what the model does", async (name, wrap) => {
  const laterness = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(programs, laterness, async (steps, later) => {
      let at = 0;
      const memory = filesystemTree(scratch({ quotaBytes: 64 * 1024 * 1024 }));
      // Bytes that are written are only valid during the call, so what waits before it asks would lose them.
      const slow = sometimesLater(memory, () => later[at++ % later.length] === true, ["write"]);
      const run = new SideBySide(resolve(wrap(capabilityOf(slow))), {
        // A filter lets no folder be renamed, which the model does not know.
        ...(/filtered|all/.test(name) && { foldersStay: true }),
      });
      for (const step of [...prelude, ...steps]) await run.do(step);
      await run.finish();
    }),
    { numRuns: 60 },
  );
});

test("what a tree leaves out stays left out, and a method that nobody knows does not come through", () => {
  const bare = {
    stat: () => undefined,
    open: () => ({ stat: () => ({ kind: "file", size: 0 }) }),
    format: () => "all",
  };
  for (const [, wrap] of transparent) {
    const tree = resolve(wrap(capabilityOf(bare as unknown as Tree)));
    expect(Object.keys(tree).sort()).toEqual(["close", "open", "stat"]);
    const file = tree.open("f", reading) as TreeFile;
    expect(Object.keys(file).sort()).toEqual(["close", "stat"]);
  }
});
