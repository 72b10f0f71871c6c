// A folder of the host against the model that every tree is tried with, and what the system itself says is there in the end.
import * as fs from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SideBySide } from "../../../filesystems/tree-model-fixture.ts";
import { pathBytes } from "../../../filesystems/tree-path.ts";
import { prelude, programs } from "../../../filesystems/tree-programs-fixture.ts";
import { FolderFixture } from "./host-tree-fixture.ts";

let folder: FolderFixture;
let umask: number;
beforeAll(() => {
  folder = new FolderFixture();
  umask = process.umask(0);
});
afterAll(() => {
  process.umask(umask);
  folder.remove();
});

/** Links that lead up are refused where they would lead out; host-tree-links.test.ts is about these. */
test("a folder of the host does what the model does", async () => {
  await fc.assert(
    fc.asyncProperty(programs, async (steps) => {
      fs.rmSync(folder.root, { recursive: true });
      fs.mkdirSync(folder.root);
      const run = new SideBySide(folder.grant({ bytes: 2 ** 40, files: 2 ** 40 }));
      for (const step of [...prelude, ...steps])
        await run.do(step.target?.startsWith("..") ? { ...step, target: "é" } : step);
      await run.finish();
      const onHost = fs.readdirSync(folder.root, "latin1" as BufferEncoding);
      expect(onHost.sort()).toEqual([...run.model.children.keys()].map(pathBytes).sort());
    }),
    { numRuns: 150 },
  );
});
