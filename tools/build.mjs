// Builds dist/: bundles (library, command, worker), so that starting costs few file reads, and the type files.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const require = createRequire(import.meta.url);

rmSync("dist", { recursive: true, force: true });
const options = {
  outdir: "dist",
  bundle: true,
  // Half the bytes to parse at each start, and names stay readable in a stack.
  minifyWhitespace: true,
  minifySyntax: true,
  platform: "node",
  target: "node20.19",
  sourcemap: true,
  logLevel: "warning",
};
const commonJs = { ...options, format: "cjs", outExtension: { ".js": ".cjs" } };
await build({
  ...options,
  entryPoints: { index: "src/index.ts", cli: "src/command.ts" },
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  format: "esm",
});
// The command, without its entry: one CommonJS file, since only of such does V8 keep the bytecode (src/platform/node/bytecode.ts).
await build({
  ...commonJs,
  entryPoints: { command: "src/surfaces/cli/main.ts" },
  define: { "import.meta.url": "__url" },
  banner: { js: `const __url = require("node:url").pathToFileURL(__filename).href;` },
});
// CommonJS: a worker thread starts twenty milliseconds sooner without the module loader (Node 20).
await build({
  ...commonJs,
  entryPoints: { worker: "src/platform/node/worker-main.ts", process: "src/platform/node/process-main.ts" },
});
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
execFileSync(process.execPath, [tsc, "--project", "tsconfig.build.json"], { stdio: "inherit" });
