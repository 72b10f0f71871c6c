// `npm run docs`: writes docs/boundary.md.
import { writeFileSync } from "node:fs";
import { build } from "esbuild";

const { outputFiles } = await build({
  entryPoints: ["tools/boundary-page.ts"],
  bundle: true,
  write: false,
  format: "esm",
  platform: "neutral",
});
const { boundaryPage } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
writeFileSync("docs/boundary.md", boundaryPage());
