// `npm run bench`: measures, in one run and side by side, what SPECIFICATION.md promises. Prints machine, versions, sample
// count, median and spread. The machine may be shared: trust the ratios.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const samples = Number(process.env.SAMPLES ?? 15);
const folder = mkdtempSync(join(tmpdir(), "sandboa-bench-"));
const version = (command, args) =>
  spawnSync(command, args, { encoding: "utf8" }).stdout?.trim() || "not installed";

function report(name, milliseconds, unit = "ms") {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(2);
  console.log(
    `${name.padEnd(46)} n=${String(sorted.length).padStart(3)}  median ${at(0.5)} ${unit}  (${at(0)} to ${at(1)})`,
  );
}

/** The commands take turns, so that a slow moment of the machine hits all of them. */
function wholeProcesses(commands) {
  const times = new Map(commands.map(([name]) => [name, []]));
  for (let round = 0; round < samples + 1; round++) {
    for (const [name, command, args] of commands) {
      const start = performance.now();
      const ended = spawnSync(command, args, { stdio: "ignore" });
      if (ended.status !== 0) throw new Error(`${name} failed with status ${ended.status}`);
      if (round > 0) times.get(name).push(performance.now() - start);
    }
  }
  for (const [name, values] of times) report(name, values);
}

try {
  console.log(
    `machine: ${cpus()[0].model}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
  );
  console.log(
    `versions: node ${process.versions.node}, V8 ${process.versions.v8}, ${version("python3", ["--version"])}, pyodide 314.0.7`,
  );
  console.log("\nwhole process to its first Python output");
  const pyodide =
    "const { loadPyodide } = await import('pyodide'); (await loadPyodide()).runPython('print(1)')";
  wholeProcesses([
    ["an empty Node script", process.execPath, ["-e", "0"]],
    ["sandboa run -c 'print(1)'", process.execPath, ["dist/cli.js", "run", "-c", "print(1)"]],
    ["python3 -c 'print(1)'", "python3", ["-c", "print(1)"]],
    ["stock loadPyodide, print(1)", process.execPath, ["--input-type=module", "-e", pyodide]],
  ]);
  const entry = join(folder, "interpreter-layer.mjs");
  await build({
    entryPoints: ["bench/interpreter-layer.ts"],
    outfile: entry,
    bundle: true,
    format: "esm",
    platform: "node",
    banner: {
      js: `import { createRequire as __r } from "node:module"; const require = __r("${process.cwd()}/bench/run.mjs");`,
    },
    define: { "import.meta.url": JSON.stringify(`file://${process.cwd()}/bench/run.mjs`) },
  });
  const { measure } = await import(entry);
  console.log("\nin one thread, at the interpreter layer");
  await measure(report);
  console.log("\nthrough the public API, by worker thread");
  const { Sandbox } = await import("sandboa");
  const [created, ran, resets] = [[], [], []];
  for (let i = 0; i < samples; i++) {
    let start = performance.now();
    const sandbox = await Sandbox.create();
    created.push(performance.now() - start);
    await sandbox.run("1 + 1");
    start = performance.now();
    await sandbox.run("1 + 1");
    ran.push(performance.now() - start);
    start = performance.now();
    await sandbox.reset();
    resets.push(performance.now() - start);
    await sandbox.close();
  }
  report("Sandbox.create", created);
  report("run of 1 + 1, second run", ran);
  report("reset", resets);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
