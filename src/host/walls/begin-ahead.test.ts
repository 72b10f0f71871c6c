// A lifetime that begins without an answer: what kept it from beginning is told by its runs, and the next lifetime is whole.
import { expect, test } from "vitest";
import { idlePlan } from "../plan.ts";
import { endingOf } from "../run-ending.ts";
import { encodeRun } from "../run-request.ts";
import { openWall } from "./open-wall.ts";

test.each(["inline", "worker", "process"] as const)("%s", async (isolation) => {
  const engine = { isolation, metered: isolation === "inline", tracked: false, refusedModules: [] };
  const wall = await openWall(engine, () => {});
  const limits = { ...idlePlan.limits, memoryBytes: 2 ** 25, wallMs: 20_000 };
  const plan = { ...idlePlan, limits };
  // More than there is memory for; options would not be accepted.
  const tooLarge = { ...plan, environment: [["A", "x".repeat(15 * 2 ** 20)]] as const };
  const endOf = async (given: typeof plan) =>
    endingOf(await wall.run(encodeRun("40 + 2", {}), () => {}), given, undefined);

  await expect(wall.begin(tooLarge, {}, false)).resolves.toBeUndefined();
  const crashed = { error: { code: "SANDBOX_CRASHED", sandbox: "lost" } };
  expect(await endOf(tooLarge)).toMatchObject(crashed);
  expect(await endOf(tooLarge)).toMatchObject(crashed);
  await wall.reset();
  await wall.begin(plan, {}, false);
  expect(await endOf(plan)).toMatchObject({ value: 42 });
  await wall.reset();
  await expect(wall.begin(tooLarge)).rejects.toMatchObject({ code: "SANDBOX_CRASHED" });
  await wall.kill(new Error("the test is over"));
  await expect(wall.begin(plan, {}, false)).rejects.toThrow("the test is over");
});
