// The restored form of the real module cannot change a table; the booted form can, since its constructors do.
import { beforeAll, expect, test } from "vitest";
import { readDistributionFile } from "../../platform/node/package-files.ts";
import { prepareModule } from "../image.ts";
import { readImportSection } from "./format/import-section.ts";
import { openSection, readSections, sectionId } from "./format/sections.ts";
import type { RewrittenImage } from "./rewrite.ts";
import { stillTables } from "./still-tables.ts";

let image: RewrittenImage;
beforeAll(() => {
  image = prepareModule(readDistributionFile("wasm"));
});

/** How many bytes of code are saved when what changes a table is taken away. */
function tableCode(wasm: Uint8Array): number {
  const sections = readSections(wasm);
  const imports = readImportSection(openSection(sections, sectionId.import));
  const code = openSection(sections, sectionId.code).bytes;
  const functions = imports.filter((entry) => entry.kind === "function").length;
  return code.length - stillTables(code, functions).length;
}

test("nothing is left to take away from the restored form", () => {
  expect(tableCode(image.lean)).toBe(0);
  expect(tableCode(image.full)).toBeGreaterThan(0);
});
