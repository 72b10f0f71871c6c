// `npm run conformance [-- --update] [MODULE...]`: runs CPython's tests in the box and holds them against what is expected. --update
// writes down what was found; failures without a reason then have to be given one, in tests/conformance/expected.json.
import { mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

// Beside this file, so that packages, this one included, are found.
const bundle = new URL("./.bundle/conformance.mjs", import.meta.url);
mkdirSync(new URL("./.bundle", import.meta.url), { recursive: true });
await build({
  entryPoints: ["tools/conformance-run.ts"],
  outfile: bundle.pathname,
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20.19",
});
const { main } = await import(bundle.href);
rmSync(new URL("./.bundle", import.meta.url), { recursive: true });
process.exitCode = await main(process.argv.slice(2), process.cwd());
