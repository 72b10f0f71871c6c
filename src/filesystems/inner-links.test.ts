// Which targets a guest is shown, and which it may make.
import { expect, test } from "vitest";
import { brokenTarget, isSafeTarget, shownTarget } from "./inner-links.ts";

const root = "/srv/data";

test.each([
  ["x", 0, "x"],
  ["../x", 1, "../x"],
  ["./a//b/", 0, "./a//b/"],
  ["../x", 0, brokenTarget],
  ["a/../../x", 0, brokenTarget],
  ["../../data/x", 1, brokenTarget],
  ["/srv/data/a/x", 0, "a/x"],
  ["/srv/data/a/x", 2, "../../a/x"],
  ["//srv/./data//a/x/", 1, "../a/x"],
  ["/srv/data", 0, "."],
  ["/srv/data/", 2, "../.."],
  ["/srv/data/..", 1, brokenTarget],
  ["/srv/data/a/../../x", 1, brokenTarget],
  ["/srv/data/../data/x", 1, brokenTarget],
  ["/srv/database/x", 1, brokenTarget],
  ["/srv", 1, brokenTarget],
  ["/", 1, brokenTarget],
  ["/etc/passwd", 1, brokenTarget],
  ["/proc/self/root", 1, brokenTarget],
])("%s, at depth %d, is shown as %s", (target, depth, shown) => {
  expect(shownTarget(target, depth, root)).toBe(shown);
});

test("a root that is the whole system", () => {
  expect([shownTarget("/etc/x", 1, "/"), shownTarget("/../x", 0, "/")]).toEqual(["../etc/x", brokenTarget]);
});

test("a relative equivalent that would be too long is broken", () => {
  expect(shownTarget(`/srv/data/${"x".repeat(4080)}`, 40, root)).toBe(brokenTarget);
});

test("what a guest may make", () => {
  const good: [string, number][] = [
    ["x", 0],
    ["a/./b", 0],
    ["../x", 1],
    ["../../x", 2],
    ["./../x", 1],
    ["..", 1],
  ];
  const bad: [string, number][] = [
    ["", 9],
    ["/x", 9],
    ["../x", 0],
    ["../../x", 1],
    ["a/../b", 5],
    ["../a/..", 5],
  ];
  expect(good.filter(([target, depth]) => !isSafeTarget(target, depth))).toEqual([]);
  expect(bad.filter(([target, depth]) => isSafeTarget(target, depth))).toEqual([]);
});
