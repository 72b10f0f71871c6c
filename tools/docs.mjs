// `npm run docs`: writes docs/boundary.md and docs/conformance.md.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

async function load(entry) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

const { boundaryPage } = await load("tools/boundary-page.ts");
writeFileSync("docs/boundary.md", boundaryPage());
const { conformancePage } = await load("tools/conformance-page.ts");
const expected = JSON.parse(readFileSync("tests/conformance/expected.json", "utf8"));
writeFileSync("docs/conformance.md", conformancePage(expected));
