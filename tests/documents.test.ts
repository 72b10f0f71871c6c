// The documents say what the code says: the page of the boundary is the syscall table's, every limit is explained, links lead somewhere.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { boundaryPage } from "../tools/boundary-page.ts";
import { conformancePage } from "../tools/conformance-page.ts";

const root = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

test("docs/boundary.md is up to date; if not: npm run docs", () => {
  expect(read("docs/boundary.md")).toBe(boundaryPage());
});

test("docs/conformance.md is up to date; if not: npm run docs", () => {
  expect(read("docs/conformance.md")).toBe(
    conformancePage(JSON.parse(read("tests/conformance/expected.json"))),
  );
});

test("every option of limits is explained, and in the README", () => {
  const declared =
    read("src/host/options/limits-option.ts").match(/export interface Limits \{(.*?)\n\}/s)?.[1] ?? "";
  const names = [...declared.matchAll(/^ {2}readonly (\w+)\?:/gm)].map((match) => match[1] ?? "");
  expect(names.length).toBeGreaterThan(10);
  for (const page of ["docs/limits.md", "README.md"]) {
    const text = read(page);
    const missing = names.filter((name) => !text.includes(`\`${name}\``) && !text.includes(`\`${name}:`));
    expect(missing, page).toEqual([]);
  }
});

test("links between documents lead to files", () => {
  const documents = ["README.md", "SECURITY.md", "SPECIFICATION.md", "bench/README.md"];
  for (const name of readdirSync(join(root, "docs"), { recursive: true }) as string[])
    if (name.endsWith(".md")) documents.push(join("docs", name));
  const broken = documents.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)]
      .map((match) => relative(root, resolve(root, dirname(page), match[1] ?? "")))
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${page} links to ${target}`),
  );
  expect(broken).toEqual([]);
});
