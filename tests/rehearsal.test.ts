// What the engine rehearses are real programs: one that fails would leave the rest of itself unoptimised, and nobody would see it.
import { Sandbox } from "sandboa";
import { expect, test } from "vitest";
import { rehearsedPrograms } from "../src/host/images/rehearsed-programs.ts";

test("every rehearsed program runs to its end, one after the other in one sandbox", async () => {
  await using sandbox = await Sandbox.create();
  for (const program of rehearsedPrograms) {
    await expect(sandbox.run(program).then(({ exitCode }) => exitCode, String)).resolves.toBe(0);
  }
});
