// `npm run bench [-- GROUP...]`: bundles the bench and runs it against the built package. SAMPLES=n sets the samples.
import { rmSync } from "node:fs";
import { build } from "esbuild";

// Beside this file, so that packages, this one included, are found.
const bundle = new URL("./.bundle/main.mjs", import.meta.url);
await build({
  entryPoints: ["bench/main.ts"],
  outfile: bundle.pathname,
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: "inline",
});
const { main } = await import(bundle.href);
rmSync(new URL("./.bundle", import.meta.url), { recursive: true });
process.exitCode = await main(process.argv.slice(2));
