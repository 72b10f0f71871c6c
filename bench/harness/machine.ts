// On what was measured: without this no number means anything.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { line } from "./report.ts";

/** The native Python to compare with: itself, and no shim in front of it, which would cost more than it does. */
export const python = executableOf(process.env.PYTHON ?? "python3");

function executableOf(command: string): string {
  const asked = spawnSync(command, ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" });
  return asked.stdout?.trim() || command;
}

export function describeMachine(): void {
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  const load = loadavg()[0]?.toFixed(1);
  line(`machine: ${cpus()[0]?.model}, ${cpus().length} cores, ${memory}, load ${load}, ${process.platform}`);
  const { node, v8 } = process.versions;
  line(
    `versions: node ${node}, V8 ${v8}, ${pythonVersion()}, pyodide ${packageVersion("pyodide")}, ` +
      `monty ${packageVersion("@pydantic/monty")}`,
  );
}

function pythonVersion(): string {
  return spawnSync(python, ["--version"], { encoding: "utf8" }).stdout?.trim() || "no python3";
}

function packageVersion(name: string): string {
  try {
    return JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
  } catch {
    return "not installed";
  }
}
