// The page of the boundary says what the syscall table says.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { boundaryPage } from "../tools/boundary-page.ts";

test("docs/boundary.md is up to date; if not: npm run docs", () => {
  const page = readFileSync(join(resolve(import.meta.dirname, ".."), "docs", "boundary.md"), "utf8");
  expect(page).toBe(boundaryPage());
});
