// Builds dist/: bundles (library, command, worker), so that starting costs few file reads, and the type files.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const require = createRequire(import.meta.url);

rmSync("dist", { recursive: true, force: true });
const guest = join("guest", "sandboa");
const guestFiles = readdirSync(guest).filter((name) => name.endsWith(".py"));
const guestHash = createHash("sha256");
for (const name of guestFiles.sort()) guestHash.update(readFileSync(join(guest, name)));

const options = {
  outdir: "dist",
  bundle: true,
  // Half the bytes to parse at each start, and names stay readable in a stack.
  minifyWhitespace: true,
  minifySyntax: true,
  // Node shows the line in which an error was thrown: one of 86 KB buries the message.
  lineLimit: 160,
  platform: "node",
  // See guestDigest in src/platform/node/package-files.ts.
  define: {
    __guestDigest: JSON.stringify(guestHash.digest("hex")),
    __version: JSON.stringify(require("../package.json").version),
  },
  target: "node20.19",
  sourcemap: true,
  logLevel: "warning",
};
const commonJs = { ...options, format: "cjs", outExtension: { ".js": ".cjs" } };
// The library, the command and the worker thread are an entry each, and one CommonJS file: only of such does V8 keep the bytecode
// (src/platform/node/engine/bytecode.ts). A thread starts twenty milliseconds sooner without the module loader (Node 20).
await build({
  ...commonJs,
  entryPoints: {
    library: "src/library.ts",
    command: "src/command-main.ts",
    cli: "src/command.ts",
    "worker-main": "src/platform/node/walls/worker-main.ts",
    worker: "src/platform/node/walls/worker-entry.ts",
  },
  define: { ...options.define, "import.meta.url": "__url" },
  banner: { js: `"use strict"; const __url = require("node:url").pathToFileURL(__filename).href;` },
});
// The entry is an ES module that imports nothing: of a module of Node's that is imported the loader makes a facade with all that it
// exports, and loads what any of that needs, which takes 1.5 ms.
await build({
  ...options,
  stdin: {
    contents: `export { loadOwnBundle } from "./src/platform/node/engine/own-bundle.ts";
      export { libraryScript } from "./src/platform/node/package-root.ts";`,
    resolveDir: ".",
    sourcefile: "index.js",
  },
  outfile: "dist/index.js",
  outdir: undefined,
  format: "cjs",
  define: { ...options.define, "import.meta.url": "__url" },
  banner: {
    js: "const require = process.getBuiltinModule, module = { exports: {} }, __url = import.meta.url;",
  },
  footer: {
    js: `export const { ${await exportedNames()} } = module.exports.loadOwnBundle(module.exports.libraryScript);`,
  },
});
await build({ ...commonJs, entryPoints: { process: "src/platform/node/walls/process-main.ts" } });
/** What the library exports, as a list of names. */
async function exportedNames() {
  const { metafile } = await build({
    ...options,
    entryPoints: ["src/index.ts"],
    format: "esm",
    metafile: true,
    write: false,
  });
  return metafile.outputs["dist/index.js"].exports.join(", ");
}

const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
execFileSync(process.execPath, [tsc, "--project", "tsconfig.build.json"], { stdio: "inherit" });
