// What a callback of the embedder's does when it fails: the step goes on, and the process is warned.
import { expect, test } from "vitest";
import { checkProgress, type Progress } from "./progress.ts";

test.each<[string, Progress]>([
  [
    "throws",
    () => {
      throw new Error("mine");
    },
  ],
  ["rejects", async () => Promise.reject(new Error("mine"))],
])("one that %s", async (_, callback) => {
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  expect(checkProgress(callback)?.("a step")).toBeUndefined();
  expect((await warned).message).toMatch(/^onProgress failed: Error: mine\n/);
});

test("it is told each step; what is no function is refused", () => {
  const steps: string[] = [];
  checkProgress((step) => steps.push(step))?.("a step");
  expect(steps).toEqual(["a step"]);
  expect(checkProgress(undefined)).toBeUndefined();
  expect(() => checkProgress("loud" as unknown as Progress)).toThrow("onProgress");
});
